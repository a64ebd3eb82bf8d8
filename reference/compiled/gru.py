"""The GRU compiled: the verbs of ``reference.cells.gru`` as loops, held to it by the parity suite.  As lstm.py, but for the
order in a row of a step, n r z q: the input product is the first three quarters, the recurrent product the last three, and
so are their deltas.  Reset before the product, n takes the place of q, and the row ends at z."""

from typing import NamedTuple

import numpy as np

from ..cells.gru import GATES, Params, State, step_backward, step_forward
from ..common.arrays import Array, rows
from .elementary import sigmoid, slope_of_sigmoid, slope_of_tanh, tanh
from .jit import apart, compiled
from .packed import run_backward, run_forward, run_inference
from .products import add, add_product, clear
from .steps import AT_ONCE, KEPT, chunks_from_the_end, in_panels, input_product, ready, steps_at_once, sum_over_steps
from .threads import share
from .vectors import ROWS

__all__ = ["GATES", "Cache", "Folded", "Params", "State", "accumulate", "backward", "finished", "folded", "forward", "infer",
           "run", "run_backward", "run_forward", "run_inference", "step_backward", "step_forward", "turned", "zeros"]


class Folded(NamedTuple):
    """Params as a forward multiplies by them."""

    p: Params
    W_ih: Array  # (3H, I)ᵀ in panels, n r z
    W_rz: Array  # (2H, H)ᵀ in panels, of W_hh
    W_n: Array   # (H, H)ᵀ in panels, of W_hh
    b: Array     # (4H,) n r z q: of n what is added outside of r ∘ q, of q what is added inside


class Turned(NamedTuple):
    """Params as a backward multiplies by them: Folded's weights, not transposed"""

    W_ih: Array
    W_rz: Array
    W_n: Array


class Cache(NamedTuple):
    p: Params
    x: Array           # (T, B, I)
    h: Array           # (T+1, B, H)   h[t] enters step t, h[t+1] leaves it
    gates: Array       # (T, B, 4H)    n r z, after the nonlinearity, and q; reset before (T, B, 3H), n r z
    reset_after: bool


@compiled
def activate(gates, r, h, now, after, rows):
    """One step, reset after: the rows of gates from r on become n r z q; those of h from ``now`` on  ->  from ``after`` on"""
    apart()
    H = h.shape[1]
    for k in range(rows):
        a, h_prev, h_next = gates[r + k], h[now + k], h[after + k]
        n, r_, z, q, r_and_z = a[:H], a[H : 2 * H], a[2 * H : 3 * H], a[3 * H :], a[H : 3 * H]
        for j in range(2 * H):
            r_and_z[j] = sigmoid(r_and_z[j])                                # G1
        for j in range(H):
            n[j] = tanh(n[j] + r_[j] * q[j])                                # G3
        for j in range(H):
            h_next[j] = n[j] + z[j] * (h_prev[j] - n[j])                    # G4


@compiled
def reset(gates, row, h, now, rh, rows):
    """The first half of a step, reset before: in the rows of gates from ``row`` on r and z become gates; h  ->  r ∘ h"""
    apart()
    H = h.shape[1]
    for k in range(rows):
        a, h_prev, to = gates[row + k], h[now + k], rh[k]
        r, r_and_z = a[H : 2 * H], a[H:]
        for j in range(2 * H):
            r_and_z[j] = sigmoid(r_and_z[j])                                # G1
        for j in range(H):
            to[j] = r[j] * h_prev[j]                                        # G2


@compiled
def update(gates, row, h, now, after, rows):
    """The second half of a step, when n has its product"""
    apart()
    H = h.shape[1]
    for k in range(rows):
        a, h_prev, h_next = gates[row + k], h[now + k], h[after + k]
        n, z = a[:H], a[2 * H :]
        for j in range(H):
            n[j] = tanh(n[j])                                               # G3
        for j in range(H):
            h_next[j] = n[j] + z[j] * (h_prev[j] - n[j])                    # G4


@compiled
def deltas(gates, h, now, dh, q0, D, d, rows):
    """The adjoint of activate: what arrives at h_next, in dh from q0 on  ->  D from d on, and in dh what goes straight on to h"""
    apart()
    H = h.shape[1]
    for k in range(rows):
        a, h_prev, arrives, da = gates[now + k], h[now + k], dh[q0 + k], D[d + k]
        n, r, z, q = a[:H], a[H : 2 * H], a[2 * H : 3 * H], a[3 * H :]
        dn, dr, dz, dq = da[:H], da[H : 2 * H], da[2 * H : 3 * H], da[3 * H :]
        for j in range(H):
            dz[j] = arrives[j] * (h_prev[j] - n[j]) * slope_of_sigmoid(z[j])  # G4*, G1*
        for j in range(H):
            dn[j] = (arrives[j] - arrives[j] * z[j]) * slope_of_tanh(n[j])  # G4*, G3*
        for j in range(H):
            dr[j] = dn[j] * q[j] * slope_of_sigmoid(r[j])                   # G3*, G1*
        for j in range(H):
            dq[j] = dn[j] * r[j]                                            # G3*
        for j in range(H):
            arrives[j] *= z[j]                                              # G4*


