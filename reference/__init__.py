"""RNN, LSTM and GRU in plain NumPy, forward and backpropagation through time written by hand.

Layers and cells as torch.nn has them (``LSTM(...)``, ``lstm(x, state)``, ``lstm.backward(dy, dstate)``), packed
sequences as torch.nn.utils.rnn has them, and the rooms that define each cell: ``rnn``, ``lstm``, ``gru``, ``stack``.
What models are made of besides: the modules ``Linear``, ``Embedding`` and ``Attention``, the base class ``Model``, and the
rooms ``linear``, ``embedding``, ``attention``, ``linear_recurrence``, ``dropout``, ``losses``, ``sampling``.  What training
is made of: ``init``, ``clip``, ``optim``, ``schedules``.  Models made of them: ``Classifier``, ``Generator``, ``Tagger``,
``Seq2seq``, ``LanguageModel``, ``Forecaster``.  Over any cell: ``gradient_flow``, and other ways to a gradient,
``truncated_bptt``, ``checkpointed_bptt``, ``rtrl``, ``hessian``.
"""

from .common import extras

extras.early(__name__)  # before anything that takes long

from . import training
from .cells import gru, lstm, rnn, stack
from .cells.layers import GRU, LSTM, RNN
from .cells.single_step import GRUCell, LSTMCell, RNNCell
from .common import batches, sampling, schedules
from .common.module import Composite
from .common.packing import (
    PackedSequence,
    pack_padded_sequence,
    pack_padded_sequence_backward,
    pack_sequence,
    pack_sequence_backward,
    pad_packed_sequence,
    pad_packed_sequence_backward,
    pad_sequence,
    pad_sequence_backward,
    padding_mask,
    unpad_sequence,
    unpad_sequence_backward,
)
from .gradients import checkpointed_bptt, gradient_flow, hessian, rtrl, truncated_bptt
from .models import classifier, forecaster, generator, language_model, seq2seq, tagger
from .models.classifier import Classifier
from .models.forecaster import Forecaster
from .models.generator import Generator
from .models.language_model import LanguageModel
from .models.model import Model
from .models.seq2seq import Seq2seq
from .models.tagger import Tagger
from .parts import attention, dropout, embedding, linear, linear_recurrence, losses
from .parts.modules import Attention, Embedding, Linear
from .training import clip, init, optim

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell"]
__all__ += ["Attention", "Composite", "Embedding", "Linear", "Model"]
__all__ += ["Classifier", "Forecaster", "Generator", "LanguageModel", "Seq2seq", "Tagger"]
__all__ += ["PackedSequence", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence", "pad_sequence", "unpad_sequence"]
__all__ += ["pack_padded_sequence_backward", "pack_sequence_backward", "pad_packed_sequence_backward", "pad_sequence_backward"]
__all__ += ["padding_mask", "unpad_sequence_backward"]
__all__ += ["gru", "lstm", "rnn", "stack"]
__all__ += ["attention", "batches", "dropout", "embedding", "linear", "linear_recurrence", "losses", "sampling"]
__all__ += ["classifier", "forecaster", "generator", "language_model", "seq2seq", "tagger"]
__all__ += ["clip", "init", "optim", "schedules", "training"]
__all__ += ["checkpointed_bptt", "gradient_flow", "hessian", "rtrl", "truncated_bptt"]
