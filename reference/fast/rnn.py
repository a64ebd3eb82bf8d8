"""The Elman RNN written for speed: the verbs of ``reference.rnn``, held to it by the parity suite.

- The input product of all steps is one GEMM into the state array: a step finds it where it puts the state.
- A step is three calls that write in place: product, sum, nonlinearity straight into the state array.
- The slope 1 - h² of all steps is computed before the loop backwards starts, in the array that the deltas then fill.
- One sequence alone (B = 1) has no batch axis: a product of a matrix and a vector is called with less overhead.
"""

from typing import NamedTuple

import numpy as np

from ..memory import empty
from ..ops import Array, product, rows, stacked
from ..rnn import GATES, Params, State, step_backward, step_forward
from .packed import run_backward, run_forward, run_inference
from .weights import transposed

__all__ = ["GATES", "Cache", "Params", "State", "backward", "forward", "run_backward", "run_forward", "run_inference",
           "step_backward", "step_forward"]


class Weights(NamedTuple):
    """What forward reads of the Params; it is not kept for the backward."""

    p: Params
    W_hh: Array  # (H, H)   transposed
    b: Array     # (H,)


class Cache(NamedTuple):
    p: Params
    x: Array           # (T, B, I)
    h: Array           # (T+1, B, H)
    nonlinearity: str


def prepare(p):
    """Params  ->  Weights"""
    return Weights(p, transposed(p.W_hh), p.b_ih + p.b_hh)


def forward(p, x, s, nonlinearity="tanh"):
    """Params or Weights, x (T, B, I), State  ->  y (T, B, H), State, Cache"""
    w = p if isinstance(p, Weights) else prepare(p)
    (T, B, _), W, H = x.shape, w.W_hh, len(w.b)
    h = empty((T + 1, B, H), x.dtype)
    h[0] = s.h
    np.matmul(rows(x), w.p.W_ih.T, rows(h[1:]))                             # R1, all T at once
    h[1:] += w.b
    lead = (H,) if B == 1 else (B, H)
    z, times = empty(lead, x.dtype), product(B == 1)
    before = h[0].reshape(lead)
    for after in h[1:].reshape(T, *lead):
        times(before, W, z)
        np.add(z, after, z)                                                 # R1
        if nonlinearity == "tanh":
            np.tanh(z, after)                                               # R2
        else:
            np.maximum(z, 0, out=after)                                     # R2
        before = after
    return h[1:], State(h[T]), Cache(w.p, x, h, nonlinearity)


def backward(dy, ds, k):
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    *found, ds = deltas(dy, ds, k)
    dp, dx = gradients([found], [k])
    return dp, dx.reshape(k.x.shape), ds


def deltas(dy, ds, k):
    """The time loop  ->  da (T·B, H), State"""
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
        times(d, W, dh)                                                     # R1*
        if t:
            np.add(dh, upstream[t - 1], dh)
    return rows(da), State(dh.reshape(B, H))


def gradients(found, caches):
    """What deltas found in each of some blocks of steps  ->  Params, dx (rows, I): one product each, R1*"""
    A, h = stacked([da for da, in found]), stacked([rows(k.h[:-1]) for k in caches])
    x = stacked([rows(k.x) for k in caches])
    dx = empty(x.shape, A.dtype)
    np.matmul(A, caches[0].p.W_ih, dx)
    db = A.sum(0)
    return Params(A.T @ x, A.T @ h, db, db.copy()), dx
