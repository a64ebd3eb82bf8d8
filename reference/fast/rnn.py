"""The Elman RNN written for speed: the verbs of ``reference.cells.rnn``, held to it by the parity suite.

- The input product of all steps is computed at once, into the state array: a step finds it where it puts the state.
- A step is three calls that write in place: product, sum, nonlinearity straight into the state array.
- The slope 1 - h² of all steps is computed before the loop backwards starts, in the array that the deltas then fill.
- One sequence alone (B = 1) has no batch axis: a product of a matrix and a vector is called with less overhead.
"""

from typing import NamedTuple

import numpy as np

from ..cells.rnn import GATES, Params, State, step_backward, step_forward
from ..common.arrays import Array, rows, stacked
from ..common.memory import empty
from .packed import run_backward, run_forward, run_inference
from .parts import batch, share, sharers
from .tiles import factor, factor_transposed, whole
from .weights import Weights

__all__ = ["GATES", "Cache", "Params", "State", "backward", "forward", "run_backward", "run_forward", "run_inference",
           "step_backward", "step_forward"]


class Cache(NamedTuple):
    p: Params
    x: Array           # (T, B, I)
    h: Array           # (T+1, B, H)
    nonlinearity: str


def forwards(p, in_one):
    """W_hh (H, H) as the right factor of a product, transposed; the bias (H,)"""
    return factor_transposed(p.W_hh, in_one), p.b_ih + p.b_hh


def backwards(p, in_one):
    """W_hh likewise"""
    return factor(p.W_hh, in_one)


def forward(p, x, s, nonlinearity="tanh"):
    """Params or Weights, x (T, B, I), State  ->  y (T, B, H), State, Cache"""
    w = p if isinstance(p, Weights) else Weights(p)
    (T, B, _), H = x.shape, len(w.p.b_ih)
    h, n, parts = empty((T + 1, B, H), x.dtype), sharers(T, B, H), batch(T, B, H)
    W_hh, bias = w.made(forwards, whole(parts, w.p.W_hh))
    h[0] = s.h
    np.matmul(rows(x), w.p.W_ih.T, rows(h[1:]))                             # R1, all T at once
    share(lambda part: steps(W_hh, bias, h[:, part], nonlinearity), parts, n)
    return h[1:], State(h[T]), Cache(w.p, x, h, nonlinearity)


def steps(W_hh, bias, h, nonlinearity):
    """All steps of a part of the batch: h (T+1, b, H), the first given, in the others the input product"""
    T, b, H = h.shape
    h[1:] += bias
    lead = () if b == 1 else (b,)
    wide = empty((*lead, W_hh.width), h.dtype)
    z, (times, W, at), state, zero = wide[..., :H], W_hh.into(wide), h.reshape(T, *lead, H), np.zeros((), h.dtype)
    before = state[0]
    for after in state[1:]:
        times(before, W, at)
        np.add(z, after, z)                                                 # R1
        if nonlinearity == "tanh":
            np.tanh(z, after)                                               # R2
        else:
            np.maximum(z, zero, out=after)                                  # R2
        before = after


def backward(dy, ds, k):
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    *found, ds = deltas(Weights(k.p), dy, ds, k)
    dp, dx = gradients([found], [k])
    return dp, dx.reshape(k.x.shape), ds


def deltas(w, dy, ds, k):
    """The time loop  ->  da (T·B, H), State"""
    T, B, H = dy.shape
    da, dh, parts = empty((T, B, H), dy.dtype), ds.h + dy[-1], batch(T, B, H)
    W_hh = w.made(backwards, whole(parts, w.p.W_hh))
    share(lambda part: steps_back(W_hh, dy[:, part], dh[part], k.h[1:, part], da[:, part], k.nonlinearity),
          parts, sharers(T, B, H))
    return rows(da), State(dh)


def steps_back(W_hh, dy, dh, h, da, nonlinearity):
    """All steps of a part of the batch, backwards: dh (b, H), of the last state at first, of the first at last"""
    T, b, H = dy.shape
    if nonlinearity == "tanh":
        np.multiply(h, h, da)
        np.subtract(1, da, da)
    else:
        np.less_equal(h, 0, da)
        np.subtract(1, da, da)
    lead = () if b == 1 else (b,)
    wide = empty((*lead, W_hh.width), dy.dtype)
    through, (times, W, at) = wide[..., :H], W_hh.into(wide)
    slopes, upstream = da.reshape(T, *lead, H), dy.reshape(T, *lead, H)
    through[...] = dh.reshape(*lead, H)
    for t in range(T - 1, -1, -1):
        d = slopes[t]
        np.multiply(d, through, d)                                          # R2*
        times(d, W, at)                                                            # R1*
        if t:
            np.add(through, upstream[t - 1], through)
    dh[...] = through


def gradients(found, caches):
    """What deltas found in each of some blocks of steps  ->  Params, dx (rows, I): one product each, R1*"""
    A, h = stacked([da for da, in found]), stacked([rows(k.h[:-1]) for k in caches])
    x = stacked([rows(k.x) for k in caches])
    dx = empty(x.shape, A.dtype)
    np.matmul(A, caches[0].p.W_ih, dx)
    db = A.sum(0)
    return Params(A.T @ x, A.T @ h, db, db.copy()), dx
