"""What NumPy and PyTorch each give to the forecaster; everything else is the same code."""

from collections.abc import Callable
from typing import NamedTuple

from ..common import checkpoint
from ..common.command import Model, UsageError
from ..models.forecaster import Forecaster
from ..training import loop, optim


def in_numpy(backend: "Backend", device: str, compile: bool) -> "Backend":
    """The backend as it is.  UsageError: something else was asked for."""
    if device != "cpu" or compile:
        what = "--compile" if compile else f"--device {device}"
        raise UsageError(f"{what} is for the other side, python -m torch_impl.forecast; NumPy computes on the CPU as it is")
    return backend


class Backend(NamedTuple):
    """What a backend gives."""

    package: str
    model: Callable[..., Model]  # called as reference.Forecaster
    adam: Callable  # called with a model, lr, weight_decay: AdamW
    train: Callable
    restore: Callable
    place: Callable = in_numpy  # (backend, device, compile) -> the one whose models compute there


BACKEND = Backend("reference", Forecaster, optim.AdamW, loop.train, checkpoint.restore)
