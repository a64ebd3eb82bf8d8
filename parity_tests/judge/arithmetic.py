"""What may differ between two right computers: how exact tanh, sigmoid and the other elementary functions are.

Each library has its own, and promises an error of so many units in the last place.  Here those of the definition are
replaced from outside, so that the definition itself knows nothing of it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any

import numpy as np

import reference  # noqa: F401, its modules are looked for among those that are loaded
from reference.common import arrays
from reference.common.arrays import Array

Function = Callable[[Array], Array]
FUNCTIONS: dict[str, Function] = {
    "sigmoid": arrays.sigmoid,
    "tanh": np.tanh,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
}
RANGES = {"sigmoid": (0, 1), "tanh": (-1, 1), "exp": (0, np.inf)}  # which no library leaves
OLD = {"sigmoid": arrays.sigmoid, "np": np}  # by the names that modules know them under
OTHERS = ("reference.fast", "reference.compiled")  # not the definition


class Numpy:
    """NumPy with some of its functions replaced."""

    def __init__(self, functions: dict[str, Function]):
        vars(self).update(functions)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


@contextmanager
def replaced(change: Callable[[str, Function], Function]) -> Iterator[None]:
    """Inside, the definition calls ``change(name, function)`` instead of each elementary function."""
    functions = {name: change(name, function) for name, function in FUNCTIONS.items()}
    news = {"sigmoid": functions.pop("sigmoid"), "np": Numpy(functions)}
    calling = [(module, name) for module in definition() for name, old in OLD.items() if vars(module).get(name) is old]
    try:
        for module, name in calling:
            setattr(module, name, news[name])
        yield
    finally:
        for module, name in calling:
            setattr(module, name, OLD[name])


def definition() -> list[ModuleType]:
    """The modules that call elementary functions; in ``arrays`` exp is part of sigmoid, which is moved as a whole."""
    named = [(name, module) for name, module in sys.modules.items() if name.startswith("reference.")]
    return [module for name, module in named if not name.startswith(OTHERS) and module is not arrays]


def libm(ulp: float, seed: int | None = None) -> AbstractContextManager[None]:
    """Inside, elementary functions are wrong by so many units in the last place: up or down at random, or, without a seed,
    all away from zero (towards it, if negative).
    """
    rng = None if seed is None else np.random.default_rng(seed)

    def change(name: str, function: Function) -> Function:
        def wrong(x: Array) -> Array:
            y = function(x)
            sign = 1 if rng is None else 2 * rng.integers(2, size=np.shape(y)) - 1
            return np.clip(y + sign * ulp * unit(y), *RANGES.get(name, (-np.inf, np.inf))).astype(y.dtype)

        return wrong

    return replaced(change)


def unit(y: Array) -> Array:
    """The unit in the last place of each number, with its sign; of 1 that of the numbers below it, which tanh gives."""
    with np.errstate(over="ignore"):  # next to infinity
        return np.spacing(np.nextafter(y, np.zeros_like(y)))
