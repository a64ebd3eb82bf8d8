"""The rooms of ``reference`` written for speed: the same verbs, NumPy only, held to the definition by the parity suite.

float32 and float64.  What each trick is for stands at the head of each file.

Besides the verbs each room has the pieces that they are made of, so that packed.py can share them between segments:

    prepare    Params -> Weights, which forward takes as well
    deltas     backward's loop over time; it keeps less than the definition's
    gradients  what deltas found, in one segment or more -> Params, dx

and run_forward, run_backward and run_inference, which the layers ask for.  LSTM and GRU have infer: forward of one
segment alone, nothing kept.
"""

from . import gru, lstm, rnn

__all__ = ["gru", "lstm", "rnn"]
