"""What PyTorch gives to the forecaster; all else is reference/forecast."""

import os

from reference.common.command import UsageError
from reference.forecast.backend import Backend

from ..cells import layers
from ..common import checkpoint
from ..models.forecaster import Forecaster
from ..models.placement import device, placed
from ..training import loop, optim


def place(backend: Backend, name: str, compile: bool, engine: str) -> Backend:
    """The side with its models on a device.  UsageError: there is none, or torchrun has started several processes."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError("torchrun is for char_lm; a forecaster is small, and trained by one process")
    device(name)
    way = "hoisted" if compile else engine
    return backend._replace(model=lambda *sizes, **options: placed(Forecaster(*sizes, **options, way=way), name, compile))


BACKEND = Backend("torch_impl", ("library", *layers.WAYS), Forecaster, optim.AdamW, loop.train, checkpoint.restore, place)
