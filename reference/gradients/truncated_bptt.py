"""Truncated BPTT over any cell: the state is carried on, its gradient is cut.  Derivation: notes/gradients/truncated_bptt.md

    a window is k1 steps, and starts from the state in which the one before it ended        (TB1)
    its outputs send their gradient back through k2 = reach · k1 steps: themselves
    and reach - 1 windows before them                                                       (TB2)
    what arrives at the state before those is dropped, unless that is the initial state     (TB3)

reach = 1 is the plain form, k1 = k2.  Where reach · k1 >= T nothing is dropped: full BPTT.
TB1* labels the adjoint of TB1.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..cells.stack import Cached, Option, Params, Room, State, add
from ..common.arrays import Array, stacked
from ..common.checks import positive_int


class Cache(NamedTuple):
    room: Room
    caches: list[Cached]  # of each window


def windows(room: Room, p: Params, x: Array, s: State, window: int,
            **options: Option) -> Iterator[tuple[Array, State, Cached]]:
    """x (T, B, I), State  ->  of one window after the other: y, the State it ends in, the room's Cache"""
    for start in range(0, len(x), positive_int("window", window)):
        y, s, cache = room.forward(p, x[start : start + window], s, **options)              # TB1
        yield y, s, cache


def forward(room: Room, p: Params, x: Array, s: State, window: int, **options: Option) -> tuple[Array, State, Cache]:
    """x (T, B, I), State  ->  y (T, B, P), State, Cache; all but the Cache as the room's forward has it"""
    y, states, caches = zip(*windows(room, p, x, s, window, **options), strict=True)
    return np.concatenate(y), states[-1], Cache(room, list(caches))


def backward(dy: Array, ds_n: State, k: Cache, reach: int = 1) -> tuple[Params, Array, State]:
    """d(outputs), Cache  ->  dp, dx, ds_0: the room's, less what does not come from within reach"""
    reach = positive_int("reach", reach)
    lengths = [len(c.x) for c in k.caches]
    dys = np.split(dy, np.cumsum(lengths)[:-1])
    nothing = type(ds_n)(*map(np.zeros_like, ds_n))
    dp, dx, ds_0 = None, [np.zeros_like(c.x) for c in k.caches], nothing
    for n in reversed(range(len(dys))):
        d, ds = dys[n], ds_n if n == len(dys) - 1 else nothing
        for m in reversed(range(max(n - reach + 1, 0), n + 1)):                             # TB2
            dp_m, dx_m, ds = k.room.backward(d, ds, k.caches[m])                            # TB1*
            dp = dp_m if dp is None else add(dp, dp_m)
            dx[m] += dx_m
            d = np.zeros_like(dys[m - 1])
        if n < reach:
            ds_0 = add(ds_0, ds)                                                            # TB3
    return dp, stacked(dx), ds_0
