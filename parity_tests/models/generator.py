"""Cases and faults of reference/models/generator.py."""

from reference.common import batches

from ..mutation.faults import Fault
from .cases import model_case
from .twins import sequences

V, C, E, H = 9, 6, 4, 5
BATCH = batches.conditioned([[0, 3], [1, 2], [0, 4], [1, 4], [0, 5]], sequences(0, 3, V, (3, 1, 5, 3, 0)), 1, 2)


def case(name, layers=1, **kwargs):
    return model_case("generator", name, BATCH, V, C, E, H, layers, **kwargs)


CASES = [*(case(cell, cell=cell) for cell in ("rnn", "lstm", "gru")),
         case("lstm-deep", 3, dropout=0.3), case("gru-deep", 2, cell="gru", dropout=0.4), case("rnn-deep", 2, cell="rnn"),
         case("rnn-step", cell="rnn", holomorphic=True)]

FAULTS = [
    Fault("condition does not reach the rnn", "models/generator.py", "_replace(data=x), s_0)", "_replace(data=x), None)",
          source="tensorflow #38248: a decoder dropped its state"),
    Fault("layers of the first state exchanged", "models/generator.py", "parts = s.reshape(B, S, L, H).transpose(1, 2, 0, 3)",
          "parts = s.reshape(B, L, S, H).transpose(2, 1, 0, 3)"),
    Fault("first states in the order of the sorted sequences", "models/generator.py", "self._first_state(batch.condition)",
          "self._first_state(batch.condition[batch.tokens.sorted_indices])"),
    Fault("derivative of tanh of the first state left out", "models/generator.py", "join(*ds) * (1 - s**2)", "join(*ds)"),
    Fault("gradient reaches the first condition alone", "models/generator.py", "np.repeat(dc[:, None], k.shape[1], axis=1)",
          "np.stack([dc, *[0 * dc] * (k.shape[1] - 1)], 1)"),
    Fault("conditions averaged", "models/generator.py", "k.sum(1)", "k.mean(1)"),
    Fault("predicts the token that it reads", "models/generator.py", "forward(z, batch.target)", "forward(z, batch.tokens.data)"),
]
