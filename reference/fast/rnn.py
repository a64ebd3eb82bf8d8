"""The Elman RNN written for speed: the verbs of ``reference.rnn``, held to it by the parity suite.

- The input product of all steps is one GEMM, the bias of both kinds in it.
- A step is three calls that write in place: product, sum, nonlinearity straight into the state array.
- The slope 1 - h² of all steps is computed before the loop backwards starts, in the array that the deltas then fill.
- One sequence alone (B = 1) has no batch axis: a product of a matrix and a vector is called with less overhead.
"""

from typing import NamedTuple

import numpy as np

from ..memory import empty
from ..ops import Array, product, rows
from ..rnn import GATES, Params, State, step_backward, step_forward

__all__ = ["GATES", "Cache", "Params", "State", "backward", "forward", "step_backward", "step_forward"]


class Cache(NamedTuple):
    p: Params
    x: Array           # (T, B, I)
    h: Array           # (T+1, B, H)
    nonlinearity: str


def forward(p, x, s, nonlinearity="tanh"):
    """x (T, B, I), State  ->  y (T, B, H), State, Cache"""
    T, B, _ = x.shape
    H = len(p.W_hh)
    a = empty((T, B, H), x.dtype)
    np.matmul(rows(x), p.W_ih.T, rows(a))                                   # R1, all T at once
    a += p.b_ih + p.b_hh
    h = empty((T + 1, B, H), x.dtype)
    h[0] = s.h
    W, lead = np.ascontiguousarray(p.W_hh.T), (H,) if B == 1 else (B, H)
    z, times = empty(lead, x.dtype), product(B == 1)
    before = h[0].reshape(lead)
    for a_x, after in zip(a.reshape(T, *lead), h[1:].reshape(T, *lead), strict=True):
        times(before, W, z)
        np.add(z, a_x, z)                                                   # R1
        if nonlinearity == "tanh":
            np.tanh(z, after)                                               # R2
        else:
            np.maximum(z, 0, out=after)                                     # R2
        before = after
    return h[1:], State(h[T]), Cache(p, x, h, nonlinearity)


def backward(dy, ds, k):
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    T, B, H = dy.shape
    W, lead = k.p.W_hh, (H,) if B == 1 else (B, H)
    da = empty((T, B, H), dy.dtype)
    if k.nonlinearity == "tanh":
        np.multiply(k.h[1:], k.h[1:], da)
        np.subtract(1, da, da)
    else:
        np.less_equal(k.h[1:], 0, da)
        np.subtract(1, da, da)
    dh, times = empty(lead, dy.dtype), product(B == 1)
    np.add(ds.h.reshape(lead), dy[-1].reshape(lead), dh)
    slopes, upstream = da.reshape(T, *lead), dy.reshape(T, *lead)
    for t in range(T - 1, -1, -1):
        d = slopes[t]
        np.multiply(d, dh, d)                                               # R2*
        times(d, W, dh)                                                        # R1*
        if t:
            np.add(dh, upstream[t - 1], dh)
    A, dx = rows(da), empty(k.x.shape, dy.dtype)
    np.matmul(A, k.p.W_ih, rows(dx))                                        # R1*, all T at once
    db = A.sum(0)
    dp = Params(A.T @ rows(k.x), A.T @ rows(k.h[:-1]), db, db.copy())       # R1*, all T at once
    return dp, dx, State(dh.reshape(B, H))