@compiled
def deltas_of_update(gates, h, now, dh, q0, D, d, rows):
    """The adjoint of update: as deltas, but of D n and z only"""
    apart()
    H = h.shape[1]
    for k in range(rows):
        a, h_prev, arrives, da = gates[now + k], h[now + k], dh[q0 + k], D[d + k]
        n, z, dn, dz = a[:H], a[2 * H :], da[:H], da[2 * H :]
        for j in range(H):
            dz[j] = arrives[j] * (h_prev[j] - n[j]) * slope_of_sigmoid(z[j])  # G4*, G1*
        for j in range(H):
            dn[j] = (arrives[j] - arrives[j] * z[j]) * slope_of_tanh(n[j])  # G4*, G3*
        for j in range(H):
            arrives[j] *= z[j]                                              # G4*


@compiled
def deltas_of_reset(gates, h, now, drh, dh, q0, D, rhs, d, rows):
    """The adjoint of reset: what arrives at r ∘ h, in drh  ->  r of D, more in dh, and r ∘ h once more"""
    apart()
    H = h.shape[1]
    for k in range(rows):
        a, h_prev, arrives, more, da, rh = gates[now + k], h[now + k], drh[k], dh[q0 + k], D[d + k], rhs[d + k]
        r, dr = a[H : 2 * H], da[H : 2 * H]
        for j in range(H):
            dr[j] = arrives[j] * h_prev[j] * slope_of_sigmoid(r[j])         # G2*, G1*
        for j in range(H):
            more[j] += arrives[j] * r[j]                                    # G2*
        for j in range(H):
            rh[j] = r[j] * h_prev[j]                                        # G2


@compiled
def forward_steps(x, h, gates, W_ih, W_rz, W_n, b, reset_after, T, B, at_once, keep, n0, n1):
    """All steps of the sequences n0 to n1; rows of steps each.  Without ``keep`` gates has ``at_once`` of them"""
    edge = np.empty((ROWS, W_ih.shape[2]), x.dtype)
    H, sequences = h.shape[1], n1 - n0
    rh = np.empty((0 if reset_after else sequences, H), x.dtype)
    for start in range(0, T, at_once):
        steps = min(at_once, T - start)
        first = start if keep else 0
        input_product(x, W_ih, b, gates, start, first, steps, B, n0, n1, 0, 3 * H, edge)                  # G1, G3
        for t in range(start, start + steps):
            here, now, after, even = (first + t - start) * B + n0, t * B + n0, (t + 1) * B + n0, t % 2 == 0
            add_product(h, now, 0, W_rz, gates, here, H, sequences, 2 * H, 1, 0, even, edge)              # G1
            if reset_after:
                add_product(h, now, 0, W_n, gates, here, 3 * H, sequences, H, 1, 0, even, edge)           # G2
                activate(gates, here, h, now, after, sequences)
            else:
                reset(gates, here, h, now, rh, sequences)
                add_product(rh, 0, 0, W_n, gates, here, 0, sequences, H, 1, 0, even, edge)                # G2
                update(gates, here, h, now, after, sequences)


@compiled
def backward_steps(gates, h, dy, dh, D, rhs, W_rz, W_n, reset_after, start, stop, B, n0, n1):
    """The steps from stop - 1 to start of the sequences n0 to n1: dh (B, H) in place; D, as gates, and only reset before
    rhs (·, H), for what is summed over the steps"""
    edge = np.empty((ROWS, W_rz.shape[2]), dy.dtype)
    H, sequences = h.shape[1], n1 - n0
    drh = np.empty((0 if reset_after else sequences, H), dy.dtype)
    for t in range(stop - 1, start - 1, -1):
        here, now, even = (t - start) * B + n0, t * B + n0, t % 2 == 0
        add(dy, now, dh, n0, sequences)
        if reset_after:
            deltas(gates, h, now, dh, n0, D, here, sequences)
            add_product(D, here, 3 * H, W_n, dh, n0, 0, sequences, H, 1, 0, even, edge)                   # G2*
        else:
            deltas_of_update(gates, h, now, dh, n0, D, here, sequences)
            clear(drh, 0, sequences)
            add_product(D, here, 0, W_n, drh, 0, 0, sequences, H, 1, 0, even, edge)                       # G2*
            deltas_of_reset(gates, h, now, drh, dh, n0, D, rhs, here, sequences)
        add_product(D, here, H, W_rz, dh, n0, 0, sequences, H, 1, 0, even, edge)                          # G1*


