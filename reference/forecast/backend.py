"""What NumPy and PyTorch each give to the forecaster; everything else is the same code."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ..common import checkpoint
from ..common.command import UsageError
from ..models.forecaster import Forecaster
from ..training import loop, optim


def in_numpy(backend: Any, device: str, compile: bool) -> Any:
    """The side as it is.  UsageError: something else was asked for."""
    if device != "cpu" or compile:
        what = "--compile" if compile else f"--device {device}"
        raise UsageError(f"{what} is for the other side, python -m torch_impl.forecast; NumPy computes on the CPU as it is")
    return backend


class Backend(NamedTuple):
    """What a side gives."""

    package: str
    model: Callable                # called as reference.Forecaster
    adam: Callable                 # called with a model, lr, weight_decay: AdamW
    train: Callable
    restore: Callable
    place: Callable = in_numpy     # (side, device, compile) -> the side whose models compute there


BACKEND = Backend("reference", Forecaster, optim.AdamW, loop.train, checkpoint.restore)
