"""Faults of reference/compiled/rnn.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("slope of tanh at the gradient", "deltas", "slope_of_tanh(state[j])", "slope_of_tanh(arrives[j])", kinds=("rnn",)),
    Fault("mask of relu turned round", "deltas", "0 if state[j] <= 0 else arrives[j]", "arrives[j] if state[j] <= 0 else 0",
          kinds=("rnn-relu",)),
    Fault("NaN is zero after relu", "activate", "0 if a[j] <= 0 else a[j]", "a[j] if a[j] > 0 else 0", kinds=("rnn-relu",)),
    Fault("initial state ignored", "run", "k.h[0], at_once = s.h, steps_at_once(B, H, AT_ONCE)",
          "k.h[0], at_once = 0, steps_at_once(B, H, AT_ONCE)"),
    Fault("gradient of the step after not cleared", "backward_steps", "clear(dh, n0, n1)", "clear(dh, n0, n0)"),
]
