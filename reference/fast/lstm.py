"""The LSTM written for speed: the verbs of ``reference.lstm``, held to it by the parity suite.

- σ(a) = ½ + ½ tanh(a/2): the inner half is folded into the weights, so one tanh serves all four gates, and one
  product and one sum over three of them finish the sigmoids.
- Every gate is one contiguous block, in the order c g f i o: c ∘ f and g ∘ i are one call, and no call is strided.
- The input product is one GEMM for a chunk of steps, which stays in the cache until the steps have read it.
- Backwards, all that does not depend on the gradient is computed for a chunk of steps in a few long calls: the four
  factors of dc, and k₂ and k₁, those of dh.  A step is then two products, two sums and one GEMM.  They lie in the order
  c i f g k₂ k₁: each kind's are neighbours, and so are the four gates, in torch's own order: no weight is copied.
- One sequence alone (B = 1) has no batch axis, and its blocks lie row by row, so that a step touches one row.
"""

from typing import NamedTuple

import numpy as np

from ..lstm import GATES, Params, State, step_backward, step_forward
from ..memory import empty
from ..ops import Array, product, rows, stacked
from .inference import lstm as infer
from .packed import run_backward, run_forward, run_inference
from .weights import folded, transposed

__all__ = ["GATES", "Cache", "Params", "State", "backward", "forward", "infer", "run_backward", "run_forward",
           "run_inference", "step_backward", "step_forward"]

ORDER, SIGMOIDS = "gfio", "fio"  # the order that lets neighbouring blocks share a call
ROWS, CELLS = 1024, 1 << 16      # size of a chunk: rows of the input product, elements of a block


class Weights(NamedTuple):
    """Copies of the Params as forward reads them; they are not kept for the backward."""

    p: Params
    W_ih: Array         # (I, 4H)   in ORDER, halved where a sigmoid follows
    W_hh: Array         # (P, 4H)
    W_hr: Array | None  # (H, P)
    b: Array            # (4H,)


class Cache(NamedTuple):
    p: Params
    x: Array       # (T, B, I)
    h: Array       # (T+1, B, P)
    blocks: Array  # (5, T+1, B·H)   c g f i o; c[t] enters step t, the gates are those of step t


def allocate(n: int, T: int, B: int, H: int, dtype) -> Array:
    """(n, T, B·H), block by block; for one sequence row by row"""
    return empty((T, n, H), dtype).swapaxes(0, 1) if B == 1 else empty((n, T, B * H), dtype)


def by_step(blocks: Array, shape: tuple[int, ...] | None = None) -> Array:
    """(n, steps, B·H)  ->  (steps, n, B·H), or (steps, *shape): a view whose items are what one step needs"""
    steps = blocks.swapaxes(0, 1)
    return steps if shape is None else steps.reshape(len(steps), *shape)


def prepare(p):
    """Params  ->  Weights"""
    W_ih, W_hh = (transposed(W, GATES, ORDER, SIGMOIDS) for W in (p.W_ih, p.W_hh))
    W_hr = None if p.W_hr is None else transposed(p.W_hr)
    return Weights(p, W_ih, W_hh, W_hr, folded((p.b_ih + p.b_hh)[:, None], GATES, ORDER, SIGMOIDS)[:, 0])


