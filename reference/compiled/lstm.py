"""The LSTM compiled: the verbs of ``reference.cells.lstm`` as loops, held to it by the parity suite.

A thread has some of the sequences and goes through all steps with them: the input product of a chunk of steps, then for
each step the recurrent product on top of it (products.py), then the elementwise work in place, one sequence after the other,
while its numbers are in the cache.  Backwards a chunk of steps at a time: the time loop, then what is summed over the steps.
"""

from typing import NamedTuple

import numpy as np

from ..cells.lstm import GATES, Params, State, step_backward, step_forward
from ..common.arrays import Array, rows
from .elementary import sigmoid, slope_of_sigmoid, slope_of_tanh, tanh
from .jit import apart, compiled
from .packed import run_backward, run_forward, run_inference
from .products import add, add_product, clear, copy
from .steps import AT_ONCE, KEPT, chunks_from_the_end, in_panels, input_product, ready, steps_at_once, sum_over_steps
from .threads import share
from .vectors import ROWS

__all__ = ["GATES", "Cache", "Folded", "Params", "State", "accumulate", "backward", "folded", "forward", "infer", "run",
           "run_backward", "run_forward", "run_inference", "step_backward", "step_forward", "turned", "zeros"]


class Folded(NamedTuple):
    """Params as a forward multiplies by them."""

    p: Params
    W_ih: Array  # (4H, I)ᵀ packed
    W_hh: Array  # (4H, P)ᵀ packed
    W_hr: Array  # (P, H)ᵀ packed; without a projection it has no panel
    b: Array     # (4H,)


class Turned(NamedTuple):
    """Params as a backward multiplies by them."""

    W_ih: Array  # (4H, I) packed
    W_hh: Array  # (4H, P) packed
    W_hr: Array  # (P, H) packed; without a projection it has no panel


class Cache(NamedTuple):
    p: Params
    x: Array      # (T, B, I)
    h: Array      # (T+1, B, P)   h[t] enters step t, h[t+1] leaves it
    c: Array      # (T+1, B, H)
    gates: Array  # (T, B, 4H)    i f g o, after the nonlinearity


@compiled
def activate(gates, r, c, before, after, m, q, rows):
    """One step: the rows of gates from r on become the gates; those of c from ``before`` on  ->  c from ``after``, m from q"""
    apart()
    H = c.shape[1]
    for n in range(rows):
        a, c_prev, c_next, m_next = gates[r + n], c[before + n], c[after + n], m[q + n]
        i, f, g, o, i_and_f = a[:H], a[H : 2 * H], a[2 * H : 3 * H], a[3 * H :], a[: 2 * H]
        for j in range(2 * H):
            i_and_f[j] = sigmoid(i_and_f[j])                                # L2
        for j in range(H):
            g[j] = tanh(g[j])                                               # L2
        for j in range(H):
            o[j] = sigmoid(o[j])                                            # L2
        for j in range(H):
            c_next[j] = f[j] * c_prev[j] + i[j] * g[j]                      # L3
        for j in range(H):
            m_next[j] = o[j] * tanh(c_next[j])                              # L4


@compiled
def deltas(gates, c, r, after, dm, q, dc, s, D, ms, d, rows):
    """The adjoint of activate: what arrives at m (dm from row q on) and at c_next (dc from s on)  ->  D from d on, and in dc what
    arrives at c; m once more, if ms has columns for it.  gates and c from r on, c_next from ``after`` on"""
    apart()
    H = c.shape[1]
    u = np.empty(H, c.dtype)
    for n in range(rows):
        a, c_prev, c_next, dm_n, dc_n, da, m = gates[r + n], c[r + n], c[after + n], dm[q + n], dc[s + n], D[d + n], ms[d + n]
        i, f, g, o = a[:H], a[H : 2 * H], a[2 * H : 3 * H], a[3 * H :]
        di, df, dg, do = da[:H], da[H : 2 * H], da[2 * H : 3 * H], da[3 * H :]
        for j in range(H):
            u[j] = tanh(c_next[j])                                          # L4
        for j in range(len(m)):
            m[j] = o[j] * u[j]                                              # L4
        for j in range(H):
            dc_n[j] += dm_n[j] * o[j] * slope_of_tanh(u[j])                 # L4*
        for j in range(H):
            do[j] = dm_n[j] * u[j] * slope_of_sigmoid(o[j])                 # L4*, L2*
        for j in range(H):
            di[j] = dc_n[j] * g[j] * slope_of_sigmoid(i[j])                 # L3*, L2*
        for j in range(H):
            df[j] = dc_n[j] * c_prev[j] * slope_of_sigmoid(f[j])            # L3*, L2*
        for j in range(H):
            dg[j] = dc_n[j] * i[j] * slope_of_tanh(g[j])                    # L3*, L2*
        for j in range(H):
            dc_n[j] *= f[j]                                                 # L3*


