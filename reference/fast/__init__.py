"""The rooms of ``reference`` written for speed: the same verbs, NumPy only, held to the definition by the parity suite.

float32 and float64.  What each trick is for stands at the head of each file; steps.py has those that all rooms share.
Besides the verbs each room has the pieces that they are made of, so that packed.py can share them between segments:

    folded     Params -> what forward multiplies by, laid out for it
    run        forward with that; without ``keep`` it is the forward alone
    deltas     the time loop of backward
    gradients  what deltas gave, for one segment or more -> Params, dx

and run_forward, run_backward and run_inference, which the layers ask for.

Where a gradient is infinite or NaN from upstream, or a weight is, 0 · inf may be NaN here where the definition has 0, or the
other way round: factors are multiplied in another order.
"""

from . import gru, lstm, rnn

__all__ = ["gru", "lstm", "rnn"]
