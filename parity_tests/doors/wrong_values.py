"""What a person gives by mistake: one pool for every argument, and what else is wrong where an array is wanted.

A kind of argument says which values of the pool it may take.  All others must be refused, and none may hang.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np


def objects() -> Any:
    array = np.empty(2, object)
    array[:] = [None, "abc"]
    return array


class Anything:
    """Neither a number nor an array, nor can it be iterated."""

    def __repr__(self) -> str:
        return "Anything()"


POOL: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "True": lambda: True,
    "-1": lambda: -1,
    "0": lambda: 0,
    "2": lambda: 2,
    "2**31": lambda: 2**31,
    "2**63": lambda: 2**63,
    "10**400": lambda: 10**400,
    "10**5000": lambda: 10**5000,
    "-10**400": lambda: -(10**400),
    "0.5": lambda: 0.5,
    "-0.5": lambda: -0.5,
    "1.5": lambda: 1.5,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "-inf": lambda: float("-inf"),
    "1j": lambda: 1j,
    "complex64": lambda: np.complex64(1),
    "'abc'": lambda: "abc",
    "''": lambda: "",
    "b'abc'": lambda: b"abc",
    "[]": lambda: [],
    "()": lambda: (),
    "(1, 2, 3)": lambda: (1, 2, 3),
    "[[1], [2, 3]]": lambda: [[1], [2, 3]],
    "['a', None]": lambda: ["a", None],
    "{}": dict,
    "{'abc': 1}": lambda: {"abc": 1},
    "set()": set,
    "slice": lambda: slice(1),
    "int": lambda: int,
    "a lambda": lambda: lambda: None,
    "a generator": lambda: (k for k in (1, 2)),
    "Anything()": Anything,
    "an empty array": lambda: np.empty(0),
    "an array of objects": objects,
    "an array of words": lambda: np.array(["a", "b"]),
    "an array of dates": lambda: np.array(["2020-01-01"], "datetime64[D]"),
    "a structured array": lambda: np.zeros(2, [("a", int), ("b", float)]),
    "a number as an array": lambda: np.array(1.5),
    "an array of four axes": lambda: np.ones((1, 1, 1, 1)),
}

NUMBERS = {"True", "-1", "0", "2", "2**31", "2**63", "0.5", "-0.5", "1.5", "nan", "inf", "-inf"}
ARRAYS = {"an empty array", "an array of four axes", "a number as an array"}
NUMERIC = NUMBERS | ARRAYS | {"1j", "complex64", "(1, 2, 3)", "[]", "()"}  # what numpy.asarray makes numbers of
FLOATS = {"0", "2", "0.5", "1.5", "2**31", "2**63"}  # finite, and not below zero

# What a kind may take; a name that ends in ? takes None too.
MAY: dict[str, set[str]] = {
    "size": {"2"},
    "size or 0": {"0", "2"},
    "count": {"2", "2**31"},  # of steps, beams, epochs: any whole number from 1
    "count or 0": {"0", "2", "2**31"},
    "whole": {"-1", "0", "2", "2**31"},
    "index": {"-1", "0", "2"},
    "token": {"0", "2"},
    "flag": {"True"},
    "probability": {"0", "0.5"},
    "share": {"0.5"},
    "above 0": {"2", "0.5", "1.5", "2**31", "2**63", "inf"},
    "at least 1": {"2", "1.5", "2**31", "2**63", "inf"},
    "0 or more": FLOATS | {"inf"},
    "finite, 0 or more": FLOATS,
    "number": NUMBERS,
    "real": FLOATS | {"-1", "-0.5"},
    "word": set(),
    "dtype": {"None"},
    "generator": set(),
    "function": set(),
    "array": set(),
    "numbers": NUMERIC,
    "padded": set(),  # an array whose sizes may be others
    "packed": set(),
    "batch": set(),
    "mapping": set(),
    "arrays by name": {"{}"},
    "carried": {"{}"},
    "arrays to look through": {"{}", "{'abc': 1}"},
    "batches": {"()", "[]", "an empty array"},
    "list": {"[]", "()", "{}", "set()", "''"},  # nothing at all may do, or be refused
    "sequences": {"[]", "()", "[[1], [2, 3]]", "an array of four axes"},
    "symbols": {"'abc'", "''", "[]", "()", "{}", "{'abc': 1}", "set()", "an empty array", "an array of words"},
    "items": {name for name in POOL if name.startswith(("[", "(", "{", "'", "b'", "an array", "an empty", "a gen", "set"))},
    "tokens": {"(1, 2, 3)", "a generator", "[]", "()", "''", "{}", "set()", "an empty array"},
    "lengths": {"[]", "()", "(1, 2, 3)"},
    "shape": {"()", "[]", "(1, 2, 3)"},
    "scheme": set(),
    "quantiles": {"()", "[]", "None", "''", "{}", "set()", "an empty array"},
    "betas": set(),
    "object": set(),
    "path": {"''", "'abc'"},
    "places": {"()", "[]", "an empty array"},
    "torch's": set(POOL),  # what torch makes of it, but for what hangs
    "anything": set(POOL),
}


# Kinds that are right or wrong whatever the other arguments are: the sentence must speak of them.
ALONE = {"whole", "probability", "share", "above 0", "at least 1", "0 or more", "finite, 0 or more", "real", "word", "dtype",
         "generator", "function", "path"}  # fmt: skip
# Kinds whose arrays, or lists, may have other sizes.
ANY_SIZE = {"numbers", "padded", "lengths", "sequences", "symbols", "items", "tokens", "shape", "arrays by name", "batches",
            "arrays to look through", "anything"}  # fmt: skip


FEW = ("None", "2**63", "[[1], [2, 3]]", "an array of objects")  # in what holds several, where not all are asked for


def wrong(kind: str, right: Any, all_of: bool = False) -> Iterator[tuple[str, Any, bool]]:
    """(what it is, the value, whether it may be taken) for an argument of a kind whose right value is this."""
    plain = kind.removesuffix("?")
    may = MAY[plain] | ({"None"} if kind.endswith("?") else set())
    callables = {"a lambda", "int"} if plain in ("function", "scheme") else set()  # what they raise is their author's affair
    pool = FEW if plain == "anything" and not all_of else POOL
    yield from ((name, POOL[name](), name in may) for name in pool if name not in callables)
    yield from ((name, value, may or plain in ANY_SIZE) for name, value, may in spoiled(right, POOL if all_of else FEW))


def spoiled(right: Any, pool: Iterable[str]) -> Iterator[tuple[str, Any, bool]]:
    """A right array, or what holds arrays, with one thing wrong; what it holds may be right although it is another."""
    if isinstance(right, np.ndarray):
        yield from ((name, value, False) for name, value in spoiled_array(right))
    elif isinstance(right, dict):
        for k, part in right.items():
            yield f"without {k!r}", {name: v for name, v in right.items() if name != k}, False
            yield from ((f"{name} for {k!r}", right | {k: value}, True) for name, value in parts(part, pool))
        yield "one more", right | {"more": next(iter(right.values()))}, False
    elif hasattr(right, "_fields"):
        for field, part in right._asdict().items():
            yield from ((f"{name} for {field}", right._replace(**{field: value}), True) for name, value in parts(part, pool))
    elif isinstance(right, (tuple, list)) and right:
        yield "one too many", type(right)([*right, right[-1]]), False
        yield "one too few", right[:-1], False
        yield from ((f"{name} first", type(right)([value, *right[1:]]), True) for name, value in parts(right[0], pool))


def parts(right: Any, pool: Iterable[str]) -> list[tuple[str, Any]]:
    """What may stand where an array or a tuple of arrays should."""
    return [(name, POOL[name]()) for name in pool] + [(name, value) for name, value, _ in spoiled(right, pool)]


def spoiled_array(right: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Other axes, sizes and dtypes."""
    yield "an axis more", right[None]
    for axis, size in enumerate(right.shape):
        yield f"axis {axis} longer", np.concatenate([right, right], axis)
        yield f"axis {axis} empty", right.take([], axis)
        if size > 2:
            yield f"axis {axis} shorter", right.take(range(size - 1), axis)
    for dtype in ("complex128", "float16", "longdouble", "object", "U3"):
        if dtype != str(right.dtype):
            yield f"as {dtype}", right.astype(dtype)
