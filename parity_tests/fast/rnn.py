"""Faults of reference/fast/rnn.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("slope of tanh is 1 - h", "slopes", "np.multiply(h, h, out)", "out[...] = h", kinds=("rnn",)),
    Fault("mask of relu turned round", "slopes", "np.less_equal(h, 0, out)", "np.greater(h, 0, out)", kinds=("rnn-relu",)),
    Fault("last output's gradient used at every step", "deltas", "np.add(dh, dy_t, dh)", "np.add(dh, dy[-1], dh)"),
]
