"""Checks of arrays, of tokens and of states."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Array, as_array
from .scalars import positive_or_zero, shown


def given(name: str, value: object) -> Array:
    """value as an array.  TypeError: NumPy makes none of it, of lists of different lengths for instance."""
    if type(value) is np.ndarray:
        return value
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError, OverflowError) as e:
        raise TypeError(f"{name} must be an array of numbers, got {type(value).__name__}") from e


def numbers(name: str, value: object, kinds: str = "biufc") -> Array:
    """value as an array of numbers or booleans.  TypeError."""
    x = given(name, value)
    if x.dtype.kind not in kinds:
        raise TypeError(f"{name} must be an array of numbers, got {getattr(value, 'dtype', type(value).__name__)}")
    return x


def array(name: str, value: object, shape: tuple, kind: np.dtype, error: type[Exception] = RuntimeError) -> Array:
    """value as an array, of exactly this shape and dtype."""
    x = given(name, value)
    if x.shape != shape:
        raise error(f"{name} must have shape {shape}, got {x.shape}")
    if x.dtype != kind:
        raise error(f"{name} must have dtype {kind}, that of the weights, got {x.dtype}")
    return x


def rank(name: str, value: object, unbatched: int) -> Array:
    """value as an array of so many axes, or with one more for the batch.  ValueError."""
    x = given(name, value)
    if x.ndim not in (unbatched, unbatched + 1):
        raise ValueError(f"{name} must be {unbatched}-D (unbatched) or {unbatched + 1}-D, got {x.ndim}-D")
    return x


def features(name: str, value: object, size: int, kind: np.dtype) -> Array:
    """value as an array of this dtype whose last axis has this size."""
    x = given(name, value)
    if x.ndim == 0 or x.shape[-1] != size:
        raise RuntimeError(f"{name} must have {size} features on its last axis, got shape {x.shape}")
    return array(name, x, x.shape, kind)


def tokens(name: str, value: object, count: int) -> Array:
    """A copy of value as whole numbers from 0 to below count.  A negative one would count from the end in NumPy."""
    ids = given(name, value).copy()
    if ids.dtype.kind not in "iu":
        raise RuntimeError(f"{name} must be whole numbers, got {ids.dtype}")
    outside = ids[(ids < 0) | (ids >= count)]
    if outside.size:
        raise IndexError(f"{name} must be from 0 to below {count}, got {outside[0]}")
    return ids


def token(name: str, value: object, count: int) -> int:
    """One token, a whole number from 0 to below count.  TypeError, ValueError, IndexError."""
    n = positive_or_zero(name, value)
    if n >= count:
        raise IndexError(f"{name} must be from 0 to below {count}, got {shown(value)}")
    return n


def logits(name: str, value: object) -> Array:
    """value as floating-point numbers, classes on the last axis.  TypeError, RuntimeError."""
    z = numbers(name, value, "fc")
    if z.ndim == 0 or not z.shape[-1]:
        raise RuntimeError(f"{name} must have classes on the last axis, got shape {z.shape}")
    return z


def spread(name: str, value: object, like: Array) -> Array:
    """Real numbers in the dtype of another array, to whose shape they broadcast.  TypeError, RuntimeError."""
    x = numbers(name, value, "biuf")
    if x.ndim > like.ndim or any(size not in (1, full) for size, full in zip(x.shape[::-1], like.shape[::-1], strict=False)):
        raise RuntimeError(f"{name} must broadcast to shape {like.shape}, got {x.shape}")
    return x.astype(like.real.dtype)


def matrix(name: str, value: object) -> Array:
    """value as a 2-D array with at least one row."""
    x = given(name, value)
    if x.ndim != 2 or not len(x):
        raise ValueError(f"{name} must be 2-D with at least one row, got shape {x.shape}")
    return x


def mask(name: str, value: object, shape: tuple) -> Array:
    """A copy of value, of exactly this shape, boolean."""
    x = given(name, value).copy()
    if x.shape != shape:
        raise RuntimeError(f"{name} must have shape {shape}, got {x.shape}")
    if x.dtype != bool:
        raise RuntimeError(f"{name} must be boolean, got {x.dtype}")
    return x


def quantiles(name: str, value: ArrayLike) -> tuple[float, ...]:
    """Numbers that rise from above 0 to below 1, at least one.  TypeError, ValueError."""
    q = numbers(name, value, "iuf")
    if q.ndim != 1 or not q.size or not (np.diff(q, prepend=0, append=1) > 0).all():
        raise ValueError(f"{name} must rise from above 0 to below 1, got {shown(value)}")
    return tuple(q.tolist())


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
    got = type(value).__name__ if several is None else f"{type(value).__name__} of {len(several)}"
    if len(shapes) == 1:
        if several is not None:
            raise TypeError(f"{name} must be one array, got a {got}")
        return (one(name, value, shapes[0]),)
    if several is None or len(several) != len(shapes):
        raise TypeError(f"{name} must be a pair of arrays, got {got}")
    return tuple(one(f"{name}[{k}]", v, shape) for k, (v, shape) in enumerate(zip(several, shapes, strict=True)))


def mapping(name: str, value: object) -> Mapping[str, Any]:
    """Something by name.  TypeError."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a mapping, got {type(value).__name__}")
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"{name} must be a mapping of names, got {shown(key)} for one")
    return value


def floats(name: str, arrays: object, write: bool = False) -> Mapping[str, Array]:
    """Arrays of floating-point numbers by name, which can be changed if asked for.  TypeError, ValueError."""
    held = mapping(name, arrays)
    for key, v in held.items():
        if not isinstance(v, np.ndarray) or v.dtype.kind not in "fc":
            got = getattr(v, "dtype", type(v).__name__)
            raise TypeError(f"{name}[{key!r}] must be an array of floating-point numbers, got {got}")
        if write and not v.flags.writeable:
            raise ValueError(f"{name}[{key!r}] must be an array that can be changed, got one that is read-only")
    return held


def state_dict(arrays: Mapping[str, Any], shapes: Mapping[str, tuple], kind: np.dtype) -> dict[str, Array]:
    """Arrays of the right names and shapes, copied and cast to ``kind``; torch tensors are read."""
    mapping("state_dict", arrays)
    astray = {"missing": [k for k in shapes if k not in arrays], "unexpected": [k for k in arrays if k not in shapes]}
    if any(astray.values()):
        reasons = [f"{what} {', '.join(map(repr, keys))}" for what, keys in astray.items() if keys]
        raise RuntimeError(f"state_dict does not fit: {'; '.join(reasons)}")
    values = {k: tensor(f"state_dict[{k!r}]", v) for k, v in arrays.items()}
    for k, shape in shapes.items():
        if values[k].shape != shape:
            raise RuntimeError(f"state_dict[{k!r}] must have shape {shape}, got {values[k].shape}")
        if not np.can_cast(values[k].dtype, kind, "same_kind"):
            raise RuntimeError(f"state_dict[{k!r}] must be castable to {kind}, got {values[k].dtype}")
    with np.errstate(over="ignore"):  # as in torch, what is too large for a narrower dtype becomes inf
        return {k: values[k].astype(kind) for k in shapes}


def tensor(name: str, value: object) -> Array:
    """An array, or a tensor of whatever device, as an array.  TypeError."""
    return given(name, as_array(value) if hasattr(value, "detach") else value)
