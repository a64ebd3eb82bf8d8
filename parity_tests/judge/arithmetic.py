"""What may differ between two right computers: the precision of numbers, and how exact tanh and sigmoid are.

A precision is that of NumPy's two dtypes, or of GPUs', TF32 as one of its own.  NumPy has no bfloat16: here 16-bit numbers
are kept in float32 arrays.

Each library has its own elementary functions, and promises an error of so many units in the last place.  Those of the
definition are replaced from outside, so that the definition itself knows nothing of it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch

import reference
from reference.common import arrays
from reference.common.arrays import Array
from torch_impl.common.precision import allow_tf32


class Precision(NamedTuple):
    """What a name means."""

    dtype: str  # of the tensors, as in torch and in a Spec
    eps: float  # distance from 1 to the next number of its products
    itemsize: int  # bytes
    floor: int = 16  # of the rule, in eps; less where products are summed in more digits than their factors have

    @property
    def narrow(self) -> bool:
        """Whether NumPy does not compute in it."""
        return self.eps > 2**-20


PRECISIONS = {
    "float32": Precision("float32", 2.0**-23, 4),
    "float64": Precision("float64", 2.0**-52, 8),
    "tf32": Precision("float32", 2.0**-10, 4, 2),
    "bfloat16": Precision("bfloat16", 2.0**-7, 2, 2),
    "float16": Precision("float16", 2.0**-10, 2, 2),
}
LOW = tuple(name for name, precision in PRECISIONS.items() if precision.narrow)
MOVED_SHARE = 1 / 12  # of narrow numbers in a jittered baseline: moving all would be noisier than a rounding, of variance eps²/12


@contextmanager
def in_force(name: str) -> Iterator[None]:
    """TF32 is on inside for "tf32", and off for everything else, whatever torch's defaults are."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    allow_tf32(name == "tf32")
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before


def rounded(array: Array, name: str) -> Array:
    """Real numbers rounded to what tensors of this precision hold: in its dtype, or, if it has 16 bits, in float32."""
    precision = PRECISIONS[name]
    if precision.itemsize > 2:
        return array.astype(precision.dtype)
    return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(getattr(torch, precision.dtype)).float().numpy()


def jittered(array: Array, name: str, rng: np.random.Generator) -> Array:
    """Every number moved up or down by one rounding of this precision; if that is narrow, one in twelve."""
    eps, move = PRECISIONS[name].eps, rng.choice([-1, 1], array.shape)
    if PRECISIONS[name].narrow:
        move = move * (rng.random(array.shape) < MOVED_SHARE)
    return rounded((array * (1 + eps * move)).astype(array.dtype), name)


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
    named = [(name, module) for name, module in sys.modules.items() if name.startswith(f"{reference.__name__}.")]
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
