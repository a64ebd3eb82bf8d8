"""Faults of reference/compiled/lstm.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("gate and cell state exchanged", "activate", "f[j] * c_prev[j] + i[j] * g[j]", "i[j] * c_prev[j] + f[j] * g[j]"),
    Fault("candidate through a sigmoid", "activate", "tanh(g[j])", "sigmoid(g[j])"),
    Fault("state is that of the cell", "activate", "o[j] * tanh(c_next[j])", "o[j] * c_next[j]"),
    Fault("slope of the output gate left out", "deltas", "dm_n[j] * u[j] * slope_of_sigmoid(o[j])", "dm_n[j] * u[j]"),
    Fault("gradient through the cell state's tanh left out", "deltas", "dm_n[j] * o[j] * slope_of_tanh(u[j])", "dm_n[j] * o[j]"),
    Fault("cell state's gradient carried by the input gate", "deltas", "dc_n[j] *= f[j]", "dc_n[j] *= i[j]"),
    Fault("forget gate's gradient from the cell state after the step", "deltas",
          "dc_n[j] * c_prev[j] * slope_of_sigmoid(f[j])", "dc_n[j] * c_next[j] * slope_of_sigmoid(f[j])"),
    Fault("one bias left out", "folded", "p.b_ih + p.b_hh", "p.b_ih"),
    Fault("output gradient of a step lost", "backward_steps", "add(dy, now, dh, n0, sequences)", "add(dy, after - B, dh, n0, 0)"),
    Fault("gradient of the step after not cleared", "backward_steps", "clear(dh, n0, n1)", "clear(dh, n0, n0)"),
    Fault("projection's gradient from the state before it", "accumulate", "(dhs[:R], 0, ms[:R], 0, dp.W_hr)",
          "(dhs[:R], 0, rows(k.c), start * B, dp.W_hr)", kinds=("lstm-proj",)),
    Fault("recurrent weights' gradient from the state after the step", "accumulate", "(D[:R], 0, rows(k.h), start * B, dp.W_hh)",
          "(D[:R], 0, rows(k.h), (start + 1) * B, dp.W_hh)"),
]
