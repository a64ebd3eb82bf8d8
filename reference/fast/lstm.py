"""The LSTM written for speed: the verbs of ``reference.cells.lstm``, held to it by the parity suite.

- σ(a) = 1 / (1 + e⁻ᵃ): the minus is folded into the weights, and what would be multiplied by a gate is divided by its
  1 / σ = 1 + e⁻ᵃ instead: two calls finish the three sigmoids, and no digit is lost however far a gate is shut.
- A step works in one record, whose views are made once.  Every gate is one contiguous block, in the order c g f i o: what c
  keeps and what g gives are one call.  One more copies the record to the others.
- On short arrays a call costs more than its arithmetic, and least where its arrays are contiguous and of one shape: NumPy
  then takes a shorter way through it.  So what several blocks are to be multiplied by is first copied to each of as many,
  and a constant is an array without an axis, which need not be made of a number at each call.
- The input product is computed for a chunk of steps at once, which stays in the cache until the steps have read it.
- Backwards, all that does not depend on the gradient is computed for a chunk of steps in a few long calls: the four
  factors of dc, and k₂ and k₁, those of dh.  A step is then two products, two sums and one GEMM.  They lie in the order
  c i f g k₂ k₁: each kind's are neighbours, and so are the four gates, in torch's own order: no weight is copied.
- One sequence alone (B = 1) has no batch axis.
"""

from typing import NamedTuple

import numpy as np

from ..cells.lstm import GATES, Params, State, step_backward, step_forward
from ..common.arrays import Array, rows, stacked
from ..common.memory import empty
from .inference import lstm as infer
from .packed import run_backward, run_forward, run_inference
from .parts import batch, share, sharers
from .tiles import WIDTH, factor, factor_transposed, whole
from .weights import Weights, transposed

__all__ = ["GATES", "Cache", "Params", "State", "backward", "forward", "infer", "run_backward", "run_forward",
           "run_inference", "step_backward", "step_forward"]

ORDER, SIGMOIDS = "gfio", "fio"  # the order that lets neighbouring blocks share a call
ROWS = 1024                      # of the input product in a chunk
STEPS, CELLS = 32, 1 << 16       # whose derivatives are a chunk, at most; numbers in one of its blocks, at most
FEW = 1 << 11                    # numbers of a step in a block up to which a copy for each block costs less than a longer way


def forwards(p, whole_ih, whole_hh, whole_hr):
    """W_ih (I, 4H) and W_hh (P, 4H) in ORDER, negated where a sigmoid follows; W_hr (H, P); b (4H,)"""
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
    blocks: Array  # (5, T+1, B·H)   c g 1/f 1/i 1/o; c[t] enters step t, the gates are those of step t


def recurrent(parts, p):
    """Whether W_hh and W_hr stay whole for these parts of a batch"""
    return whole(parts, p.W_hh), p.W_hr is None or whole(parts, p.W_hr)


def forward(p, x, s):
    """Params or Weights, x (T, B, I), State  ->  y (T, B, P), State, Cache"""
    w = p if isinstance(p, Weights) else Weights(p)
    (T, B, _), P, H = x.shape, w.p.W_hh.shape[1], len(w.p.b_ih) // 4
    blocks, h = empty((5, T + 1, B * H), x.dtype), empty((T + 1, B, P), x.dtype)
    h[0], blocks[0, 0] = s.h, s.c.reshape(-1)
    parts = batch(T, B, H)
    factors = w.made(forwards, len(parts) == 1 or whole(parts, w.p.W_ih), *recurrent(parts, w.p))
    share(lambda part: steps(factors, x[:, part], h[:, part], blocks[:, :, H * part.start : H * part.stop]), parts,
          sharers(T, B, H))
    return h[1:], State(h[T], blocks[0, T].reshape(B, H)), Cache(w.p, x, h, blocks)


