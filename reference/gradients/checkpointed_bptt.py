"""Checkpointed BPTT over any cell: keep few states, compute the rest again.  Derivation: notes/gradients/checkpointed_bptt.md

    forward   keeps the state at the start of each segment and forgets all else             (CB1)
    backward  takes the segments from the last to the first: runs each forward once more
              from its kept state, then backward, and forgets it                            (CB2)

A segment is √(T/6) steps if nothing is said, where T/k states and k steps of a backward take least.
The idea is that of Griewank (1992) and Chen et al. (2016).  CB2 has no star: it *is* an adjoint.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..cells.stack import Cached, Option, Params, Room, State, add
from ..common.arrays import Array
from ..common.checks import flag, positive_int

Upstream = Callable[[slice, Array], Array]


class Cache(NamedTuple):
    room: Room
    p: Params
    x: Array                # (T, B, I)
    states: list[State]     # in which each segment starts
    segment: int
    caches: list[Cached]    # of each segment if recompute=False, else empty
    options: dict[str, Option]


def forward(room: Room, p: Params, x: Array, s: State, segment: int | None = None, outputs: bool = True, recompute: bool = True,
            **options: Option) -> tuple[Array | None, State, Cache]:
    """x (T, B, I), State  ->  y (T, B, P), State, Cache

    outputs    False returns None for y, which would be longer than all that is kept
    recompute  False keeps every Cache: plain BPTT over the same segments
    """
    flag("outputs", outputs), flag("recompute", recompute)
    segment = least_memory(len(x)) if segment is None else positive_int("segment", segment)
    ys, states, caches = [], [], []
    for start in range(0, len(x), segment):
        states.append(s)
        y, s, cache = room.forward(p, x[start : start + segment], s, **options)             # CB1
        s = type(s)(*(v.copy() for v in s))                                                 # not a view of the Cache
        ys += [y] if outputs else []
        caches += [] if recompute else [cache]
    return np.concatenate(ys) if outputs else None, s, Cache(room, p, x, states, segment, caches, options)


def backward(dy: Array | Upstream, ds_n: State, k: Cache) -> tuple[Params, Array, State]:
    """The adjoint of forward: d(outputs), Cache  ->  dp, dx, ds_0

    dy  (T, B, P), or a function (steps: slice, y of those steps) -> dy of those steps, for a loss that is a sum over
        steps: then no array of T outputs exists
    """
    dp, ds, dx = None, ds_n, np.empty_like(k.x)
    for n in reversed(range(len(k.states))):
        steps = slice(n * k.segment, (n + 1) * k.segment)
        cache = k.caches[n] if k.caches else k.room.forward(k.p, k.x[steps], k.states[n], **k.options)[2]  # CB2
        d, dx[steps], ds = k.room.backward(dy(steps, cache.h[1:]) if callable(dy) else dy[steps], ds, cache)  # CB2
        dp = d if dp is None else add(dp, d)
        ds = type(ds)(*(v.copy() for v in ds))
        del cache                                                                           # before there is the next one
    return dp, dx, ds


def least_memory(T: int) -> int:
    """Steps of a segment.  In its backward a step holds as much as three states of an RNN, six of an LSTM, twelve of a GRU."""
    return max(math.isqrt(T // 6), 1)
