"""Cases and faults of reference/models/classifier.py."""

from reference.common import batches

from ..mutation.faults import Fault
from .cases import model_case
from .twins import sequences

V, K, E, H = 9, 3, 4, 5
BATCH = batches.labelled(sequences(0, 0, V), [0, 2, 1, 2, 0])


def case(name, layers=1, **kwargs):
    return model_case("classifier", name, BATCH, V, K, E, H, layers, **kwargs)


CASES = [
    *(case(f"{cell}-{pooling}", cell=cell, pooling=pooling, bidirectional=True)
      for cell in ("rnn", "lstm", "gru") for pooling in ("last", "mean", "max")),
    *(case(f"{cell}-forward", cell=cell, bidirectional=False) for cell in ("rnn", "lstm", "gru")),
    case("lstm-deep", 3, dropout=0.3), case("gru-deep-mean", 2, cell="gru", pooling="mean", dropout=0.4),
    case("rnn-step", cell="rnn", holomorphic=True), case("rnn-step-max", cell="rnn", pooling="max", holomorphic=True),
    case("rnn-deep-forward", 2, cell="rnn", bidirectional=False),
]

FAULTS = [
    Fault("last step of the padded outputs taken for every sequence", "models/classifier.py", "u = join(*hidden(s)[-D:])",
          "u = pad_packed_sequence(y)[0][-1]", source="pytorch #1811: the padding read as the last step"),
    Fault("reverse half of the output at the last step, where it has read one element", "models/classifier.py",
          "u = join(*hidden(s)[-D:])",
          "p, n = pad_packed_sequence(y)\n            u = p[n - 1, np.arange(len(n))]",
          source="pvse #13, yunjey #149: out[:, -1] of a bidirectional layer"),
    Fault("state of the first layer", "models/classifier.py", "hidden(s)[-D:]", "hidden(s)[:D]",
          source="pytorch #3587: the layout of h_n"),
    Fault("directions exchanged in the state", "models/classifier.py", "hidden(s)[-D:]", "hidden(s)[-D:][::-1]"),
    Fault("gradient into the first layer's state", "models/classifier.py", "dh[-D:] =", "dh[:D] ="),
    Fault("mean over the padding, too", "models/classifier.py", "1 / lengths[:, None]", "1 / (0 * lengths + len(padded))[:, None]",
          source="keras PR #1934: padding takes part"),
    Fault("maximum over the padding, too", "models/classifier.py", 'if pooling == "mean" else -np.inf', "",
          source="keras PR #1934: padding takes part"),
    Fault("gradient of the maximum to every step", "models/classifier.py",
          "np.put_along_axis(dpadded, first, du[None], 0)", "dpadded[...] = du"),
    Fault("gradient of the mean not divided", "models/classifier.py", "np.broadcast_to(du * scale", "np.broadcast_to(du"),
    Fault("classes in the order of the sorted sequences", "models/classifier.py",
          "cross_entropy_forward(z, batch.target)", "cross_entropy_forward(z, batch.target[batch.tokens.sorted_indices])"),
]
