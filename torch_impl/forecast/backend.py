"""What PyTorch gives to the forecaster; all else is reference/forecast."""

from reference.forecast.backend import Backend

from ..cells import layers
from ..common import checkpoint
from ..models.forecaster import Forecaster
from ..models.placement import device, placed
from ..training import loop, optim
from ..training.processes import launch, together


def place(backend: Backend, name: str, compile: bool, engine: str) -> Backend:
    """The side with its models on a device.  UsageError: there is none."""
    device(name)
    way = "hoisted" if compile else engine
    return backend._replace(model=lambda *sizes, **options: placed(Forecaster(*sizes, **options, way=way), name, compile))


BACKEND = Backend(
    "torch_impl",
    ("library", *layers.WAYS),
    Forecaster,
    optim.AdamW,
    loop.train,
    checkpoint.restore,
    place,
    together,
    launch=launch,
)
