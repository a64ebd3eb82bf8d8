"""Cases and faults of reference/models/classifier.py."""

from functools import partial

from reference.common import batches

from ..mutation.catalogue import Fault
from .cases import CELLS, model_case, sequences

V, K, E, H = 9, 3, 4, 5
BATCH = batches.labelled(sequences(0, 0, V), [0, 2, 1, 2, 0])
case = partial(model_case, "classifier", BATCH, (V, K, E, H))
CASES = [
    *(
        case(f"{cell}-{pooling}", cell=cell, pooling=pooling, bidirectional=True)
        for cell in CELLS
        for pooling in ("last", "mean", "max")
    ),
    *(case(f"{cell}-forward", cell=cell, bidirectional=False) for cell in CELLS),
    case("lstm-deep", 3, dropout=0.3),
    case("gru-deep-mean", 2, cell="gru", pooling="mean", dropout=0.4),
    case("rnn-step", cell="rnn", holomorphic=True),
    case("rnn-step-max", cell="rnn", pooling="max", holomorphic=True),
    case("rnn-deep-forward", 2, cell="rnn", bidirectional=False),
]

# fmt: off
FAULTS = [
    Fault("last step of the padded outputs taken for every sequence", "Classifier._logits", "u = join(*hidden(s)[-D:])",
          "u = pad_packed_sequence(y)[0][-1]", source="pytorch #1811: the padding read as the last step"),
    Fault("reverse half of the output at the last step, where it has read one element", "Classifier._logits",
          "u = join(*hidden(s)[-D:])", "p, n = pad_packed_sequence(y)\nu = p[n - 1, np.arange(len(n))]",
          source="pvse #13, yunjey #149: out[:, -1] of a bidirectional layer"),
    Fault("state of the first layer", "Classifier._logits", "hidden(s)[-D:]", "hidden(s)[:D]",
          source="pytorch #3587: the layout of h_n"),
    Fault("directions exchanged in the state", "Classifier._logits", "hidden(s)[-D:]", "hidden(s)[-D:][::-1]"),
    Fault("gradient into the first layer's state", "Classifier._logits.pullback", "dh[-D:] = np.split(du, D, axis=-1)",
          "dh[:D] = np.split(du, D, axis=-1)"),
    Fault("mean over the padding, too", "pooled", "lengths[:, None].astype", "(0 * lengths + len(padded))[:, None].astype",
          source="keras PR #1934: padding takes part"),
    Fault("maximum over the padding, too", "pooled", '0.0 if pooling == "mean" else -np.inf', "0.0",
          source="keras PR #1934: padding takes part"),
    Fault("gradient of the maximum to every step", "pooled.pullback", "np.put_along_axis(dpadded, first, du[None], 0)",
          "dpadded[...] = du"),
    Fault("gradient of the mean not divided", "pooled.pullback", "du * scale", "du"),
    Fault("classes in the order of the sorted sequences", "Classifier.vjp", "target_of(batch)",
          "target_of(batch)[batch.tokens.sorted_indices]"),
]
