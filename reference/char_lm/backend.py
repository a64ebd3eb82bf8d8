"""What NumPy and PyTorch each give to the character model; everything else is the same code."""

from typing import Any, NamedTuple

import numpy as np

from ..cells.inputs import State
from ..common import checkpoint
from ..common.arrays import Array
from ..common.command import UsageError
from ..common.run import Alone, alone
from ..models.language_model import LanguageModel
from ..training import init, loop, optim


class Backend(NamedTuple):
    """What a side gives; everything else is the same code."""

    package: str
    engines: tuple[str, ...]    # the first is the default
    model: Any                  # (config, symbols, dtype, rng, given) -> LanguageModel
    optimizers: dict[str, Any]  # by class name
    train: Any
    evaluate: Any
    restore: Any                # (checkpoint, model)
    logits: Any                 # (model, tokens (T, B), state) -> (z (T, B, V) ndarray float64, state)
    initialise: Any             # as init.initialise
    processes: Any = alone      # given -> a context with the group that this process is one of
    group: Any = Alone()        # that group


def model(config: dict, symbols: int, dtype: str, rng: np.random.Generator, given: dict) -> LanguageModel:
    if given["device"] != "cpu" or given["compile"]:
        what = "--compile" if given["compile"] else f"--device {given['device']}"
        raise UsageError(f"{what} is for the other side, python -m torch_impl.char_lm; NumPy computes on the CPU as it is")
    return LanguageModel(symbols, config["embedding"], config["size"], config["layers"], cell=config["cell"],
                         dropout=config["dropout"], tied=config["tied"], dtype=np.dtype(dtype), rng=rng,
                         engine=given["engine"])


def logits(model: LanguageModel, tokens: Array, state: State | None) -> tuple[Array, State]:
    z, state = model.logits(tokens, state)
    return z.astype(np.float64), state


BACKEND = Backend("reference", ("fast", "definition"), model, optim.OPTIMIZERS, loop.train, loop.evaluate,
               checkpoint.restore, logits, init.initialise)
