"""The networks of ``reference`` in PyTorch: written-out loop, hoisted loop, cells, hand-derived BPTT, torch.nn itself."""

from typing import TYPE_CHECKING, Any

from .early import early

early(__name__)

if TYPE_CHECKING:
    from .cells.layers import GRU, LSTM, RNN, WAYS

__all__ = ["GRU", "LSTM", "RNN", "WAYS"]


def __getattr__(name: str) -> Any:
    """The layers are loaded when they are asked for, so that a command can say in a sentence that PyTorch is missing."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .cells import layers

    return getattr(layers, name)