@compiled
def forward_steps(x, h, c, gates, W_ih, W_hh, W_hr, b, T, B, at_once, keep, n0, n1):
    """All steps of the sequences n0 to n1; rows of steps each.  Without ``keep`` c has two steps, gates has ``at_once``"""
    edge = np.empty((ROWS, W_ih.shape[2]), x.dtype)
    (H, P), sequences, projected = (c.shape[1], h.shape[1]), n1 - n0, len(W_hr) > 0
    m = np.empty((sequences if projected else 0, H), x.dtype)
    for start in range(0, T, at_once):
        steps = min(at_once, T - start)
        first = start if keep else 0
        input_product(x, W_ih, b, gates, start, first, steps, B, n0, n1, 0, 4 * H, edge)                      # L1
        for t in range(start, start + steps):
            here, now, after, even = (first + t - start) * B + n0, t * B + n0, (t + 1) * B + n0, t % 2 == 0
            add_product(h, now, 0, W_hh, gates, here, 0, sequences, 4 * H, 1, 0, even, edge)                  # L1
            c_now, c_after = (now, after) if keep else (t % 2 * B + n0, (t + 1) % 2 * B + n0)
            if projected:
                activate(gates, here, c, c_now, c_after, m, 0, sequences)
                clear(h, after, after + sequences)
                add_product(m, 0, 0, W_hr, h, after, 0, sequences, P, 1, 0, False, edge)                      # L5
            else:
                activate(gates, here, c, c_now, c_after, h, after, sequences)


@compiled
def backward_steps(gates, c, dy, dh, dc, D, dhs, ms, W_hh, W_hr, start, stop, B, n0, n1):
    """The steps from stop - 1 to start of the sequences n0 to n1: dh (B, P) and dc (B, H) in place; D (·, 4H) and, only with
    a projection, dhs (·, P) and ms (·, H) for what is summed over the steps"""
    edge = np.empty((ROWS, W_hh.shape[2]), dy.dtype)
    (H, P), sequences, projected = (c.shape[1], dh.shape[1]), n1 - n0, len(W_hr) > 0
    dm = np.empty((sequences if projected else 0, H), dy.dtype)
    for t in range(stop - 1, start - 1, -1):
        here, now, after = (t - start) * B + n0, t * B + n0, (t + 1) * B + n0
        add(dy, now, dh, n0, sequences)
        if projected:
            copy(dh, n0, dhs, here, sequences)
            clear(dm, 0, sequences)
            add_product(dh, n0, 0, W_hr, dm, 0, 0, sequences, H, 1, 0, False, edge)                           # L5*
            deltas(gates, c, now, after, dm, 0, dc, n0, D, ms, here, sequences)
        else:
            deltas(gates, c, now, after, dh, n0, dc, n0, D, ms, here, sequences)
        clear(dh, n0, n1)
        add_product(D, here, 0, W_hh, dh, n0, 0, sequences, P, 1, 0, t % 2 == 0, edge)                        # L1*


def folded(p: Params) -> Folded:
    """Params  ->  Folded"""
    return Folded(p, in_panels(p.W_ih, True), in_panels(p.W_hh, True), projection(p, True), p.b_ih + p.b_hh)


