"""Faults of reference/fast/gru.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("gradients of reset gate and candidate's product exchanged", "deltas", "da_t_by_gate[...] = da",
          "da_t_by_gate[...] = da[[0, 3, 2, 1]]", kinds=("gru",)),
    Fault("gradients of both sigmoids exchanged", "deltas", "da_t_by_gate[...] = da", "da_t_by_gate[...] = da[[0, 2, 1]]",
          kinds=("gru-before",)),
    Fault("candidate's weights given the reset gate's gradient", "gradients", "A[:, :H]", "A[:, H : 2 * H]", kinds=("gru-before",)),
    Fault("both halves of a bias given to the input", "folded", "p.b_ih[2 * H :]", "(p.b_ih + p.b_hh)[2 * H :]"),
    Fault("bias's gradient left in the deltas' order", "gradients", "np.roll(db[: 3 * H], -H)", "db[: 3 * H]"),
    Fault("rows of the input weights' gradient left in the deltas' order", "gradients", "np.roll(A_x.T @ x, -H, axis=0)",
          "A_x.T @ x"),
    Fault("update gate turned round", "run", "np.divide(h_next, z, h_next)", "np.multiply(h_next, 1 - 1 / z, h_next)"),
    Fault("da_h taken for da_x", "gradients", "A[:, : 3 * H], A[:, H:]", "A[:, -3 * H :], A[:, H:]", kinds=("gru",)),
    Fault("gradient past the update gate lost", "deltas", "np.add(dh, past_n, dh)", "pass"),
]
