"""The LSTM written for speed: the verbs of ``reference.lstm``, held to it by the parity suite.

- σ(a) = ½ + ½ tanh(a/2): the inner half is folded into the weights, so one tanh serves all four gates, and one
  product and one sum over three of them finish the sigmoids.
- Every gate is one contiguous block, in the order c g f i o: c ∘ f and g ∘ i are one call, and no call is strided.
- The input product is computed for a chunk of steps at once, which stays in the cache until the steps have read it.
- Backwards, all that does not depend on the gradient is computed for a chunk of steps in a few long calls: the four
  factors of dc, and k₂ and k₁, those of dh.  A step is then two products, two sums and one GEMM.  They lie in the order
  c i f g k₂ k₁: each kind's are neighbours, and so are the four gates, in torch's own order: no weight is copied.
- One sequence alone (B = 1) has no batch axis, and its blocks lie row by row, so that a step touches one row.
"""

from typing import NamedTuple

import numpy as np

from ..lstm import GATES, Params, State, step_backward, step_forward
from ..memory import empty
from ..ops import Array, rows, stacked
from .inference import lstm as infer
from .packed import run_backward, run_forward, run_inference
from .parts import batch, share, sharers
from .tiles import WIDTH, factor, factor_transposed, whole
from .weights import Weights, transposed

__all__ = ["GATES", "Cache", "Params", "State", "backward", "forward", "infer", "run_backward", "run_forward",
           "run_inference", "step_backward", "step_forward"]

ORDER, SIGMOIDS = "gfio", "fio"  # the order that lets neighbouring blocks share a call
ROWS, CELLS = 1024, 1 << 16      # size of a chunk: rows of the input product, elements of a block


def forwards(p, whole_ih, whole_hh, whole_hr):
    """W_ih (I, 4H) and W_hh (P, 4H) in ORDER, halved where a sigmoid follows; W_hr (H, P); b (4H,)"""
    unit, fold = 1 if whole_ih and whole_hh else WIDTH, (GATES, ORDER, SIGMOIDS)
    return (factor_transposed(p.W_ih, whole_ih, fold, unit=unit), factor_transposed(p.W_hh, whole_hh, fold, unit=unit),
            None if p.W_hr is None else factor_transposed(p.W_hr, whole_hr),
            transposed((p.b_ih + p.b_hh)[:, None], *fold, unit=unit)[0])


def backwards(p, whole_hh, whole_hr):
    """W_hh (4H, P); W_hr (P, H)"""
    return factor(p.W_hh, whole_hh), None if p.W_hr is None else factor(p.W_hr, whole_hr)


class Cache(NamedTuple):
    p: Params
    x: Array       # (T, B, I)
    h: Array       # (T+1, B, P)
    blocks: Array  # (5, T+1, B·H)   c g f i o; c[t] enters step t, the gates are those of step t


def allocate(n: int, T: int, B: int, H: int, dtype) -> Array:
    """(n, T, B·H), block by block; for one sequence row by row"""
    return empty((T, n, H), dtype).swapaxes(0, 1) if B == 1 else empty((n, T, B * H), dtype)


def by_step(blocks: Array, shape: tuple[int, ...] = (-1,)) -> Array:
    """(n, steps, b·H)  ->  (steps, n, *shape): a view whose items are what one step needs"""
    steps = blocks.swapaxes(0, 1)
    return steps.reshape(*steps.shape[:2], *shape)


def recurrent(parts, p):
    """Whether W_hh and W_hr stay whole for these parts of a batch"""
    return whole(parts, p.W_hh), p.W_hr is None or whole(parts, p.W_hr)


def forward(p, x, s):
    """Params or Weights, x (T, B, I), State  ->  y (T, B, P), State, Cache"""
    w = p if isinstance(p, Weights) else Weights(p)
    (T, B, _), P, H = x.shape, w.p.W_hh.shape[1], len(w.p.b_ih) // 4
    blocks, h = allocate(5, T + 1, B, H, x.dtype), empty((T + 1, B, P), x.dtype)
    h[0], blocks[0, 0] = s.h, s.c.reshape(-1)
    parts = batch(T, B, H)
    factors = w.made(forwards, len(parts) == 1 or whole(parts, w.p.W_ih), *recurrent(parts, w.p))
    share(lambda part: steps(factors, x[:, part], h[:, part], blocks[:, :, H * part.start : H * part.stop]), parts,
          sharers(T, B, H))
    return h[1:], State(h[T], blocks[0, T].reshape(B, H)), Cache(w.p, x, h, blocks)


