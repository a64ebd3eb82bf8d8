"""Faults of reference/fast/gru.py, which the named cases must catch: ../judge/cases.py"""

from functools import partial

from ..mutation.faults import GRU, Fault

fault = partial(Fault, "fast/gru", kinds=GRU)
# fmt: off
FAULTS = [
    fault("gradients of reset gate and candidate's product exchanged", "steps_back", "D_rq[t] = from_n",
          "D_rq[t] = from_n[::-1]"),
    fault("both halves of a bias given to the input", "forwards", "b[: 2 * H] += p.b_hh[: 2 * H]", "b += p.b_hh"),
    fault("bias's gradient left in the deltas' order", "gradients", "np.concatenate([db[H : 3 * H], db[:H]])", "db[: 3 * H]"),
    fault("rows of the input weights' gradient left in the deltas' order", "gradients",
          "np.matmul(A[:, H : 3 * H].T, x, dW_ih[: 2 * H])", "np.matmul(A[:, : 2 * H].T, x, dW_ih[: 2 * H])"),
    fault("update gate turned round", "steps", "np.divide(after, z_t, after)", "np.multiply(after, 1 - 1 / z_t, after)"),
    fault("da_h taken for da_x", "gradients", "A[:, : 3 * H]", "A[:, H:]"),
    fault("gradient past the update gate lost", "steps_back", "np.add(back, through, back)", "pass"),
]
