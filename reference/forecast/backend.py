"""What NumPy and PyTorch each give to the forecaster; everything else is the same code."""

from collections.abc import Callable
from typing import NamedTuple

from ..common import checkpoint
from ..common.command import Model, numpy_only
from ..models.forecaster import Forecaster
from ..training import loop, optim


def in_numpy(backend: "Backend", device: str, compile: bool) -> "Backend":
    numpy_only(device, compile, "forecast")
    return backend


class Backend(NamedTuple):
    package: str
    model: Callable[..., Model]  # called as reference.Forecaster
    adam: Callable  # called with a model, lr, weight_decay: AdamW
    train: Callable
    restore: Callable
    place: Callable = in_numpy  # (backend, device, compile) -> the one whose models compute there


BACKEND = Backend("reference", Forecaster, optim.AdamW, loop.train, checkpoint.restore)
