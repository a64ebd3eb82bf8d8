"""What is done to one array of outputs to make it another, where nothing else is known: axes, order, halves, blocks."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import permutations
from typing import NamedTuple

import numpy as np

from ..common import checks
from ..common.arrays import Array
from .diagnosis import PAIR, Diagnosis, largest, search
from .readings import Reading, halves_exchanged, reverse_flipped

MOST_BLOCKS = 4


class Pair(NamedTuple):
    a: Array
    b: Array


def compare(a: Array, b: Array, tolerance: float | None = None) -> Diagnosis:
    """Which changes of ``a`` make it ``b``, at most two.

    Parameters
    ----------
    a, b : (T, B, F) ndarrays
        Two sets of outputs; any number of axes will do, the first is taken for time.
    tolerance : float; optional
        max|difference| that is allowed, as a share of max|b|; 1024 · eps of the coarser dtype if not given.

    Raises
    ------
    ValueError
        No change makes one shape the other, or a tolerance below 0.
    TypeError
        Not arrays of floating-point numbers.
    """
    a, b = checks.numbers("a", a, "fc"), checks.numbers("b", b, "fc")
    if tolerance is not None:
        checks.at_least_zero("tolerance", tolerance)
    if not a.ndim or not b.ndim:
        raise ValueError("a and b must have axes: a single number has no layout")
    eps = max(float(np.finfo(v.dtype).eps) for v in (a, b))
    allowed, wide = PAIR * eps if tolerance is None else tolerance, np.result_type(a, b)

    def measured(chosen: Sequence[Reading[Pair]]) -> tuple[float, float] | None:
        pair = Pair(a.astype(wide), b.astype(wide))
        for reading in chosen:
            pair = reading.change(pair)
        if pair.a.shape != pair.b.shape or not pair.a.size:
            return None
        error = largest(pair.a - pair.b) / (largest(pair.b) or 1.0)
        return error if error == error else np.inf, allowed

    return search(list(changes(a, b)), measured)


def change(about: str, sentence: str, of: Callable[[Array], Array]) -> Reading[Pair]:
    return Reading(about, sentence, lambda pair: pair._replace(a=of(pair.a)))


def changes(a: Array, b: Array) -> Iterator[Reading[Pair]]:
    """All that the shapes allow."""
    if a.ndim > 1:
        yield change("axes", "the first two axes are exchanged (batch and time)", lambda v: v.swapaxes(0, 1))
        yield change("axes", "the first two axes are exchanged by a reshape, which mixes the sequences", exchanged_by_reshape)
    if a.ndim != b.ndim and a.size == b.size:
        yield change("axes", f"the shape {a.shape} is {b.shape}", lambda v: v.reshape(b.shape) if v.shape == a.shape else v)
    for axis in range(min(a.ndim, 3) - 1 or 1):
        name = ("first", "second")[axis]
        yield change(f"order of axis {axis}", f"the {name} axis is reversed", partial(np.flip, axis=axis))
    if a.shape[-1] % 2 == 0 and a.ndim > 1:
        yield change("features", "the halves of the last axis are exchanged (forward and reverse)", halves_exchanged)
        flipped = "the second half of the last axis is reversed along the first (the reverse direction, last step first)"
        yield change("half", flipped, reverse_flipped)
    for n in range(3, MOST_BLOCKS + 1):
        if a.shape[-1] % n == 0 and a.ndim > 1:
            for order in list(permutations(range(n)))[1:]:
                sentence = f"{n} blocks of the last axis are in the order {' '.join(map(str, order))}"
                yield change("features", sentence, partial(blocks, order))
    yield change("sign", "the sign is changed", np.negative)
    yield Reading("step", "the second is one step later", lambda p: p._replace(a=p.a[:-1], b=p.b[1:]))
    yield Reading("step", "the second is one step earlier", lambda p: p._replace(a=p.a[1:], b=p.b[:-1]))
    if a.ndim > 1:
        for axis, what in ((1, "entries of the second axis (sequences)"), (-1, "entries of the last axis (features)")):
            yield Reading(f"matched {axis % a.ndim}", f"the {what} are in another order", partial(matched, axis))


def exchanged_by_reshape(v: Array) -> Array:
    return v.reshape(v.shape[1], v.shape[0], *v.shape[2:])


def blocks(order: Sequence[int], v: Array) -> Array:
    parts = np.split(v, len(order), -1) if v.shape[-1] % len(order) == 0 else [v]
    return np.concatenate([parts[k] for k in order], -1) if len(parts) > 1 else v


def matched(axis: int, pair: Pair) -> Pair:
    """Each entry of b beside the nearest of a; nothing changes where one would be taken twice."""
    if pair.a.shape != pair.b.shape:
        return pair
    a, b = (np.moveaxis(v, axis, 0).reshape(v.shape[axis], -1) for v in pair)
    nearest = np.array([np.abs(a - entry).max(-1).argmin() for entry in b])
    return pair._replace(a=pair.a.take(nearest, axis)) if len(set(nearest)) == len(nearest) else pair
