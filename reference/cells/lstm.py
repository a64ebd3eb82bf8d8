"""LSTM: one layer, one direction, hand-written backward.  Derivation: notes/cells/lstm.md

    a  = x W_ihᵀ + b_ih + h W_hhᵀ + b_hh,  split i | f | g | o      (L1)
    i, f, o = σ(·),  g = tanh(·)                                    (L2)
    c⁺ = f ∘ c + i ∘ g                                              (L3)
    h⁺ = o ∘ tanh(c⁺)                                               (L4)
    h⁺ = h⁺ W_hrᵀ                       only with a projection      (L5)

T time, B batch, I input, H hidden, P = width of h (H without a projection); time first;
gate order and layout of torch.nn.LSTM.  L3* labels the adjoint of L3.
"""

from typing import NamedTuple

import numpy as np

from ..common.arrays import Array, join, rows, sigmoid, split

GATES = "ifgo"


class Params(NamedTuple):
    W_ih: Array                 # (4H, I)
    W_hh: Array                 # (4H, P)
    b_ih: Array                 # (4H,)
    b_hh: Array                 # (4H,)
    W_hr: Array | None = None   # (P, H)


class State(NamedTuple):
    h: Array  # (B, P)
    c: Array  # (B, H)


class Cache(NamedTuple):
    p: Params
    x: Array      # (T, B, I)
    h: Array      # (T+1, B, P)   h[t] enters step t, h[t+1] leaves it
    c: Array      # (T+1, B, H)
    gates: Array  # (T, B, 4H)    i f g o, after the nonlinearity


class Deltas(NamedTuple):
    da: Array  # (T, B, 4H)
    dh: Array  # (T+1, B, P)   everything that arrives at h[t]
    dc: Array  # (T+1, B, H)   what arrives at c[t] from the step after it


def step_forward(p: Params, a_x: Array, h: Array, c: Array) -> tuple[Array, Array, Array]:
    """a_x (B, 4H), h (B, P), c (B, H)  ->  h (B, P), c (B, H), gates (B, 4H)"""
    i, f, g, o = split(a_x + h @ p.W_hh.T + p.b_hh, 4)                      # L1
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)             # L2
    c = f * c + i * g                                                       # L3
    h = o * np.tanh(c)                                                      # L4
    if p.W_hr is not None:
        h = h @ p.W_hr.T                                                    # L5
    return h, c, join(i, f, g, o)


def step_backward(p: Params, dh: Array, dc: Array, gates: Array, c_prev: Array, c: Array) -> tuple[Array, Array, Array]:
    """The adjoint of step_forward, lines in reverse  ->  da (B, 4H), dh (B, P), dc (B, H)"""
    i, f, g, o = split(gates, 4)
    if p.W_hr is not None:
        dh = dh @ p.W_hr                                                    # L5*
    u = np.tanh(c)
    do = dh * u                                                             # L4*
    dc = dc + dh * o * (1 - u**2)                                           # L4*
    di, df, dg = dc * g, dc * c_prev, dc * i                                # L3*
    da = join(di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o))  # L2*
    return da, da @ p.W_hh, dc * f                                          # L1*, L3*


def forward(p: Params, x: Array, s: State) -> tuple[Array, State, Cache]:
    """x (T, B, I), State  ->  y (T, B, P), State, Cache"""
    T, B, _ = x.shape
    a_x = (rows(x) @ p.W_ih.T + p.b_ih).reshape(T, B, len(p.b_ih))          # L1, all T at once
    h = np.empty((T + 1, *s.h.shape), a_x.dtype)
    c = np.empty((T + 1, *s.c.shape), a_x.dtype)
    gates = np.empty_like(a_x)
    h[0], c[0] = s
    for t in range(T):
        h[t + 1], c[t + 1], gates[t] = step_forward(p, a_x[t], h[t], c[t])
    return h[1:], State(h[T], c[T]), Cache(p, x, h, c, gates)


def deltas(dy: Array, ds: State, k: Cache) -> Deltas:
    """The time loop of backward: dy (T, B, P), State, Cache  ->  Deltas"""
    da, dh, dc = np.empty_like(k.gates), np.empty_like(k.h), np.empty_like(k.c)
    dh[-1], dc[-1] = ds
    for t in reversed(range(len(dy))):
        dh[t + 1] += dy[t]
        da[t], dh[t], dc[t] = step_backward(k.p, dh[t + 1], dc[t + 1], k.gates[t], k.c[t], k.c[t + 1])
    return Deltas(da, dh, dc)


def backward(dy: Array, ds: State, k: Cache) -> tuple[Params, Array, State]:
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    d = deltas(dy, ds, k)
    A = rows(d.da)
    db = A.sum(0)                                                           # L1*
    dW_hr = None
    if k.p.W_hr is not None:
        m = split(k.gates, 4)[3] * np.tanh(k.c[1:])                         # L4
        dW_hr = rows(d.dh[1:]).T @ rows(m)                                  # L5*, all T at once
    dp = Params(A.T @ rows(k.x), A.T @ rows(k.h[:-1]), db, db.copy(), dW_hr)  # L1*, all T at once
    return dp, (A @ k.p.W_ih).reshape(k.x.shape), State(d.dh[0], d.dc[0])  # L1*, all T at once
