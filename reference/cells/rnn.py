"""Elman RNN: one layer, one direction, hand-written backward.  Derivation: notes/cells/rnn.md

    a  = x W_ihᵀ + b_ih + h W_hhᵀ + b_hh       (R1)
    h⁺ = φ(a),  φ = tanh or relu               (R2)

T time, B batch, I input, H hidden; time first; layout of torch.nn.RNN.
A line of the backward carries the label of the line that it is the adjoint of, with a star: R2*.
"""

from typing import NamedTuple

import numpy as np

from ..common.arrays import Array, relu, rows

GATES = "h"


class Params(NamedTuple):
    W_ih: Array  # (H, I)
    W_hh: Array  # (H, H)
    b_ih: Array  # (H,)
    b_hh: Array  # (H,)


class State(NamedTuple):
    h: Array  # (B, H)


class Cache(NamedTuple):
    p: Params
    x: Array           # (T, B, I)
    h: Array           # (T+1, B, H)   h[t] enters step t, h[t+1] leaves it
    nonlinearity: str  # "tanh" or "relu"


class Deltas(NamedTuple):
    da: Array  # (T, B, H)
    dh: Array  # (T+1, B, H)   everything that arrives at h[t]


def step_forward(p: Params, a_x: Array, h: Array, nonlinearity: str = "tanh") -> Array:
    """a_x, h (B, H)  ->  h (B, H)"""
    a = a_x + h @ p.W_hh.T + p.b_hh                                 # R1
    return np.tanh(a) if nonlinearity == "tanh" else relu(a)        # R2


def step_backward(p: Params, dh: Array, h: Array, nonlinearity: str = "tanh") -> tuple[Array, Array]:
    """The adjoint of step_forward; h is what it returned  ->  da, dh (B, H)"""
    da = dh * (1 - h**2) if nonlinearity == "tanh" else np.where(h.real <= 0, 0, dh)  # R2*
    return da, da @ p.W_hh                                          # R1*


def forward(p: Params, x: Array, s: State, nonlinearity: str = "tanh") -> tuple[Array, State, Cache]:
    """x (T, B, I), State  ->  y (T, B, H), State, Cache"""
    T, B, _ = x.shape
    a_x = (rows(x) @ p.W_ih.T + p.b_ih).reshape(T, B, len(p.b_ih))  # R1, all T at once
    h = np.empty((T + 1, *s.h.shape), a_x.dtype)
    h[0] = s.h
    for t in range(T):
        h[t + 1] = step_forward(p, a_x[t], h[t], nonlinearity)
    return h[1:], State(h[T]), Cache(p, x, h, nonlinearity)


def deltas(dy: Array, ds: State, k: Cache) -> Deltas:
    """The time loop of backward: dy (T, B, H), State, Cache  ->  Deltas"""
    da, dh = np.empty_like(dy), np.empty_like(k.h)
    dh[-1] = ds.h
    for t in reversed(range(len(dy))):
        dh[t + 1] += dy[t]
        da[t], dh[t] = step_backward(k.p, dh[t + 1], k.h[t + 1], k.nonlinearity)
    return Deltas(da, dh)


def backward(dy: Array, ds: State, k: Cache) -> tuple[Params, Array, State]:
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    d = deltas(dy, ds, k)
    A = rows(d.da)
    db = A.sum(0)                                                      # R1*
    dp = Params(A.T @ rows(k.x), A.T @ rows(k.h[:-1]), db, db.copy())  # R1*, all T at once
    return dp, (A @ k.p.W_ih).reshape(k.x.shape), State(d.dh[0])  # R1*, all T at once