def forward(p, x, s):
    """Params or Weights, x (T, B, I), State  ->  y (T, B, P), State, Cache"""
    w = p if isinstance(p, Weights) else prepare(p)
    (T, B, _), (P, H) = x.shape, (w.W_hh.shape[0], len(w.b) // 4)
    _, W_ih, W_hh, W_hr, b = w
    blocks, h = allocate(5, T + 1, B, H, x.dtype), empty((T + 1, B, P), x.dtype)
    h[0], blocks[0, 0] = s.h, s.c.reshape(-1)

    one, times = B == 1, product(B == 1)
    z = empty((4 * H,) if one else (B, 4 * H), x.dtype)
    gates_of_z = z.reshape(4, H) if one else z.reshape(B, 4, H).swapaxes(0, 1)
    two, u = empty((2, B * H), x.dtype), empty((B * H,), x.dtype)
    c_part, g_part = two
    m = u.reshape((*z.shape[:-1], H))
    state = h.reshape(T + 1, P) if one else h
    flat = h.reshape(T + 1, B * P)
    K = T if one else max(1, min(T, ROWS // B))
    a = empty((K, *z.shape), x.dtype)
    scale = x.dtype.type(0.5)
    before = state[0]
    for start in range(0, T, K):
        n = min(K, T - start)
        chunk = a[:n].reshape(n * B, 4 * H)
        np.matmul(rows(x[start : start + n]), W_ih, chunk)
        np.add(chunk, b, chunk)                                             # L1, a chunk of steps at once
        part = slice(start, start + n)
        views = zip(a, by_step(blocks[1:, part], gates_of_z.shape), by_step(blocks[2:, part]), by_step(blocks[:2, part]),
                    by_step(blocks[2:4, part]), blocks[4, part], blocks[0, start + 1 : start + n + 1],
                    state[start + 1 : start + n + 1], flat[start + 1 : start + n + 1], strict=False)
        for a_x, gates, sigmoids, cg, fi, o, c, after, h_flat in views:
            times(before, W_hh, z)
            np.add(z, a_x, z)                                               # L1
            np.tanh(gates_of_z, gates)                                      # L2
            np.multiply(sigmoids, scale, sigmoids)
            np.add(sigmoids, scale, sigmoids)                               # L2
            np.multiply(cg, fi, two)
            np.add(c_part, g_part, c)                                       # L3
            np.tanh(c, u)
            if W_hr is None:
                np.multiply(u, o, h_flat)                                   # L4
            else:
                np.multiply(u, o, u)                                        # L4
                times(m, W_hr, after)                                       # L5
            before = after
    return h[1:], State(h[T], blocks[0, T].reshape(B, H)), Cache(w.p, x, h, blocks)


def backward(dy, ds, k):
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    *found, ds = deltas(dy, ds, k)
    dp, dx = gradients([found], [k])
    return dp, dx.reshape(k.x.shape), ds


def deltas(dy, ds, k):
    """The time loop  ->  da (T·B, 4H), dh (T·B, P) where there is a projection, State"""
    T, B, P = dy.shape
    p, one, dtype, times = k.p, B == 1, dy.dtype, product(B == 1)
    H, W_hh, W_hr = len(p.b_ih) // 4, p.W_hh, p.W_hr
    lead = () if one else (B,)
    D = empty((T, 6, H) if one else (T, B, 4 * H), dtype)                   # da, between f and k₁ if one
    K = max(1, min(T, CELLS // (B * H)))
    scratch = empty((0 if one else K, 6, B * H), dtype)
    da_shape, D_steps = ((4 * H,), D[:, 0]) if one else ((4, B, H), D)
    dh, dm = empty((*lead, P), dtype), empty((*lead, H), dtype)
    np.add(ds.h.reshape(dh.shape), dy[-1].reshape(dh.shape), dh)
    dh_all = None if W_hr is None else empty((T, *dh.shape), dtype)
    dc = ds.c.reshape(-1).copy()
    upstream = dy.reshape(T, *dh.shape)
    into_m = (dh if W_hr is None else dm).reshape(-1)
    for end in range(T, 0, -K):
        start = max(0, end - K)
        M = D[start:end] if one else scratch[: end - start]
        local_derivatives(M, k, start, end)
        last, before = M[::-1], slice(end - 1, start - 1 if start else None, -1)
        views = zip(last[:, 4:], last[:, 5], last[:, :4], last[:, 0], last[:, 1:5].reshape(end - start, *da_shape),
                    D_steps[before], upstream[before], strict=True)
        for t, (of_dh, k1, of_dc, dc_before, da, d, dy_t) in enumerate(views, T - end):
            if t:
                np.add(dh, dy_t, dh)
            if dh_all is not None:
                dh_all[T - 1 - t] = dh
                times(dh, W_hr, dm)                                          # L5*
            np.multiply(of_dh, into_m, of_dh)                               # L4*
            np.add(dc, k1, dc)                                              # L4*
            np.multiply(of_dc, dc, of_dc)                                   # L3*, L2*
            dc = dc_before                                                  # L3*
            if one:
                times(da, W_hh, dh)                                         # L1*
            else:
                d.reshape(B, 4, H).swapaxes(0, 1)[...] = da
                times(d, W_hh, dh)                                          # L1*
        dc = dc.copy()                                                      # M is used again
    A = D.reshape(T, 6 * H)[:, H : 5 * H] if one else rows(D)
    return A, None if dh_all is None else dh_all.reshape(T * B, P), State(dh.reshape(B, P), dc.reshape(B, H))


def gradients(found, caches):
    """What deltas found in each of some blocks of steps  ->  Params, dx (rows, I): one product each, L1* and L5*"""
    A, h = stacked([da for da, _ in found]), stacked([rows(k.h[:-1]) for k in caches])
    x = stacked([rows(k.x) for k in caches])
    dx = empty(x.shape, A.dtype)
    np.matmul(A, caches[0].p.W_ih, dx)
    db = A.sum(0)
    dW_hr = None if caches[0].p.W_hr is None else stacked([dh for _, dh in found]).T @ stacked([output(k) for k in caches])
    return Params(A.T @ x, A.T @ h, db, db.copy(), dW_hr), dx


def local_derivatives(M, k, start, end):
    """Fill M (steps, 6, B·H) with the factors of dc for the cell state before, i, f and g, and those of dh, k₂ and k₁"""
    c, g, f, i, o = k.blocks[:, start:end]
    of_c, of_i, of_f, of_g, k2, k1 = M.swapaxes(0, 1)
    np.tanh(k.blocks[0, start + 1 : end + 1], k1)
    np.multiply(o, k1, of_c)                                                # m
    np.multiply(of_c, k1, k1)
    np.subtract(o, k1, k1)                                                  # k₁ = o (1 - u²)
    np.multiply(of_c, o, k2)
    np.subtract(of_c, k2, k2)                                               # k₂ = u o (1 - o)
    np.multiply(g, i, of_i)
    np.multiply(of_i, g, of_g)
    np.subtract(i, of_g, of_g)                                              # i (1 - g²)
    np.multiply(of_i, i, of_c)
    np.subtract(of_i, of_c, of_i)                                           # g i (1 - i)
    np.multiply(c, f, of_f)
    np.multiply(of_f, f, of_c)
    np.subtract(of_f, of_c, of_f)                                           # c f (1 - f)
    of_c[...] = f


def output(k):
    """m = o tanh(c) of all steps (T·B, H): what the projection is applied to"""
    return (k.blocks[4, :-1] * np.tanh(k.blocks[0, 1:])).reshape(-1, len(k.p.b_ih) // 4)  # L4
