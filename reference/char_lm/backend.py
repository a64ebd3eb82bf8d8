"""What NumPy and PyTorch each give to the character model; everything else is the same code."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np

from ..cells.inputs import State
from ..common import checkpoint
from ..common.arrays import Array
from ..common.checks import engines
from ..common.command import numpy_only
from ..models.language_model import LanguageModel
from ..training import init, loop, optim
from ..training.processes import Alone, alone, none_but_one


class Backend(NamedTuple):
    package: str
    engines: tuple[str, ...]  # the first is the default
    model: Callable  # as LanguageModel, with the command's options for engine, device, compile
    optimizers: Mapping[str, Callable]  # by class name
    train: Callable
    evaluate: Callable
    restore: Callable  # (checkpoint, model)
    logits: Callable  # (model, tokens (T, B), state) -> (z (T, B, V) ndarray float64, state)
    initialise: Callable  # as init.initialise
    processes: Callable[[dict], AbstractContextManager[Alone]] = alone  # the group that this process is one of, as a context
    group: Alone = Alone()  # that group
    launch: Callable[[int, str, list[str]], int] = none_but_one  # (N, module, arguments): the command over N processes


def model(*sizes: int, options: dict, **how: Any) -> LanguageModel:
    numpy_only(options["device"], options["compile"], "char_lm")
    return LanguageModel(*sizes, **how, engine=options["engine"])


def logits(model: LanguageModel, tokens: Array, state: State | None) -> tuple[Array, State]:
    z, state = model.logits(tokens, state)
    return z.astype(np.float64), state


BACKEND = Backend(
    "reference",
    engines(),
    model,
    optim.OPTIMIZERS,
    loop.train,
    loop.evaluate,
    checkpoint.restore,
    logits,
    init.initialise,
)
