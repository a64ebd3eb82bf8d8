"""Cases and faults of reference/models/generator.py."""

from functools import partial

from reference.common import batches

from ..mutation.catalogue import Fault
from .cases import CELLS, model_case, sequences

V, C, E, H = 9, 6, 4, 5
BATCH = batches.conditioned([[0, 3], [1, 2], [0, 4], [1, 4], [0, 5]], sequences(0, 3, V, (3, 1, 5, 3, 0)), 1, 2)
case = partial(model_case, "generator", BATCH, (V, C, E, H))
CASES = [
    *(case(cell, cell=cell) for cell in CELLS),
    case("lstm-deep", 3, dropout=0.3),
    case("gru-deep", 2, cell="gru", dropout=0.4),
    case("rnn-deep", 2, cell="rnn"),
    case("rnn-step", cell="rnn", holomorphic=True),
]

# fmt: off
FAULTS = [
    Fault("condition does not reach the rnn", "Generator._logits", "self.rnn.vjp(tokens._replace(data=x), s_0)",
          "self.rnn.vjp(tokens._replace(data=x), None)", source="tensorflow #38248: a decoder dropped its state"),
    Fault("layers of the first state exchanged", "Generator._first_state", "s.reshape(B, S, L, H).transpose(1, 2, 0, 3)",
          "s.reshape(B, L, S, H).transpose(2, 1, 0, 3)"),
    Fault("first states in the order of the sorted sequences", "Generator._logits", "self._first_state(condition)",
          "self._first_state(condition[tokens.sorted_indices])"),
    Fault("derivative of tanh of the first state left out", "Generator._first_state.pullback", "join(*ds) * (1 - s**2)",
          "join(*ds)"),
    Fault("gradient reaches the first condition alone", "Generator._first_state.pullback",
          "np.repeat(dc[:, None], k.shape[1], axis=1)", "np.stack([dc, *[0 * dc] * (k.shape[1] - 1)], 1)"),
    Fault("conditions averaged", "Generator._first_state", "k.sum(1)", "k.mean(1)"),
    Fault("predicts the token that it reads", "Generator.vjp", "target_of(batch)", "batch.tokens.data"),
]
