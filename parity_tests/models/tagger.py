"""Cases and faults of reference/models/tagger.py."""

from functools import partial

from reference.common import batches

from ..mutation.catalogue import Fault
from .cases import CELLS, model_case, sequences

V, K, E, H = 9, 7, 4, 5
BATCH = batches.tagged(sequences(0, 0, V), sequences(1, 0, K))
case = partial(model_case, "tagger", BATCH, (V, K, E, H))
CASES = [
    *(case(f"{cell}-{'both' if both else 'forward'}", cell=cell, bidirectional=both) for cell in CELLS for both in (True, False)),
    case("lstm-deep", 3, dropout=0.3),
    case("rnn-step", 2, cell="rnn", dropout=0.3, holomorphic=True),
    case("gru-deep-forward", 2, cell="gru", bidirectional=False, dropout=0.4),
]

# fmt: off
FAULTS = [
    Fault("reverse direction does not read backwards", "flip", "return start[last - t] + b", "return start[t] + b",
          source="keras PR #1934: the mask was not reversed with the sequence", room="cells/stack"),
    Fault("tags of the step before", "Tagger.vjp", "target_of(batch)", "np.roll(target_of(batch), 1)"),
    Fault("gradient of the reverse half lost", "Tagger._logits.pullback", "pull_y(y._replace(data=dy))",
          "pull_y(y._replace(data=dy * (np.arange(dy.shape[1]) < self.rnn.hidden_size)))"),
    Fault("embedding's gradient in the order of the outputs", "Tagger._logits.pullback", "pull_x(dx.data)",
          "pull_x(dx.data[::-1])"),
    Fault("mean over the sequences, not over the steps", "Tagger.vjp", "cross_entropy(z, target_of(batch), pull_z)",
          "cross_entropy(z, target_of(batch), lambda dz: pull_z(dz * len(z) / batch.tokens.batch_sizes[0]))"),
]
