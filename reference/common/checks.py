"""What the public doors check, each with one sentence: the argument, what was expected, what was given.

The exception types are those of torch.nn where torch has one.
"""

from collections.abc import Callable, Mapping
from encodings import search_function
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .arrays import Array, as_array
from .extras import lacking

ENGINES = ("definition", "fast", "compiled")  # what a layer can be computed by
COMPILED = ("compiled", "numba", "threadpoolctl")  # the extra that engine "compiled" needs, and what that brings


class UsageError(ValueError):
    """What a person asked for cannot be done; the message is the one sentence that says why."""


def _whole(name: str, value: object, wanted: str = "an int") -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be {wanted}, got {type(value).__name__}")
    return int(value)


def flag(name: str, value: object) -> bool:
    """True or False, and nothing that would merely count as one, as the word "False" counts as True.  TypeError."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return value


def positive_int(name: str, value: object) -> int:
    """A whole number from 1.  TypeError, ValueError."""
    n = _whole(name, value)
    if n <= 0:
        raise ValueError(f"{name} must be greater than zero, got {value}")
    return n


def positive_or_zero(name: str, value: object) -> int:
    """A whole number from 0.  TypeError, ValueError."""
    n = _whole(name, value)
    if n < 0:
        raise ValueError(f"{name} must not be below zero, got {value}")
    return n


def part(name: str, value: object, count: int) -> int:
    """The count-th part of a positive int."""
    n = positive_int(name, value)
    if n % count:
        raise ValueError(f"{name} must be a multiple of {count}, got {value}")
    return n // count


def index(name: str, value: object, count: int) -> int | None:
    """None, or a position from -count to below count, counted from the start."""
    if value is None:
        return None
    n = _whole(name, value, "an int or None")
    if not -count <= n < count:
        raise ValueError(f"{name} must be from {-count} to below {count}, got {value}")
    return n % count


def projection(proj_size: object, hidden_size: int) -> int:
    """The width of an LSTM's projection, 0 for none.  TypeError, ValueError."""
    n = _whole("proj_size", proj_size)
    if not 0 <= n < hidden_size:
        raise ValueError(f"proj_size must be from 0 (none) to below hidden_size, {hidden_size}, got {proj_size}")
    return n


