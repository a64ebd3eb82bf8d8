"""GRU: one layer, one direction, hand-written backward.  Derivation: notes/cells/gru.md

    r = σ(x W_irᵀ + b_ir + h W_hrᵀ + b_hr),  z likewise             (G1)
    q = h W_hnᵀ + b_hn            reset after the product, as torch (G2)
    q = (r ∘ h) W_hnᵀ + b_hn      reset before it, the original     (G2)
    n = tanh(x W_inᵀ + b_in + r ∘ q)     reset after                (G3)
    n = tanh(x W_inᵀ + b_in + q)         reset before               (G3)
    h⁺ = (1 - z) ∘ n + z ∘ h                                        (G4)

T time, B batch, I input, H hidden; time first; gate order and layout of torch.nn.GRU.
Reset after, the two biases of n are not redundant: r scales b_hn, so a_x and a_h have
different gradients.  G3* labels the adjoint of G3.
"""

from typing import NamedTuple

import numpy as np

from ..common.arrays import Array, join, rows, sigmoid, split

GATES = "rzn"


class Params(NamedTuple):
    W_ih: Array  # (3H, I)
    W_hh: Array  # (3H, H)
    b_ih: Array  # (3H,)
    b_hh: Array  # (3H,)


class State(NamedTuple):
    h: Array  # (B, H)


class Cache(NamedTuple):
    p: Params
    x: Array           # (T, B, I)
    h: Array           # (T+1, B, H)   h[t] enters step t, h[t+1] leaves it
    gates: Array       # (T, B, 3H)    r z n, after the nonlinearity
    q: Array           # (T, B, H)
    reset_after: bool


class Deltas(NamedTuple):
    da_x: Array  # (T, B, 3H)
    da_h: Array  # (T, B, 3H)    the same as da_x but for n, where it is dq
    dh: Array    # (T+1, B, H)   everything that arrives at h[t]


def step_forward(p: Params, a_x: Array, h: Array, reset_after: bool = True) -> tuple[Array, Array, Array]:
    """a_x (B, 3H), h (B, H)  ->  h (B, H), gates (B, 3H), q (B, H)"""
    H = h.shape[-1]
    rz = sigmoid(a_x[:, : 2 * H] + h @ p.W_hh[: 2 * H].T + p.b_hh[: 2 * H])  # G1
    r, z = split(rz, 2)
    q = (h if reset_after else r * h) @ p.W_hh[2 * H :].T + p.b_hh[2 * H :]  # G2
    n = np.tanh(a_x[:, 2 * H :] + (r * q if reset_after else q))             # G3
    h = (1 - z) * n + z * h                                                  # G4
    return h, join(rz, n), q


def step_backward(p: Params, dh: Array, gates: Array, q: Array, h_prev: Array, reset_after: bool = True) -> tuple[Array, ...]:
    """The adjoint of step_forward, lines in reverse  ->  da_x, da_h (B, 3H), dh (B, H)"""
    H = h_prev.shape[-1]
    r, z, n = split(gates, 3)
    dn, dz, dh = dh * (1 - z), dh * (h_prev - n), dh * z                     # G4*
    da_n = dn * (1 - n**2)                                                   # G3*
    dq = da_n * r if reset_after else da_n                                   # G3*
    dh_q = dq @ p.W_hh[2 * H :]                                              # G2*
    dr = da_n * q if reset_after else dh_q * h_prev                          # G3*, G2*
    da_rz = join(dr * r * (1 - r), dz * z * (1 - z))                         # G1*
    dh = dh + da_rz @ p.W_hh[: 2 * H] + (dh_q if reset_after else dh_q * r)  # G1*, G2*
    return join(da_rz, da_n), join(da_rz, dq), dh


def forward(p: Params, x: Array, s: State, reset_after: bool = True) -> tuple[Array, State, Cache]:
    """x (T, B, I), State  ->  y (T, B, H), State, Cache"""
    T, B, _ = x.shape
    a_x = (rows(x) @ p.W_ih.T + p.b_ih).reshape(T, B, len(p.b_ih))           # G1, G3, all T at once
    h = np.empty((T + 1, *s.h.shape), a_x.dtype)
    gates, q = np.empty_like(a_x), np.empty_like(h[1:])
    h[0] = s.h
    for t in range(T):
        h[t + 1], gates[t], q[t] = step_forward(p, a_x[t], h[t], reset_after)
    return h[1:], State(h[T]), Cache(p, x, h, gates, q, reset_after)


def deltas(dy: Array, ds: State, k: Cache) -> Deltas:
    """The time loop of backward: dy (T, B, H), State, Cache  ->  Deltas"""
    da_x, da_h, dh = np.empty_like(k.gates), np.empty_like(k.gates), np.empty_like(k.h)
    dh[-1] = ds.h
    for t in reversed(range(len(dy))):
        dh[t + 1] += dy[t]
        da_x[t], da_h[t], dh[t] = step_backward(k.p, dh[t + 1], k.gates[t], k.q[t], k.h[t], k.reset_after)
    return Deltas(da_x, da_h, dh)


def backward(dy: Array, ds: State, k: Cache) -> tuple[Params, Array, State]:
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    d = deltas(dy, ds, k)
    A_x, A_h = rows(d.da_x), rows(d.da_h)
    r, H = split(k.gates, 3)[0], k.q.shape[-1]
    h_q = k.h[:-1] if k.reset_after else r * k.h[:-1]                        # G2
    dW_hh = np.concatenate([A_h[:, : 2 * H].T @ rows(k.h[:-1]),              # G1*, all T at once
                            A_h[:, 2 * H :].T @ rows(h_q)])                  # G2*, all T at once
    dp = Params(A_x.T @ rows(k.x), dW_hh, A_x.sum(0), A_h.sum(0))            # G1*, G2*, G3*, all T at once
    return dp, (A_x @ k.p.W_ih).reshape(k.x.shape), State(d.dh[0])  # G1*, G3*, all T at once
