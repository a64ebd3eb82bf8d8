"""The networks of ``reference`` in PyTorch: written-out loop, hoisted loop, cells, hand-derived BPTT, torch.nn itself."""

from .cells.layers import GRU, LSTM, RNN, WAYS

__all__ = ["GRU", "LSTM", "RNN", "WAYS"]
