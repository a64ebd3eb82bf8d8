"""What NumPy and PyTorch each give to the character model; everything else is the same code."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np

from ..cells.inputs import State
from ..common import checkpoint
from ..common.arrays import Array
from ..common.command import UsageError
from ..models.language_model import LanguageModel
from ..training import init, loop, optim
from ..training.processes import Alone, alone


class Backend(NamedTuple):
    """What a backend gives; everything else is the same code."""

    package: str
    engines: tuple[str, ...]  # the first is the default
    model: Callable  # (config, symbols, dtype, rng, options) -> LanguageModel
    optimizers: Mapping[str, Callable]  # by class name
    train: Callable
    evaluate: Callable
    restore: Callable  # (checkpoint, model)
    logits: Callable  # (model, tokens (T, B), state) -> (z (T, B, V) ndarray float64, state)
    initialise: Callable  # as init.initialise
    processes: Callable[[dict], AbstractContextManager[Alone]] = alone  # the group that this process is one of, as a context
    group: Alone = Alone()  # that group


def model(config: dict, symbols: int, dtype: str, rng: np.random.Generator, options: dict) -> LanguageModel:
    if options["device"] != "cpu" or options["compile"]:
        what = "--compile" if options["compile"] else f"--device {options['device']}"
        raise UsageError(f"{what} is for the other side, python -m torch_impl.char_lm; NumPy computes on the CPU as it is")
    return LanguageModel(
        symbols,
        config["embedding"],
        config["size"],
        config["layers"],
        cell=config["cell"],
        dropout=config["dropout"],
        tied=config["tied"],
        dtype=np.dtype(dtype),
        rng=rng,
        engine=options["engine"],
    )


def logits(model: LanguageModel, tokens: Array, state: State | None) -> tuple[Array, State]:
    z, state = model.logits(tokens, state)
    return z.astype(np.float64), state


BACKEND = Backend(
    "reference",
    ("fast", "definition"),
    model,
    optim.OPTIMIZERS,
    loop.train,
    loop.evaluate,
    checkpoint.restore,
    logits,
    init.initialise,
)
