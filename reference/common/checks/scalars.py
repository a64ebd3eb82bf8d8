"""Checks of single numbers, and of how much memory they ask for."""

import math
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

SHOWN = 60  # characters of a value in a sentence
BITS = 1000  # of a number that is written out; Python writes none of more than 4300 digits
MOST = 2**63
ARRAY = 256  # bytes of an array besides its numbers, and of its name


def memory() -> int:
    """Bytes of this machine's memory; where the system does not say, more than there is."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 2**50


MEMORY = memory()


def shown(value: object) -> str:
    """A value as a sentence shows it: on one line, and not whole if it is long"""
    if isinstance(value, int) and value.bit_length() > BITS:
        return f"a number of some {int(value.bit_length() * math.log10(2))} digits"
    try:
        text = " ".join((str if isinstance(value, np.ndarray) else repr)(value).split())
    except ValueError:  # a number within it that Python does not write
        text = object.__repr__(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}...{text[-SHOWN // 4 :]}"


def whole(name: str, value: object, wanted: str = "an int") -> int:
    """A whole number, of Python or NumPy.  TypeError; ValueError: it has more than 64 bits, which NumPy has not."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be {wanted}, got {type(value).__name__}")
    n = int(value)
    if not -MOST <= n < MOST:
        raise ValueError(f"{name} must be an int of 64 bits, got {shown(n)}")
    return n


def is_real(value: object) -> bool:
    """Whether it is a real number, and not one of True and False."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def flag(name: str, value: object) -> bool:
    """True or False, and nothing that would merely count as one, as the word "False" counts as True.  TypeError."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {shown(value)}")
    return value


def positive_int(name: str, value: object) -> int:
    """A whole number from 1.  TypeError, ValueError."""
    n = whole(name, value)
    if n <= 0:
        raise ValueError(f"{name} must be greater than zero, got {shown(value)}")
    return n


def positive_or_zero(name: str, value: object) -> int:
    """A whole number from 0.  TypeError, ValueError."""
    n = whole(name, value)
    if n < 0:
        raise ValueError(f"{name} must not be below zero, got {shown(value)}")
    return n


def sizes(**named: object) -> tuple[int, ...]:
    """Whole numbers from 1, each under its name.  TypeError, ValueError."""
    return tuple(positive_int(name, value) for name, value in named.items())


def fits(sizes: Mapping[str, object], numbers: int, kind: np.dtype, arrays: int = 1) -> None:
    """ValueError: so many numbers in so many arrays take more than this machine's memory; ``sizes`` is what asks for them.

    Before anything is allocated, which would end the process here, or let it wait for hours.
    """
    if numbers * kind.itemsize + arrays * ARRAY > MEMORY:
        asked = ", ".join(f"{name} {shown(size)}" for name, size in sizes.items())
        raise ValueError(f"{asked}: more than the {MEMORY / 2**30:.0f} GiB of memory that this machine has")


def shape(name: str, value: object) -> tuple[int, ...]:
    """The sizes of an array that can be allocated.  TypeError, ValueError."""
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{name} must be a tuple of sizes, got {type(value).__name__}")
    sizes = tuple(positive_or_zero(f"{name}[{k}]", size) for k, size in enumerate(value))
    fits({name: sizes}, math.prod(sizes), np.dtype(np.float64))
    return sizes


def part(name: str, value: object, count: int) -> int:
    """The count-th part of a positive int."""
    n = positive_int(name, value)
    if n % count:
        raise ValueError(f"{name} must be a multiple of {count}, got {shown(value)}")
    return n // count


def index(name: str, value: object, count: int) -> int | None:
    """None, or a position from -count to below count, counted from the start."""
    if value is None:
        return None
    n = whole(name, value, "an int or None")
    if not -count <= n < count:
        raise ValueError(f"{name} must be from {-count} to below {count}, got {shown(value)}")
    return n % count


def projection(proj_size: object, hidden_size: int) -> int:
    """The width of an LSTM's projection, 0 for none.  TypeError, ValueError."""
    n = whole("proj_size", proj_size)
    if not 0 <= n < hidden_size:
        raise ValueError(f"proj_size must be from 0 (none) to below hidden_size, {hidden_size}, got {shown(proj_size)}")
    return n


def _number(right: Callable[[float], bool], wanted: str) -> Callable[[str, object], float]:
    """The check of a real number: name, value  ->  the number.  ValueError."""

    def check(name: str, value: object) -> float:
        number = math.nan
        if is_real(value):
            with suppress(OverflowError):  # a whole number that no float can hold
                number = float(value)  # type: ignore[arg-type]
        if not right(number):
            raise ValueError(f"{name} must be {wanted}, got {shown(value)}")
        return number

    return check


probability = _number(lambda v: 0 <= v <= 1, "a number from 0 to 1")
fraction = _number(lambda v: 0 < v <= 1, "a number above 0, at most 1")
positive = _number(lambda v: v > 0, "a number above 0")
at_least_one = _number(lambda v: v >= 1, "a number, at least 1")
at_least_zero = _number(lambda v: 0 <= v < math.inf, "a number, at least 0")
zero_or_more = _number(lambda v: v >= 0, "0 or more")  # or inf
finite = _number(math.isfinite, "a finite number")


def real(name: str, value: Any) -> Any:
    """The value, which must be a real number; infinity and NaN are.  TypeError."""
    if not is_real(value) or (isinstance(value, int) and not -MOST <= value < MOST):
        raise TypeError(f"{name} must be a number, got {shown(value)}")
    return value


def clipping(max_norm: float | None, norm_type: float, clip_value: float | None) -> None:
    """ValueError before the first step: a negative bound would turn every gradient round."""
    positive("norm_type", norm_type)
    for name, value in (("max_norm", max_norm), ("clip_value", clip_value)):
        if value is not None:
            zero_or_more(name, value)