def steps(factors, x, h, blocks):
    """All steps of a part of the batch: x (T, b, I); h (T+1, b, P) and blocks (5, T+1, b·H), of which the first are given"""
    W_ih, W_hh, W_hr, bias = factors
    T, b, P = len(x), x.shape[1], h.shape[2]
    H, one = blocks.shape[2] // b, b == 1
    lead, width = () if one else (b,), len(bias)
    state, flat = h.reshape(T + 1, *lead, P), h.reshape(T + 1, b * P)
    z = empty((*lead, width), x.dtype)
    gates_of_z = z.reshape(4, H) if one else z.reshape(b, 4, -1)[..., :H].swapaxes(0, 1)
    two, u = empty((2, b * H), x.dtype), empty((b * H,), x.dtype)
    c_part, g_part = two
    m = u.reshape(*lead, H)
    scale = x.dtype.type(0.5)
    K = T if one else max(1, min(T, ROWS // b))
    a = empty((K, *lead, width), x.dtype)
    times, W, at = W_hh.into(z)
    if W_hr is not None:
        r = empty((*lead, W_hr.width), x.dtype)
        project, *projected = W_hr.into(r)
    before = state[0]
    for start in range(0, T, K):
        n = min(K, T - start)
        part, chunk = slice(start, start + n), a[:n]
        W_ih.every(x[part], chunk)
        np.add(chunk, bias, chunk)                                          # L1, a chunk of steps at once
        views = zip(chunk, by_step(blocks[1:, part], gates_of_z.shape[1:]), by_step(blocks[2:, part]),
                    by_step(blocks[:2, part]), by_step(blocks[2:4, part]), blocks[4, part],
                    blocks[0, start + 1 : start + n + 1], state[start + 1 : start + n + 1],
                    flat[start + 1 : start + n + 1], strict=True)
        for a_x, gates, sigmoids, cg, fi, o, c, after, h_flat in views:
            times(before, W, at)
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
                project(m, *projected)                                      # L5
                after[...] = r[..., :P]
            before = after


def backward(dy, ds, k):
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    *found, ds = deltas(Weights(k.p), dy, ds, k)
    dp, dx = gradients([found], [k])
    return dp, dx.reshape(k.x.shape), ds


def deltas(w, dy, ds, k):
    """The time loop  ->  da (T·B, 4H), dh (T·B, P) where there is a projection, State"""
    T, B, P = dy.shape
    H, one = k.blocks.shape[2] // B, B == 1
    D = empty((T, 6 * H) if one else (T, B, 4 * H), dy.dtype)               # da, between f and k₁ if one
    dh_all = None if k.p.W_hr is None else empty((T, B, P), dy.dtype)
    dh, dc = ds.h + dy[-1], ds.c.copy()
    parts = batch(T, B, H)
    factors = w.made(backwards, *recurrent(parts, k.p))
    share(lambda part: steps_back(factors, dy[:, part], dh[part], dc[part], k.blocks[:, :, H * part.start : H * part.stop],
                                  D if one else D[:, part], None if dh_all is None else dh_all[:, part]), parts,
          sharers(T, B, H))
    A = D[:, H : 5 * H] if one else rows(D)
    return A, None if dh_all is None else dh_all.reshape(T * B, P), State(dh, dc)


def steps_back(factors, dy, dh, dc, blocks, D, dh_all):
    """All steps of a part of the batch, backwards, into D and dh_all: dh (b, P) and dc (b, H) are of the last state at first,
    of the first at last"""
    W_hh, W_hr = factors
    T, b, P = dy.shape
    H, one, dtype = dc.shape[1], b == 1, dy.dtype
    lead = () if one else (b,)
    K = max(1, min(T, CELLS // (b * H)))
    scratch = empty((0 if one else K, 6, *lead, H), dtype)
    steps = D.reshape(T, 6, H) if one else D.reshape(T, b, 4, H).swapaxes(1, 2)
    back = empty((*lead, W_hh.width), dtype)
    through, (times, W, at) = back[..., :P], W_hh.into(back)
    through[...], dc_now = dh.reshape(through.shape), dc.reshape(*lead, H)
    into_m = through
    if W_hr is not None:
        dm = empty((*lead, W_hr.width), dtype)
        (project, *projected), into_m, carried = W_hr.into(dm), dm[..., :H], dh_all.reshape(T, *lead, P)
    upstream = dy.reshape(T, *lead, P)
    for end in range(T, 0, -K):
        start = max(0, end - K)
        M = steps[start:end] if one else scratch[: end - start]
        local_derivatives(M.reshape(end - start, 6, -1), blocks, start, end)
        last, before = M[::-1], slice(end - 1, start - 1 if start else None, -1)
        views = zip(last[:, 4:], last[:, 5], last[:, :4], last[:, 0], last[:, 1:5], steps[before], D[before],
                    upstream[before], strict=True)
        for t, (of_dh, k1, of_dc, dc_before, da, gates_of_d, d, dy_t) in enumerate(views, T - end):
            if t:
                np.add(through, dy_t, through)
            if W_hr is not None:
                carried[T - 1 - t] = through
                project(carried[T - 1 - t], *projected)                         # L5*
            np.multiply(of_dh, into_m, of_dh)                               # L4*
            np.add(dc_now, k1, dc_now)                                      # L4*
            np.multiply(of_dc, dc_now, of_dc)                               # L3*, L2*
            dc_now = dc_before                                              # L3*
            if one:
                times(da.reshape(-1), W, at)                                    # L1*
            else:
                gates_of_d[...] = da
                times(d, W, at)                                             # L1*
        dc_now = dc_now.copy()                                              # M is used again
    dh[...], dc[...] = through, dc_now


def gradients(found, caches):
    """What deltas found in each of some blocks of steps  ->  Params, dx (rows, I): one product each, L1* and L5*"""
    A, h = stacked([da for da, _ in found]), stacked([rows(k.h[:-1]) for k in caches])
    x = stacked([rows(k.x) for k in caches])
    dx = empty(x.shape, A.dtype)
    np.matmul(A, caches[0].p.W_ih, dx)
    db = A.sum(0)
    dW_hr = None if caches[0].p.W_hr is None else stacked([dh for _, dh in found]).T @ stacked([output(k) for k in caches])
    return Params(A.T @ x, A.T @ h, db, db.copy(), dW_hr), dx


def local_derivatives(M, blocks, start, end):
    """Fill M (steps, 6, B·H) with the factors of dc for the cell state before, i, f and g, and those of dh, k₂ and k₁"""
    c, g, f, i, o = blocks[:, start:end]
    of_c, of_i, of_f, of_g, k2, k1 = M.swapaxes(0, 1)
    np.tanh(blocks[0, start + 1 : end + 1], k1)
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
