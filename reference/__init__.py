"""RNN, LSTM and GRU in plain NumPy, forward and backpropagation through time written by hand.

Layers and cells as torch.nn has them (``LSTM(...)``, ``lstm(x, state)``, ``lstm.backward(dy, dstate)``), packed
sequences as torch.nn.utils.rnn has them, and the rooms that define each cell: ``rnn``, ``lstm``, ``gru``, ``stack``.
What models are made of besides: the modules ``Linear`` and ``Embedding``, the base class ``Model``, and the rooms
``linear``, ``embedding``, ``dropout``,
``losses``.  What training is made of: ``init``, ``clip``, ``optim``, ``schedules``.  Over any cell: ``gradient_flow``, and
other ways to a gradient, ``truncated_bptt``, ``checkpointed_bptt``, ``rtrl``, ``hessian``.
"""

from . import checkpointed_bptt, gradient_flow, hessian, rtrl, truncated_bptt  # isort: skip
from . import clip, dropout, embedding, gru, init, linear, losses, lstm, optim, rnn, schedules, stack
from .cells import GRUCell, LSTMCell, RNNCell
from .language_model import LanguageModel
from .layers import GRU, LSTM, RNN
from .model import Model
from .modules import Embedding, Linear
from .packing import (
    PackedSequence,
    pack_padded_sequence,
    pack_padded_sequence_backward,
    pack_sequence,
    pack_sequence_backward,
    pad_packed_sequence,
    pad_packed_sequence_backward,
    pad_sequence,
    pad_sequence_backward,
    unpad_sequence,
    unpad_sequence_backward,
)

__all__ = [
    "GRU", "LSTM", "RNN", "Embedding", "GRUCell", "LSTMCell", "LanguageModel", "Linear", "Model", "PackedSequence", "RNNCell",
    "checkpointed_bptt", "clip", "dropout", "embedding", "gradient_flow", "gru", "hessian", "init", "linear", "losses",
    "lstm", "optim",
    "pack_padded_sequence", "pack_padded_sequence_backward", "pack_sequence", "pack_sequence_backward",
    "pad_packed_sequence", "pad_packed_sequence_backward", "pad_sequence", "pad_sequence_backward", "rnn", "rtrl",
    "schedules", "stack", "truncated_bptt",
    "unpad_sequence", "unpad_sequence_backward",
]
