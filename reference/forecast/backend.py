"""What NumPy and PyTorch each give to the forecaster; everything else is the same code."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple

from ..common import checkpoint
from ..common.checks import engines
from ..common.command import Model, numpy_only
from ..models.forecaster import Forecaster
from ..training import loop, optim
from ..training.processes import Alone, alone, none_but_one


def in_numpy(backend: "Backend", device: str, compile: bool, engine: str) -> "Backend":
    numpy_only(device, compile, "forecast")
    return backend._replace(model=partial(Forecaster, engine=engine))


class Backend(NamedTuple):
    package: str
    engines: tuple[str, ...]  # the first is the default
    model: Callable[..., Model]  # called as reference.Forecaster
    adam: Callable  # called with a model, lr, weight_decay: AdamW
    train: Callable
    restore: Callable
    place: Callable = in_numpy  # (backend, device, compile, engine) -> the one whose models compute so
    processes: Callable[[dict], AbstractContextManager[Alone]] = alone  # the group that this process is one of, as a context
    group: Alone = Alone()  # that group
    launch: Callable[[int, str, list[str]], int] = none_but_one  # (N, module, arguments): the command over N processes


BACKEND = Backend("reference", engines(), Forecaster, optim.AdamW, loop.train, checkpoint.restore)