def folded(p: Params) -> Folded:
    """Params  ->  Folded"""
    H, b, (W_ih, W_rz, W_n) = p.W_hh.shape[1], p.b_ih + p.b_hh, (in_panels(W, True) for W in weights(p))
    return Folded(p, W_ih, W_rz, W_n, np.concatenate([p.b_ih[2 * H :], b[: 2 * H], p.b_hh[2 * H :]]))


def turned(p: Params) -> Turned:
    """Params  ->  Turned"""
    return Turned(*(in_panels(W, False) for W in weights(p)))


def weights(p: Params) -> tuple[Array, Array, Array]:
    """W_ih as n r z (3H, I); of W_hh r z (2H, H), and n (H, H)"""
    H = p.W_hh.shape[1]
    return np.roll(p.W_ih, H, axis=0), p.W_hh[: 2 * H], p.W_hh[2 * H :]


def forward(p: Params, x: Array, s: State, reset_after: bool = True) -> tuple[Array, State, Cache]:
    """x (T, B, I), State  ->  y (T, B, H), State, Cache"""
    return run(folded(p), x, s, reset_after)


def infer(p: Params, x: Array, s: State, reset_after: bool = True) -> tuple[Array, State]:
    """forward, with nothing kept for a backward: x (T, B, I), State  ->  y (T, B, H), State"""
    return run(folded(p), x, s, reset_after, keep=False)[:2]


def run(w: Folded, x: Array, s: State, reset_after: bool = True, keep: bool = True) -> tuple[Array, State, Cache]:
    """forward with weights that are laid out.  Without ``keep`` a few steps share the place for their gates: no use as Cache."""
    (T, B, I), H, x = x.shape, s.h.shape[1], ready(x)
    b, N = (w.b, 4 * H) if reset_after else (np.concatenate([w.b[:H] + w.b[3 * H :], w.b[H : 3 * H]]), 3 * H)
    at_once = steps_at_once(B, N, AT_ONCE)
    k = Cache(w.p, x, np.empty((T + 1, B, H), x.dtype), np.empty((T if keep else min(at_once, T), B, N), x.dtype), reset_after)
    k.h[0] = s.h
    share(forward_steps, B, T * B * 3 * H * (I + H), rows(x), rows(k.h), rows(k.gates), *w[1:4], b, reset_after, T, B,
          at_once, keep)
    return k.h[1:], State(k.h[T]), k


def backward(dy: Array, ds: State, k: Cache) -> tuple[Params, Array, State]:
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    dp = zeros(k.p)
    dx, ds = accumulate(dy, ds, k, turned(k.p), dp)
    return finished(dp), dx, ds


def zeros(p: Params) -> Params:
    """Where ``accumulate`` adds up: W_ih as n r z; in the place of b_ih the sums of all four, n r z q"""
    H = p.W_hh.shape[1]
    return Params(*(np.zeros(shape, p.W_ih.dtype) for shape in (p.W_ih.shape, p.W_hh.shape, 4 * H, 0)))


def finished(dp: Params) -> Params:
    """What was added up  ->  the gradient"""
    H = dp.W_hh.shape[1]
    return Params(np.roll(dp.W_ih, -H, axis=0), dp.W_hh, np.roll(dp.b_ih[: 3 * H], -H), dp.b_ih[H:].copy())


def accumulate(dy: Array, ds: State, k: Cache, w: Turned, dp: Params) -> tuple[Array, State]:
    """A segment's backward: dy (T, B, H), State, Cache  ->  dx (T, B, I), State; the gradients of Params are added to dp"""
    (T, B, H), N, dy, dx = dy.shape, k.gates.shape[2], ready(dy), np.empty_like(k.x)
    dh, at_once = np.array(ds.h, order="C"), steps_at_once(B, N, KEPT)
    D, rhs = (np.empty((min(at_once, T) * B, width), dy.dtype) for width in (N, 0 if k.reset_after else H))
    for start, stop in chunks_from_the_end(T, at_once):
        R, first = (stop - start) * B, start * B
        share(backward_steps, B, R * 3 * H * H, rows(k.gates), rows(k.h), rows(dy), dh, D, rhs, w.W_rz, w.W_n, k.reset_after,
              start, stop, B)
        of_n = (D[:R], 3 * H, rows(k.h), first) if k.reset_after else (D[:R], 0, rhs[:R], 0)
        of_weights = [(D[:R], 0, rows(k.x), first, dp.W_ih),                                                    # G1*, G3*
                      (D[:R], H, rows(k.h), first, dp.W_hh[: 2 * H]), (*of_n, dp.W_hh[2 * H :])]                # G1*, G2*
        sum_over_steps(D[:R], w.W_ih, rows(dx), first, of_weights, dp.b_ih[:N])                                 # G1*, G3*
    if not k.reset_after:
        dp.b_ih[3 * H :] = dp.b_ih[:H]                                                                          # G3*, G2*
    return dx, State(dh)
