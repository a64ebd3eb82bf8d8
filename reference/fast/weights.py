"""Weights as a forward reads them: gates in another order, the minus of a sigmoid's exponent folded in, turned round.

One pass over the weights each: where B·T is small against H, a copy more is a good part of the whole time.  Only of small
weights two copies, in two calls, take less than one in a call for each gate.
"""

from functools import cache

import numpy as np

from ..common.arrays import Array
from ..common.memory import empty

SMALL = 1 << 13  # numbers that are copied twice sooner than with a call for each gate
TILE = 1 << 14  # numbers that are turned round together, so that the lines of the cache that they lie in stay there


@cache
def moves(given: str, order: str, negated: str) -> tuple[tuple[int, int, float], ...]:
    """(block of W, block that it becomes, factor) for each gate of ``order``"""
    return tuple((given.index(gate), k, -1.0 if gate in negated else 1.0) for k, gate in enumerate(order))


@cache
def factors(given: str, order: str, negated: str, dtype) -> Array:
    """Those of ``moves``, (gates, 1)"""
    return np.array([[factor] for _, _, factor in moves(given, order, negated)], dtype)


def folded(W: Array, given: str = " ", order: str = " ", negated: str = "", *, columns: int = 0) -> Array:
    """A copy with the blocks of rows in another order, those of the gates in ``negated`` negated; room for more columns"""
    H, I = len(W) // len(given), W.shape[1]
    out = empty((H * len(order), I + columns), W.dtype)
    for at, to, factor in moves(given, order, negated):
        np.multiply(W[H * at : H * (at + 1)], factor, out[H * to : H * (to + 1), :I])
    return out


def transposed(W: Array, given: str = " ", order: str = " ", negated: str = "", unit: int = 1) -> Array:
    """``folded(W, ...).T`` as an array of its own, each block filled up with zeros to a multiple of ``unit`` columns"""
    H, I = len(W) // len(given), W.shape[1]
    width = -(-H // unit) * unit
    out = empty((I, width * len(order)), W.dtype)
    if width > H:
        out[...] = 0
    elif W.size <= SMALL:
        blocks = W.reshape(len(given), H, I)[[at for at, _, _ in moves(given, order, negated)]].transpose(2, 0, 1)
        return np.multiply(blocks, factors(given, order, negated, W.dtype), out.reshape(blocks.shape)).reshape(out.shape)
    n = min(H, max(16, TILE // I))
    for at, to, factor in moves(given, order, negated):
        for i in range(0, H, n):
            m = min(n, H - i)
            np.multiply(W[H * at + i : H * at + i + m].T, factor, out[:, width * to + i : width * to + i + m])
    return out


class Weights:
    """Params p, and copies of them in the layouts that are asked for, each made once."""

    def __init__(self, p):
        self.p, self._made = p, {}

    def made(self, make, *given):
        """``make(p, *given)``"""
        key = make, given
        if key not in self._made:
            self._made[key] = make(self.p, *given)
        return self._made[key]
