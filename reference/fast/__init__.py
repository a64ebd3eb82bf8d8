"""The rooms of ``reference`` written for speed: the same verbs, NumPy only, held to the definition by the parity suite.

float32 and float64.  What each trick is for stands at the head of each file; tiles.py and parts.py have those that all
rooms share: how products are computed, and how a batch is shared out among threads.

Besides the verbs each room has the pieces that they are made of, so that packed.py can share them between segments:

    forwards   Params -> what forward multiplies by, laid out for one sequence, for few or for many; so backwards
    steps      forward's loop over time, for a part of the batch; so steps_back
    deltas     the loops backwards of all parts
    gradients  what deltas found, in one segment or more -> Params, dx

and run_forward, run_backward and run_inference, which the layers ask for.  LSTM and GRU have infer: forward of one
segment alone, nothing kept.
"""

from . import gru, lstm, rnn

__all__ = ["gru", "lstm", "rnn"]
