"""Faults of reference/fast/rnn.py, which the named cases must catch: ../judge/cases.py"""

from functools import partial

from ..mutation.catalogue import RNN, Fault

fault = partial(Fault, "fast/rnn")
# fmt: off
FAULTS = [
    fault("slope of tanh is 1 - h", "slopes", "np.multiply(h, h, out)", "out[...] = h", kinds=("rnn",)),
    fault("mask of relu turned round", "slopes", "np.less_equal(h, 0, out)", "np.greater(h, 0, out)", kinds=("rnn-relu",)),
    fault("last output's gradient used at every step", "deltas", "np.add(dh, dy_t, dh)", "np.add(dh, dy[-1], dh)", kinds=RNN),
]