@np.errstate(over="ignore")  # an infinite e⁻ᵃ: its gate is shut
def steps(factors, x, h, blocks):
    """All steps of a part of the batch: x (T, b, I); h (T+1, b, P) and blocks (5, T+1, b·H), of which the first are given"""
    W_ih, W_hh, W_hr, bias = factors
    (T, b, _), P, H, dtype = x.shape, h.shape[2], blocks.shape[2] // x.shape[1], x.dtype
    K, lead, width, one = max(1, min(T, ROWS // b)), () if b == 1 else (b,), len(bias), np.array(1, dtype)
    record, two, m = empty((5, *lead, H), dtype), empty((2, *lead, H), dtype), empty((*lead, H), dtype)
    c, g, o, sigmoids, cg, fi = record[0], record[1], record[4], record[2:], record[:2], record[2:4]
    c_part, g_part = two
    a, z = empty((K, *lead, width), dtype), empty((*lead, width), dtype)
    gates_of_z, (times, W, at) = z.reshape(*lead, 4, -1)[..., :H].swapaxes(0, -2), W_hh.into(z)
    if W_hr is not None:
        r = empty((*lead, W_hr.width), dtype)
        project, *projected = W_hr.into(r)
    g_of_z, sigmoids_of_z = gates_of_z[0], gates_of_z[1:]
    state, of_steps = h.reshape(T + 1, *lead, P), blocks.swapaxes(0, 1).reshape(T + 1, *record.shape)
    before, c[...] = state[0], of_steps[0, 0]
    for start in range(0, T, K):
        n = min(K, T - start)
        part, chunk = slice(start, start + n), a[:n]
        W_ih.every(x[part], chunk)
        np.add(chunk, bias, chunk)                                          # L1, a chunk of steps at once
        for a_x, kept, after in zip(chunk, of_steps[part], state[1:][part], strict=True):
            times(before, W, at)
            np.add(z, a_x, z)                                               # L1
            np.tanh(g_of_z, g)
            np.exp(sigmoids_of_z, sigmoids)
            np.add(sigmoids, one, sigmoids)                                 # L2, f i o as 1 / σ
            np.divide(cg, fi, two)
            kept[...] = record
            np.add(c_part, g_part, c)                                       # L3
            np.tanh(c, m)
            if W_hr is None:
                np.divide(m, o, after)                                      # L4
            else:
                np.divide(m, o, m)                                          # L4
                project(m, *projected)                                      # L5
                after[...] = r[..., :P]
            before = after
    of_steps[T, 0] = c


def backward(dy, ds, k):
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    *found, ds = deltas(Weights(k.p), dy, ds, k)
    dp, dx = gradients([found], [k])
    return dp, dx.reshape(k.x.shape), ds


def deltas(w, dy, ds, k):
    """The time loop  ->  da (T·B, 4H), dh (T·B, P) where there is a projection, State"""
    T, B, P = dy.shape
    H = k.blocks.shape[2] // B
    D = empty((T, B, 4 * H), dy.dtype)
    dh_all = None if k.p.W_hr is None else empty((T, B, P), dy.dtype)
    dh, dc = ds.h.copy(), ds.c.copy()
    parts = batch(T, B, H)
    factors = w.made(backwards, *recurrent(parts, k.p))
    share(lambda part: steps_back(factors, dy[:, part], dh[part], dc[part], k.blocks[:, :, H * part.start : H * part.stop],
                                  D[:, part], None if dh_all is None else dh_all[:, part]), parts,
          sharers(T, B, H))
    return rows(D), None if dh_all is None else dh_all.reshape(T * B, P), State(dh, dc)


def steps_back(factors, dy, dh, dc, blocks, D, dh_all):
    """All steps of a part of the batch, backwards, into D and dh_all: dh (b, P) and dc (b, H) are of the last state at first,
    of the first at last"""
    W_hh, W_hr = factors
    (T, b, P), H, dtype, lead = dy.shape, dc.shape[1], dy.dtype, () if dy.shape[1] == 1 else (dy.shape[1],)
    K, few = max(1, min(T, STEPS, CELLS // (b * H))), b * H <= FEW
    M, given, found = empty((6, K, b * H), dtype), empty((6, *lead, H), dtype), empty((6, *lead, H), dtype)
    of_dc, of_dm, from_dc, from_dm, da = given[:4], given[4:], found[:4], found[4:], found[1:5]
    dc_before, through_m = found[0], found[5]
    back, dc_now = empty((*lead, W_hh.width), dtype), empty((*lead, H), dtype)
    through, (times, W, at) = back[..., :P], W_hh.into(back)
    through[...], dc_before[...] = dh.reshape(through.shape), dc.reshape(dc_now.shape)
    dm = through
    if W_hr is not None:
        wide = empty((*lead, W_hr.width), dtype)
        (project, *projected), dm, carried = W_hr.into(wide), wide[..., :H], dh_all.reshape(T, *lead, P)
    dm_2, dc_4 = (empty((n, *lead, H), dtype) for n in (2, 4)) if few else (dm, dc_now)
    upstream, deltas_of_steps = dy.reshape(T, *lead, P), D.reshape(T, *lead, 4 * H)
    gates_of_D, of_steps = D.reshape(T, *lead, 4, H).swapaxes(1, -2), M.swapaxes(0, 1).reshape(K, *given.shape)
    for end in range(T, 0, -K):
        start = max(0, end - K)
        local_derivatives(M[:, : end - start], blocks, start, end)
        for t in range(end - 1, start - 1, -1):
            np.add(through, upstream[t], through)
            if W_hr is not None:
                carried[t] = through
                project(carried[t], *projected)                             # L5*
            if few:
                given[...], dm_2[...] = of_steps[t - start], dm
            else:
                of_dc, of_dm = of_steps[t - start, :4], of_steps[t - start, 4:]
            np.multiply(of_dm, dm_2, from_dm)                               # L4*
            np.add(dc_before, through_m, dc_now)                            # L4*
            if few:
                dc_4[...] = dc_now
            np.multiply(of_dc, dc_4, from_dc)                               # L3*, L2*
            gates_of_D[t] = da
            times(deltas_of_steps[t], W, at)                                # L1*
    dh[...], dc[...] = through, dc_before


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
    c, g = blocks[:2, start:end]
    f, of_i, of_f, of_g, k2, k1 = M                                         # that of c is f
    np.reciprocal(blocks[2:4, start:end], M[:2])                            # f and i
    np.reciprocal(blocks[4, start:end], k2)                                 # o
    np.tanh(blocks[0, start + 1 : end + 1], k1)                             # u
    np.multiply(k2, k1, of_f)                                               # m
    np.multiply(of_f, k1, k1)
    np.subtract(k2, k1, k1)                                                 # k₁ = o (1 - u²)
    np.multiply(of_f, k2, k2)
    np.subtract(of_f, k2, k2)                                               # k₂ = u o (1 - o)
    np.multiply(of_i, g, of_f)
    np.multiply(of_f, g, of_g)
    np.subtract(of_i, of_g, of_g)                                           # i (1 - g²)
    np.multiply(of_f, of_i, of_i)
    np.subtract(of_f, of_i, of_i)                                           # g i (1 - i)
    np.subtract(1, f, of_f)
    np.multiply(of_f, f, of_f)
    np.multiply(of_f, c, of_f)                                              # c f (1 - f)


def output(k):
    """m = o tanh(c) of all steps (T·B, H): what the projection is applied to"""
    return (np.tanh(k.blocks[0, 1:]) / k.blocks[4, :-1]).reshape(-1, len(k.p.b_ih) // 4)  # L4
