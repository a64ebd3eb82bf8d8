"""Checks of sequences of different lengths: their lengths, what fills them up, in which order they lie."""

from contextlib import suppress
from typing import Any

import numpy as np

from ..arrays import Array
from .arrays import given, numbers, tensor
from .scalars import shown, whole


def increases(n: Array) -> bool:
    """Whether a number is above the one before it; compared, because a difference of unsigned numbers wraps around."""
    return bool((n[1:] > n[:-1]).any())


def lengths(value: Any, T: int, B: int, enforce_sorted: bool = False, least: int = 1) -> Array:
    """(B,) whole numbers from ``least`` to T, decreasing if that is asked for.  RuntimeError, TypeError, ValueError."""
    n = tensor("lengths", value)
    if n.ndim != 1:
        raise RuntimeError(f"lengths must be 1-D, got {n.ndim}-D")
    if n.size and n.dtype.kind not in "iu":
        raise ValueError(f"lengths must be integers, got dtype {n.dtype}")
    if len(n) != B:
        raise RuntimeError(f"lengths must have one entry for each of the {B} sequences, got {len(n)}")
    if (n < least).any():
        raise RuntimeError(f"lengths must all be at least {least}, got {n.min()}")
    if (n > T).any():
        raise ValueError(f"lengths must not exceed the {T} steps of the input, got {n.max()}")
    if enforce_sorted and increases(n):
        raise RuntimeError(
            "lengths must be in decreasing order when enforce_sorted is True; pass enforce_sorted=False to have them sorted"
        )
    return n.astype(np.int64)


def sequences(value: Any) -> list[Array]:
    """Arrays (T_b, *) of numbers, of any lengths.  TypeError, RuntimeError."""
    if not np.iterable(value):
        raise TypeError(f"sequences must be a list of arrays, got {type(value).__name__}")
    arrays = [numbers(f"sequences[{b}]", s) for b, s in enumerate(value)]
    if not arrays:
        raise RuntimeError("sequences must not be empty")
    feature = arrays[0].shape[1:]
    for s in arrays:
        if s.ndim == 0 or s.shape[1:] != feature:
            raise RuntimeError(f"sequences must all be (T, {', '.join(map(str, feature))}), got shape {s.shape}")
    return arrays


def padding(value: object, kind: np.dtype) -> np.generic:
    """What fills up an array of this dtype.  TypeError: no number, or one that the dtype does not have."""
    imaginary = isinstance(value, (complex, np.complexfloating)) and kind.kind != "c"
    if isinstance(value, (int, float, complex, np.number)) and not imaginary:
        with suppress(OverflowError, ValueError):  # NaN as a whole number
            return kind.type(value)
    raise TypeError(f"padding_value must be a number of dtype {kind}, got {shown(value)}")


def total(longest: int, total_length: object) -> int:
    """TypeError, ValueError: it is shorter than the longest sequence."""
    n = whole("total_length", total_length)
    if n < longest:
        raise ValueError(f"total_length must be at least the longest length, {longest}, got {n}")
    return n


def side(padding_side: object) -> str:
    """RuntimeError, as in torch."""
    if not isinstance(padding_side, str) or padding_side not in ("right", "left"):
        raise RuntimeError(f"padding_side must be 'right' or 'left', got {shown(padding_side)}")
    return padding_side


def permutation(name: str, value: object, B: int) -> Array | None:
    """A copy of the indices, or None.  TypeError, ValueError: they are no permutation of B sequences."""
    if value is None:
        return None
    indices = given(name, value)
    if indices.dtype.kind not in "iu" or indices.ndim != 1 or not np.array_equal(np.sort(indices), np.arange(B)):
        raise ValueError(f"{name} must be a permutation of the {B} sequences, got {shown(value)}")
    return indices.copy()
