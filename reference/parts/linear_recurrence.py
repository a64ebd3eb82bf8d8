"""A linear recurrence by a loop or a parallel scan, and a layer over it.  Derivation: notes/parts/linear_recurrence.md

    z_t = σ(x_t W_zᵀ + b_z),  n_t = x_t W_nᵀ + b_n                  (LR1)
    a_t = z_t,  u_t = (1 - z_t) ∘ n_t                               (LR2)
    h_{t+1} = a_t ∘ h_t + u_t                                       (LR3)
    (a, u) and then (a', u')  is  (a' ∘ a, a' ∘ u + u')             (LR4)

T time, B batch, I input, H hidden; time first; y_t = h_{t+1}.  a is a factor here, not a pre-activation.
The layer is the minGRU of Feng et al. 2024; z is that of torch.nn.GRU, one minus theirs.  LR3* labels the adjoint of LR3.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..common.arrays import Array, join, rows, sigmoid, split

GATES = "zn"
Run = Callable[[Array, Array, Array], Array]  # loop or scan


class Params(NamedTuple):
    W_ih: Array  # (2H, I)
    b_ih: Array  # (2H,)


class Cache(NamedTuple):
    p: Params
    x: Array     # (T, B, I)
    h: Array     # (T+1, B, H)   h[t] enters step t, h[t+1] leaves it
    z: Array     # (T, B, H)
    n: Array     # (T, B, H)
    run: Run


def loop(a: Array, u: Array, h_0: Array) -> Array:
    """a, u (T, ...), h_0 (...)  ->  h (T+1, ...), one step after another"""
    h = np.concatenate([h_0[None], u], dtype=np.result_type(a, u, h_0))
    for t in range(len(u)):
        h[t + 1] = a[t] * h[t] + u[t]                                       # LR3
    return h


def scan(a: Array, u: Array, h_0: Array) -> Array:
    """As loop, in ⌈log₂(T+1)⌉ rounds, each of which computes all times at once (Hillis & Steele 1986)

    Before a round, (a[t], h[t]) is the composition of the last ``reach`` steps up to t; after it, of twice as many.
    The first entry is the step that forgets everything and puts h_0 there.
    """
    h = np.concatenate([h_0[None], u], dtype=np.result_type(a, u, h_0))
    a = np.concatenate([np.zeros_like(h[:1]), a])
    reach = 1
    while reach < len(h):
        h[reach:] = a[reach:] * h[:-reach] + h[reach:]                      # LR4
        a[reach:] = a[reach:] * a[:-reach]                                  # LR4
        reach *= 2
    return h


def recurrence_backward(dy: Array, dh_n: Array, a: Array, h: Array, run: Run = loop) -> tuple[Array, Array, Array]:
    """The adjoint of loop and of scan: dy (T, ...) of h[1:], dh_n (...) of h[T]  ->  da, du (T, ...), dh_0 (...)

    It is a linear recurrence too, from the last step to the first, so ``run`` computes it.
    """
    direct = np.concatenate([np.zeros_like(h[:1]), dy])                     # (T+1, ...)  h[0] is no output
    direct[-1] += dh_n
    dh = run(a[::-1], direct[-2::-1], direct[-1])[::-1]                     # LR3*
    return dh[1:] * h[:-1], dh[1:], dh[0]                                   # LR3*


def forward(p: Params, x: Array, h_0: Array, run: Run = loop) -> tuple[Array, Array, Cache]:
    """x (T, B, I), h_0 (B, H)  ->  y (T, B, H), h_n (B, H), Cache"""
    v = (rows(x) @ p.W_ih.T + p.b_ih).reshape(*x.shape[:-1], len(p.W_ih))   # LR1
    z, n = split(v, 2)
    z = sigmoid(z)                                                          # LR1
    h = run(z, (1 - z) * n, h_0)                                            # LR2
    return h[1:], h[-1], Cache(p, x, h, z, n, run)


def backward(dy: Array, dh_n: Array, k: Cache) -> tuple[Params, Array, Array]:
    """The adjoint of forward: dy (T, B, H), dh_n (B, H), Cache  ->  dp, dx (T, B, I), dh_0 (B, H)"""
    da, du, dh_0 = recurrence_backward(dy, dh_n, k.z, k.h, k.run)
    dz, dn = da - du * k.n, du * (1 - k.z)                                  # LR2*
    A = rows(join(dz * k.z * (1 - k.z), dn))                                # LR1*
    return Params(A.T @ rows(k.x), A.sum(0)), (A @ k.p.W_ih).reshape(k.x.shape), dh_0     # LR1*