def turned(p: Params) -> Turned:
    """Params  ->  Turned"""
    return Turned(in_panels(p.W_ih, False), in_panels(p.W_hh, False), projection(p, False))


def projection(p: Params, transposed: bool) -> Array:
    """W_hr (P, H) in panels; without a projection there is none"""
    return np.empty((0, 0, 0), p.W_ih.dtype) if p.W_hr is None else in_panels(p.W_hr, transposed)


def forward(p: Params, x: Array, s: State) -> tuple[Array, State, Cache]:
    """x (T, B, I), State  ->  y (T, B, P), State, Cache"""
    return run(folded(p), x, s)


def infer(p: Params, x: Array, s: State) -> tuple[Array, State]:
    """forward, with nothing kept for a backward: x (T, B, I), State  ->  y (T, B, P), State"""
    return run(folded(p), x, s, keep=False)[:2]


def run(w: Folded, x: Array, s: State, keep: bool = True) -> tuple[Array, State, Cache]:
    """forward with weights that are laid out.  Without ``keep`` a few steps share the place for their gates: no use as Cache."""
    (T, B, I), (P, H), x = x.shape, (s.h.shape[1], s.c.shape[1]), ready(x)
    at_once = steps_at_once(B, 4 * H, AT_ONCE)
    k = Cache(w.p, x, h=np.empty((T + 1, B, P), x.dtype), c=np.empty((T + 1 if keep else 2, B, H), x.dtype),
              gates=np.empty((T if keep else min(at_once, T), B, 4 * H), x.dtype))
    k.h[0], k.c[0] = s
    share(forward_steps, B, T * B * 4 * H * (I + P), rows(x), rows(k.h), rows(k.c), rows(k.gates), *w[1:], T, B, at_once, keep)
    return k.h[1:], State(k.h[T], k.c[T if keep else T % 2]), k


def backward(dy: Array, ds: State, k: Cache) -> tuple[Params, Array, State]:
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    dp = zeros(k.p)
    dx, ds = accumulate(dy, ds, k, turned(k.p), dp)
    return finished(dp), dx, ds


def zeros(p: Params) -> Params:
    """Where ``accumulate`` adds up: b_hh has no place of its own"""
    return p._replace(**{name: np.zeros(v.shape, v.dtype) for name, v in p._asdict().items() if v is not None})


def finished(dp: Params) -> Params:
    """What was added up  ->  the gradient"""
    return dp._replace(b_hh=dp.b_ih.copy())                                 # L1*


def accumulate(dy: Array, ds: State, k: Cache, w: Turned, dp: Params) -> tuple[Array, State]:
    """A segment's backward: dy (T, B, P), State, Cache  ->  dx (T, B, I), State; the gradients of Params are added to dp"""
    (T, B, P), H, dy, dx = dy.shape, k.c.shape[2], ready(dy), np.empty_like(k.x)
    dh, dc = np.array(ds.h, order="C"), np.array(ds.c, order="C")
    at_once = steps_at_once(B, 4 * H, KEPT)
    D, dhs, ms = (np.empty((min(at_once, T) * B, width), dy.dtype) for width in (4 * H, *((P, H) if len(w.W_hr) else (0, 0))))
    for start, stop in chunks_from_the_end(T, at_once):
        R = (stop - start) * B
        share(backward_steps, B, R * 4 * H * P, rows(k.gates), rows(k.c), rows(dy), dh, dc, D, dhs, ms, *w[1:], start, stop, B)
        of_weights = [(D[:R], 0, rows(k.x), start * B, dp.W_ih), (D[:R], 0, rows(k.h), start * B, dp.W_hh)]     # L1*
        if dp.W_hr is not None:
            of_weights.append((dhs[:R], 0, ms[:R], 0, dp.W_hr))                                                 # L5*
        sum_over_steps(D[:R], w.W_ih, rows(dx), start * B, of_weights, dp.b_ih)                                 # L1*
    return dx, State(dh, dc)
