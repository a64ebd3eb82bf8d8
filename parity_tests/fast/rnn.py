"""Faults of reference/fast/rnn.py, which the named cases must catch: ../judge/cases.py"""

from functools import partial

from ..mutation.faults import RNN, Fault

fault = partial(Fault, "fast/rnn")
# fmt: off
FAULTS = [
    fault("slope of tanh is 1 - h", "steps_back", "np.multiply(h, h, da)", "da[...] = h", kinds=("rnn",)),
    fault("mask of relu turned round", "steps_back", "np.less_equal(h, 0, da)", "np.greater(h, 0, da)", kinds=("rnn-relu",)),
    fault("last output's gradient used twice", "steps_back", "upstream[t - 1]", "upstream[-1]", kinds=RNN),
]
