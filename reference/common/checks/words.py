"""Checks of what is no number and no array: words, dtypes, generators, functions."""

import json
from collections.abc import Callable, Iterable, Mapping
from encodings import search_function
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..extras import lacking
from .scalars import shown

ENGINES = ("definition", "fast", "compiled")  # what a layer can be computed by
COMPILED = ("compiled", "numba", "threadpoolctl")  # the extra that engine "compiled" needs, and what that brings


class UsageError(ValueError):
    """What a person asked for cannot be done; the message is the one sentence that says why."""


def choice(name: str, value: object, among: Iterable[str]) -> str:
    """One of some words.  ValueError."""
    if not isinstance(value, str) or value not in among:
        raise ValueError(f"{name} must be one of {', '.join(among)}, got {shown(value)}")
    return value


def nonlinearity(value: object) -> str:
    """ValueError."""
    if not isinstance(value, str) or value not in ("tanh", "relu"):
        raise ValueError(f"nonlinearity must be 'tanh' or 'relu', got {shown(value)}")
    return value


def engine(value: object, kind: np.dtype) -> str:
    """An engine that is installed and computes in this dtype.  ValueError."""
    if not isinstance(value, str) or value not in ENGINES:
        raise ValueError(f"engine must be 'definition', 'fast' or 'compiled', got {shown(value)}")
    if value != "definition" and kind not in (np.float32, np.float64):
        raise ValueError(f"engine {value!r} computes in float32 or float64, got {kind}")
    if value == "compiled" and (sentence := lacking(*COMPILED)):
        raise ValueError(f"engine 'compiled': {sentence}")
    return value


def engines() -> tuple[str, ...]:
    """What a command can be told to compute with, first what it does if it is told nothing: compiled where that is installed"""
    return ("fast", "compiled", "definition") if lacking(*COMPILED) else ("compiled", "fast", "definition")


def generator(name: str, value: object) -> np.random.Generator:
    """The generator itself; one of unknown seed for None.  TypeError."""
    return np.random.default_rng() if value is None else source(name, value, " or None")


def source(name: str, value: object, more: str = "") -> np.random.Generator:
    """The generator itself, which must be given.  TypeError."""
    if not isinstance(value, np.random.Generator):
        raise TypeError(f"{name} must be a numpy.random.Generator{more}, got {type(value).__name__}")
    return value


def dtype(value: DTypeLike) -> np.dtype:
    """A floating or complex dtype, or what NumPy takes for one; float32 for None, as in torch.  TypeError."""
    if value is None:
        return np.dtype(np.float32)
    try:
        kind = np.dtype(value) if isinstance(value, (str, type, np.dtype)) else None
    except TypeError:
        kind = None
    if kind is None or kind.kind not in "fc":
        raise TypeError(f"dtype must be a floating or complex type, got {shown(value) if kind is None else kind}")
    return kind


def function(name: str, value: object) -> Callable[..., Any]:
    """Something that can be called.  TypeError."""
    if not callable(value):
        raise TypeError(f"{name} must be callable, got {type(value).__name__}")
    return value


def several(name: str, value: object) -> Any:
    """Something that holds several things in an order: a list, a tuple, an array.  TypeError."""
    ordered = hasattr(value, "__len__") and hasattr(value, "__getitem__") and getattr(value, "ndim", 1) > 0
    if not ordered or isinstance(value, (str, bytes, type, Mapping)):
        raise TypeError(f"{name} must be a list, got {type(value).__name__}")
    return value


def has(name: str, value: Any, *attributes: str) -> Any:
    """The value, which must have these.  TypeError."""
    for attribute in attributes:
        if not hasattr(value, attribute):
            raise TypeError(f"{name} must have {attribute!r}, which {type(value).__name__} has not")
    return value


def plain(name: str, value: Any) -> Any:
    """The value, which JSON must be able to hold.  TypeError."""
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError) as e:
        raise TypeError(f"{name} must be what JSON can hold, got {shown(value)}") from e
    return value


def place(name: str, value: object) -> str | PathLike:
    """A path.  TypeError."""
    if not isinstance(value, (str, PathLike)):
        raise TypeError(f"{name} must be a path, got {type(value).__name__}")
    return value


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
