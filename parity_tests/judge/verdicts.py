"""Verdicts on named tensors, and on what a call may not do: what layers and rooms are judged by alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from .oracle import Tensors, Truth
from .tolerance import Verdict, judge

# What tensors of 16 bits may come back as: NumPy has no bfloat16.
RETURNED: dict[str, tuple[str, ...]] = {"bfloat16": ("float32",), "float16": ("float16", "float32")}


def compare(
    results: Tensors,
    truth: Truth,
    dtype: str,
    optional: Sequence[str] = (),
    steps: Callable[[str], int | None] = lambda name: None,
    precision: str = "",
) -> Iterator[Verdict]:
    """A verdict on each tensor of the oracle, and against each that it does not have.

    ``precision`` is that of the computation, if it is not that of the dtype.  ``optional`` need not be there; ``steps``
    tells the time axis, if there is one; dx is computed last step first.
    """
    for name in results.keys() - truth.oracle.keys():
        yield refused(name, "unexpected", "is neither an output nor a gradient that this case has")
    for name, exact in truth.oracle.items():
        if name not in results:
            if name not in optional:
                yield refused(name, "missing", "was not returned")
        elif (given := np.asarray(results[name]).dtype) not in RETURNED.get(dtype, (dtype,)):
            yield refused(name, "dtype", f"{given} for {dtype}")
        else:
            baselines, moved = [b[name] for b in truth.baselines], partial(_named, name, truth)
            yield judge(name, results[name], baselines, exact, precision or dtype, steps(name), name == "dx", moved)


def _named(name: str, truth: Truth) -> list[np.ndarray]:
    return [tensors[name] for tensors in truth.moved()]


def written_to(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[Verdict]:
    """A verdict against each argument that is not what it was."""
    for name, value in before.items():
        if not same(value, after[name]):
            yield refused(name, "changed", "was written to; arguments must be left as they are")


def same(a: Any, b: Any) -> bool:
    """Whether two nests of arrays hold the same numbers."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (tuple, list)):
        return all(map(same, a, b))
    return a is b or np.array_equal(a, b, equal_nan=True)


def refused(tensor: str, why: str, detail: str) -> Verdict:
    """A verdict that needs no numbers."""
    return Verdict(tensor, np.inf, 0.0, False, None, why, detail)