def _number(right: Callable[[float], bool], wanted: str) -> Callable[[str, object], float]:
    """The check of a number: name, value  ->  the number.  ValueError."""

    def check(name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not right(float(value)):
            raise ValueError(f"{name} must be {wanted}, got {value!r}")
        return float(value)

    return check


probability = _number(lambda v: 0 <= v <= 1, "a number from 0 to 1")
fraction = _number(lambda v: 0 < v <= 1, "a number above 0, at most 1")
positive = _number(lambda v: v > 0, "a number above 0")
at_least_zero = _number(lambda v: 0 <= v < float("inf"), "a number, at least 0")
zero_or_more = _number(lambda v: v >= 0, "0 or more")  # or inf


def quantiles(name: str, value: ArrayLike) -> tuple[float, ...]:
    """Numbers that rise from above 0 to below 1, at least one.  ValueError."""
    q = np.asarray(value)
    if q.ndim != 1 or not q.size or not (np.diff(q, prepend=0, append=1) > 0).all():
        raise ValueError(f"{name} must rise from above 0 to below 1, got {value!r}")
    return tuple(q.tolist())


def choice(name: str, value: str, among: tuple[str, ...]) -> str:
    """One of some words.  ValueError."""
    if value not in among:
        raise ValueError(f"{name} must be one of {', '.join(among)}, got {value!r}")
    return value


def nonlinearity(value: object) -> str:
    if value not in ("tanh", "relu"):
        raise ValueError(f"nonlinearity must be 'tanh' or 'relu', got {value!r}")
    return value


def engine(value: object, kind: np.dtype) -> str:
    if value not in ENGINES:
        raise ValueError(f"engine must be 'definition', 'fast' or 'compiled', got {value!r}")
    if value != "definition" and kind not in (np.float32, np.float64):
        raise ValueError(f"engine {value!r} computes in float32 or float64, got {kind}")
    if value == "compiled" and (sentence := lacking(*COMPILED)):
        raise ValueError(f"engine 'compiled': {sentence}")
    return str(value)


def engines() -> tuple[str, ...]:
    """What a command can be told to compute with, first what it does if it is told nothing: compiled where that is installed"""
    return ("fast", "compiled", "definition") if lacking(*COMPILED) else ("compiled", "fast", "definition")


def generator(name: str, value: object) -> np.random.Generator:
    """The generator itself; one of unknown seed for None."""
    if not isinstance(value, (np.random.Generator, type(None))):
        raise TypeError(f"{name} must be a numpy.random.Generator or None, got {type(value).__name__}")
    return np.random.default_rng() if value is None else value


def dtype(value: DTypeLike) -> np.dtype:
    kind = np.dtype(value)
    if kind.kind not in "fc":
        raise TypeError(f"dtype must be a floating or complex type, got {kind}")
    return kind


def array(name: str, value: object, shape: tuple, kind: np.dtype, error: type[Exception] = RuntimeError) -> Array:
    """value as an array, of exactly this shape and dtype."""
    x = np.asarray(value)
    if x.shape != shape:
        raise error(f"{name} must have shape {shape}, got {x.shape}")
    if x.dtype != kind:
        raise error(f"{name} must have dtype {kind}, that of the weights, got {x.dtype}")
    return x


def rank(name: str, value: object, unbatched: int) -> Array:
    """value as an array of so many axes, or with one more for the batch.  ValueError."""
    x = np.asarray(value)
    if x.ndim not in (unbatched, unbatched + 1):
        raise ValueError(f"{name} must be {unbatched}-D (unbatched) or {unbatched + 1}-D, got {x.ndim}-D")
    return x


def features(name: str, value: object, size: int, kind: np.dtype) -> Array:
    """value as an array of this dtype whose last axis has this size."""
    x = np.asarray(value)
    if x.ndim == 0 or x.shape[-1] != size:
        raise RuntimeError(f"{name} must have {size} features on its last axis, got shape {x.shape}")
    return array(name, x, x.shape, kind)


def tokens(name: str, value: object, count: int) -> Array:
    """A copy of value as whole numbers from 0 to below count.  A negative one would count from the end in NumPy."""
    ids = np.array(value)
    if ids.dtype.kind not in "iu":
        raise RuntimeError(f"{name} must be whole numbers, got {ids.dtype}")
    outside = ids[(ids < 0) | (ids >= count)]
    if outside.size:
        raise IndexError(f"{name} must be from 0 to below {count}, got {outside[0]}")
    return ids


def token(name: str, value: object, count: int) -> int:
    """One token, a whole number from 0 to below count."""
    return int(tokens(name, positive_or_zero(name, value), count))


def numbers(name: str, value: object) -> Array:
    """value as an array of numbers or booleans.  TypeError."""
    try:
        x = np.asarray(value)
    except ValueError:  # lists of different lengths
        x = np.empty(0, object)
    if x.dtype.kind not in "biufc":
        raise TypeError(f"{name} must be an array of numbers, got {getattr(value, 'dtype', type(value).__name__)}")
    return x


def matrix(name: str, value: object) -> Array:
    """value as a 2-D array with at least one row."""
    x = np.asarray(value)
    if x.ndim != 2 or not len(x):
        raise ValueError(f"{name} must be 2-D with at least one row, got shape {x.shape}")
    return x


def mask(name: str, value: object, shape: tuple) -> Array:
    """A copy of value, of exactly this shape, boolean."""
    x = np.array(value)
    if x.shape != shape:
        raise RuntimeError(f"{name} must have shape {shape}, got {x.shape}")
    if x.dtype != bool:
        raise RuntimeError(f"{name} must be boolean, got {x.dtype}")
    return x


def state(
    name: str, value: object, shapes: tuple, kind: np.dtype, hint: str = "", unbatched: int | None = None
) -> tuple[Array, ...]:
    """A state or its gradient as a tuple of arrays, one for each shape; None means zeros.

    One array where the cell has one state, a pair of them where it has two.  TypeError, RuntimeError; and ValueError
    where ``unbatched`` says the rank, as torch's cells do.
    """

    def one(name: str, v: object, shape: tuple) -> Array:
        return array(name + hint, v if unbatched is None else rank(name, v, unbatched), shape, kind)

    if value is None:
        return tuple(np.zeros(shape, kind) for shape in shapes)
    several = value if isinstance(value, (tuple, list)) else None
    given = type(value).__name__ if several is None else f"{type(value).__name__} of {len(several)}"
    if len(shapes) == 1:
        if several is not None:
            raise TypeError(f"{name} must be one array, got a {given}")
        return (one(name, value, shapes[0]),)
    if several is None or len(several) != len(shapes):
        raise TypeError(f"{name} must be a pair of arrays, got {given}")
    return tuple(one(f"{name}[{k}]", v, shape) for k, (v, shape) in enumerate(zip(several, shapes, strict=True)))


def state_dict(arrays: Mapping[str, Any], shapes: Mapping[str, tuple], kind: np.dtype) -> dict[str, Array]:
    """Arrays of the right names and shapes, copied and cast to ``kind``; torch tensors are read."""
    if not isinstance(arrays, Mapping):
        raise TypeError(f"state_dict must be a mapping, got {type(arrays).__name__}")
    astray = {"missing": [k for k in shapes if k not in arrays], "unexpected": [k for k in arrays if k not in shapes]}
    if any(astray.values()):
        reasons = [f"{what} {', '.join(map(repr, keys))}" for what, keys in astray.items() if keys]
        raise RuntimeError(f"state_dict does not fit: {'; '.join(reasons)}")
    values = {k: as_array(v) for k, v in arrays.items()}
    for k, shape in shapes.items():
        if values[k].shape != shape:
            raise RuntimeError(f"state_dict[{k!r}] must have shape {shape}, got {values[k].shape}")
        if not np.can_cast(values[k].dtype, kind, "same_kind"):
            raise RuntimeError(f"state_dict[{k!r}] must be castable to {kind}, got {values[k].dtype}")
    with np.errstate(over="ignore"):  # as in torch, what is too large for a narrower dtype becomes inf
        return {k: values[k].astype(kind) for k in shapes}


def clipping(max_norm: float | None, norm_type: float, clip_value: float | None) -> None:
    """ValueError before the first step: a negative bound would turn every gradient round."""
    positive("norm_type", norm_type)
    for name, value in (("max_norm", max_norm), ("clip_value", clip_value)):
        if value is not None:
            zero_or_more(name, value)


def needs(
    folder: object, validation: object, resume: bool, *, save_every: int | None = None, patience: int | None = None, **_: object
) -> None:
    """ValueError before the first step: an option that has nothing to work on would pass in silence."""
    if folder is None and (resume or save_every is not None):
        raise ValueError(f"{'resume' if resume else 'save_every'} needs a folder")
    if validation is None and patience is not None:
        raise ValueError("patience needs validation")


def encoding(name: str) -> None:
    """UsageError if Python has no such encoding; packages register codecs that take any name."""
    if search_function(name.lower()) is None:
        raise UsageError(f"--encoding must be an encoding that Python knows, got {name!r}")
