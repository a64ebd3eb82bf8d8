"""The rooms of ``reference`` written for speed: the same verbs, NumPy only, held to the definition by the parity suite.

float32 and float64.  What each trick is for stands at the head of each file.
"""

from . import gru, lstm, rnn

__all__ = ["gru", "lstm", "rnn"]
