"""Faults of reference/compiled/gru.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("update gate turned round", "activate", "n[j] + z[j] * (h_prev[j] - n[j])", "h_prev[j] + z[j] * (n[j] - h_prev[j])",
          kinds=("gru",)),
    Fault("reset before the bias", "run", "np.concatenate([w.b[:H] + w.b[3 * H :], w.b[H : 3 * H]])", "w.b[: 3 * H]",
          kinds=("gru-before",)),
    Fault("both halves of a bias given to the input", "folded", "p.b_ih[2 * H :]", "b[2 * H :]", kinds=("gru",)),
    Fault("reset gate's slope left out", "deltas", "dn[j] * q[j] * slope_of_sigmoid(r[j])", "dn[j] * q[j]", kinds=("gru",)),
    Fault("gradient past the update gate lost", "deltas", "arrives[j] *= z[j]", "arrives[j] = 0", kinds=("gru",)),
    Fault("gradient through the reset state lost", "deltas_of_reset", "more[j] += arrives[j] * r[j]", "pass",
          kinds=("gru-before",)),
    Fault("candidate's weights given the state that was not reset", "deltas_of_reset", "rh[j] = r[j] * h_prev[j]",
          "rh[j] = h_prev[j]", kinds=("gru-before",)),
    Fault("da_h taken for da_x", "finished", "np.roll(dp.b_ih[: 3 * H], -H)", "dp.b_ih[H:].copy()", kinds=("gru",)),
    Fault("rows of the input weights' gradient left in the order of a step", "finished", "np.roll(dp.W_ih, -H, axis=0)", "dp.W_ih"),
    Fault("candidate's recurrent bias has no gradient", "accumulate", "dp.b_ih[3 * H :] = dp.b_ih[:H]", "pass",
          kinds=("gru-before",)),
]
