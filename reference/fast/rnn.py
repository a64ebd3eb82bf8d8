"""The Elman RNN written for speed: the verbs of ``reference.cells.rnn``, held to it by the parity suite.

- The input products of all steps are one product, written into the state array: a step finds it where it puts the state.
- A step is three calls that write in place: product, sum, nonlinearity.
- The slope of the nonlinearity is computed for all steps before the loop backwards, in the array that the deltas then fill.
- One sequence alone has no batch axis.  In the shapes below B is then left out, but for what comes in and goes out.
"""

from typing import NamedTuple

import numpy as np

from ..cells.rnn import GATES, Params, State, step_backward, step_forward
from ..common.arrays import Array, rows, stacked
from .packed import run_backward, run_forward, run_inference
from .steps import batch_axis, transposed

__all__ = ["GATES", "Cache", "Folded", "Params", "State", "backward", "deltas", "folded", "forward", "gradients", "infer",
           "run", "run_backward", "run_forward", "run_inference", "step_backward", "step_forward"]


class Folded(NamedTuple):
    """Params as a forward multiplies by them: W_hh turned round, one bias."""

    p: Params
    W_hh: Array  # (H, H)
    b: Array     # (H,)


class Cache(NamedTuple):
    p: Params
    x: Array           # (T, B, I)
    h: Array           # (T+1, B, H)   h[t] enters step t, h[t+1] leaves it
    nonlinearity: str  # "tanh" or "relu"


def folded(p: Params) -> Folded:
    """Params  ->  Folded"""
    return Folded(p, transposed(p.W_hh), p.b_ih + p.b_hh)


def forward(p: Params, x: Array, s: State, nonlinearity: str = "tanh") -> tuple[Array, State, Cache]:
    """x (T, B, I), State  ->  y (T, B, H), State, Cache"""
    return run(folded(p), x, s, nonlinearity)


def infer(p: Params, x: Array, s: State, nonlinearity: str = "tanh") -> tuple[Array, State]:
    """x (T, B, I), State  ->  y (T, B, H), State"""
    return forward(p, x, s, nonlinearity)[:2]


def run(w: Folded, x: Array, s: State, nonlinearity: str = "tanh", keep: bool = True) -> tuple[Array, State, Cache]:
    """forward with weights that are laid out.  ``keep`` changes nothing: a step keeps only the state, which is also y."""
    (T, B, _), H, dtype = x.shape, s.h.shape[1], x.dtype
    states, a, zero = np.empty((T + 1, *batch_axis(B), H), dtype), np.empty((*batch_axis(B), H), dtype), np.array(0, dtype)
    states[0] = s.h.reshape(a.shape)
    np.matmul(rows(x), w.p.W_ih.T, rows(states[1:]))                        # R1, all T at once
    np.add(states[1:], w.b, states[1:])
    h = states[0]
    for h_next in states[1:]:                                               # it holds the input product
        h.dot(w.W_hh, a)
        np.add(a, h_next, a)                                                # R1
        if nonlinearity == "tanh":
            np.tanh(a, h_next)                                              # R2
        else:
            np.maximum(a, zero, out=h_next)                                 # R2
        h = h_next
    return states[1:].reshape(T, B, H), State(h.reshape(B, H)), Cache(w.p, x, states, nonlinearity)


def backward(dy: Array, ds: State, k: Cache) -> tuple[Params, Array, State]:
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    da, ds = deltas(dy, ds, k)
    dp, dx = gradients([(da,)], [k])
    return dp, dx.reshape(k.x.shape), ds


def deltas(dy: Array, ds: State, k: Cache) -> tuple[Array, State]:
    """The time loop of backward: dy (T, B, H), State, Cache  ->  da (T·B, H), State"""
    da_all, dh = slopes(k), ds.h.reshape(k.h.shape[1:]).copy()
    for dy_t, da in zip(dy.reshape(da_all.shape)[::-1], da_all[::-1], strict=True):
        np.add(dh, dy_t, dh)
        np.multiply(dh, da, da)                                             # R2*
        da.dot(k.p.W_hh, dh)                                                # R1*
    return rows(da_all), State(dh.reshape(ds.h.shape))


def slopes(k: Cache) -> Array:
    """The derivative of the nonlinearity at all steps, (T, B, H)"""
    h = k.h[1:]
    out = np.empty_like(h)
    if k.nonlinearity == "tanh":
        np.multiply(h, h, out)
    else:
        np.less_equal(h, 0, out)
    return np.subtract(1, out, out)


def gradients(of_segments: list, caches: list[Cache]) -> tuple[Params, Array]:
    """What ``deltas`` gave for each of some segments  ->  Params, dx (rows, I): one product each, R1*"""
    A, x = stacked([da for da, in of_segments]), stacked([rows(k.x) for k in caches])
    h, db = stacked([rows(k.h[:-1]) for k in caches]), A.sum(0)
    return Params(A.T @ x, A.T @ h, db, db.copy()), A @ caches[0].p.W_ih    # R1*
