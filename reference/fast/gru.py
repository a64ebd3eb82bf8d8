"""The GRU written for speed: the verbs of ``reference.cells.gru``, held to it by the parity suite.

- As in lstm.py 1 / σ = 1 + e⁻ᵃ is what a step divides by, a step works in one record, the input product is computed for a
  chunk of steps, what several blocks are to be multiplied by is first copied to each, and everything is in place.
- h⁺ = n + z ∘ (h - n): one product less than (1 - z) ∘ n + z ∘ h.
- Backwards, all that does not depend on the gradient is computed for a chunk of steps in a few long calls.
- The deltas lie as n r z q, so that da_x is the first three quarters of a row and da_h the last three: no copy.
- One sequence alone (B = 1) has no batch axis.
"""

from typing import NamedTuple

import numpy as np

from ..cells.gru import GATES, Params, State, step_backward, step_forward
from ..common.arrays import Array, rows, stacked
from ..common.memory import empty
from .inference import gru as infer
from .lstm import CELLS, FEW, ROWS, STEPS
from .packed import run_backward, run_forward, run_inference
from .parts import batch, share, sharers
from .tiles import WIDTH, factor, factor_transposed, whole
from .weights import Weights, folded, transposed

__all__ = ["GATES", "Cache", "Params", "State", "backward", "forward", "infer", "run_backward", "run_forward",
           "run_inference", "step_backward", "step_forward"]

SIGMOIDS = "rz"


def forwards(p, whole_ih, whole_hh, reset_after):
    """W_ih (I, 3H); W_hh (H, 3H), that of n apart unless ``reset_after``: those of r and z negated; b (3H,), all that is
    added outside of r ∘ q; b_n (H,), what is added inside"""
    H, unit = len(p.b_ih) // 3, 1 if whole_ih and whole_hh else WIDTH
    fold, b = (GATES, GATES, SIGMOIDS), p.b_ih.copy()
    b[: 2 * H] += p.b_hh[: 2 * H]
    W_ih, b = factor_transposed(p.W_ih, whole_ih, fold, unit), transposed(b[:, None], *fold, unit=unit)[0]
    if reset_after:
        return W_ih, factor_transposed(p.W_hh, whole_hh, fold, unit), None, b, p.b_hh[2 * H :]
    return (W_ih, factor_transposed(p.W_hh[: 2 * H], whole_hh, ("rz", "rz", "rz"), unit),
            factor_transposed(p.W_hh[2 * H :], whole_hh, unit=unit), b, p.b_hh[2 * H :])


def backwards(p, whole_hh, reset_after):
    """W_hh (3H, H); that of n apart unless ``reset_after``"""
    H = len(p.b_ih) // 3
    return (factor(p.W_hh, whole_hh), None) if reset_after else (factor(p.W_hh[: 2 * H], whole_hh),
                                                                factor(p.W_hh[2 * H :], whole_hh))


class Cache(NamedTuple):
    p: Params
    x: Array            # (T, B, I)
    h: Array            # (T+1, B, H)
    blocks: Array       # (4, T, B·H)   1/r 1/z q n
    reset_after: bool


def forward(p, x, s, reset_after=True):
    """Params or Weights, x (T, B, I), State  ->  y (T, B, H), State, Cache"""
    w = p if isinstance(p, Weights) else Weights(p)
    (T, B, _), H = x.shape, len(w.p.b_ih) // 3
    blocks, h, parts = empty((4, T, B * H), x.dtype), empty((T + 1, B, H), x.dtype), batch(T, B, H)
    h[0] = s.h
    factors = w.made(forwards, len(parts) == 1 or whole(parts, w.p.W_ih), whole(parts, w.p.W_hh), reset_after)
    share(lambda part: steps(factors, x[:, part], h[:, part], blocks[:, :, H * part.start : H * part.stop]), parts,
          sharers(T, B, H))
    return h[1:], State(h[T]), Cache(w.p, x, h, blocks, reset_after)


@np.errstate(over="ignore")  # an infinite e⁻ᵃ: its gate is shut
def steps(factors, x, h, blocks):
    """All steps of a part of the batch: x (T, b, I); h (T+1, b, H), the first given; blocks (4, T, b·H)"""
    W_ih, W_hh, W_hn, b_x, b_n = factors
    (T, b, _), H, dtype, width = x.shape, h.shape[2], x.dtype, len(b_x) // 3
    K, lead, one = max(1, min(T, ROWS // b)), () if b == 1 else (b,), np.array(1, dtype)
    record, z, a = empty((4, *lead, H), dtype), empty((*lead, W_hh.width), dtype), empty((K, *lead, 3 * width), dtype)
    rz, (r, z_t, q, n) = record[:2], record                                 # r and z as 1 / σ
    gates_of_z = z.reshape(*lead, -1, width)[..., :H].swapaxes(0, -2)
    a_of_gates = a.reshape(K, *lead, 3, width)[..., :H].swapaxes(1, -2)     # (K, 3, b, H)
    (times, W, at), rz_of_z, q_of_z = W_hh.into(z), gates_of_z[:2], gates_of_z[-1]
    if W_hn is not None:
        rh, wide = empty((*lead, H), dtype), empty((*lead, W_hn.width), dtype)
        candidate, *where = W_hn.into(wide)
        q_of_z = wide[..., :H]
    state, of_steps = h.reshape(T + 1, *lead, H), blocks.swapaxes(0, 1).reshape(T, *record.shape)
    before = state[0]
    for start in range(0, T, K):
        N = min(K, T - start)
        part = slice(start, start + N)
        W_ih.every(x[part], a[:N])
        np.add(a[:N], b_x, a[:N])                                           # G1, G3, a chunk of steps at once
        views = zip(a_of_gates[:N, :2], a_of_gates[:N, 2], of_steps[part], state[1:][part], strict=True)
        for a_rz, a_n, kept, after in views:
            times(before, W, at)
            np.add(rz_of_z, a_rz, rz)
            np.exp(rz, rz)
            np.add(rz, one, rz)                                             # G1
            if W_hn is None:
                np.add(q_of_z, b_n, q)                                      # G2
                np.divide(q, r, n)
            else:
                np.divide(before, r, rh)
                candidate(rh, *where)
                np.add(q_of_z, b_n, q)                                      # G2
                n[...] = q
            np.add(n, a_n, n)
            np.tanh(n, n)                                                   # G3
            kept[...] = record
            np.subtract(before, n, after)
            np.divide(after, z_t, after)
            np.add(after, n, after)                                         # G4
            before = after


def backward(dy, ds, k):
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    *found, ds = deltas(Weights(k.p), dy, ds, k)
    dp, dx = gradients([found], [k])
    return dp, dx.reshape(k.x.shape), ds


def deltas(w, dy, ds, k):
    """The time loop  ->  (T·B, 4H) the deltas n r z q, State"""
    T, B, H = dy.shape
    D, dh, parts = empty((T, B, 4 * H), dy.dtype), ds.h.copy(), batch(T, B, H)
    factors = w.made(backwards, whole(parts, k.p.W_hh), k.reset_after)
    share(lambda part: steps_back(factors, dy[:, part], dh[part], k.h[:, part],
                                  k.blocks[:, :, H * part.start : H * part.stop], D[:, part]), parts, sharers(T, B, H))
    return rows(D), State(dh)


def steps_back(factors, dy, dh, h, blocks, D):
    """All steps of a part of the batch, backwards: dh (b, H), of the last state at first, of the first at last; D
    (T, b, 4H), the deltas n r z q"""
    W_hh, W_hn = factors
    (T, b, H), dtype, lead = dy.shape, dy.dtype, () if dy.shape[1] == 1 else (dy.shape[1],)
    K, few = max(1, min(T, STEPS, CELLS // (b * H))), b * H <= FEW
    M, given, found = empty((5, K, b * H), dtype), empty((5, *lead, H), dtype), empty((5, *lead, H), dtype)
    of_h, of_n, from_h, from_n = given[:3], given[3:], found[:3], found[3:]
    nz, (dn, _, through, _, dq) = found[:2], found                          # n z, what h has of h, r q
    wide = empty((*lead, W_hh.width), dtype)
    back, (times, W, at) = wide[..., :H], W_hh.into(wide)
    inner = dn
    if W_hn is not None:
        wide_n = empty((*lead, W_hn.width), dtype)
        inner, (candidate, *where) = wide_n[..., :H], W_hn.into(wide_n)
    h_3, n_2 = (empty((n, *lead, H), dtype) for n in (3, 2)) if few else (back, inner)
    D, upstream = D.reshape(T, *lead, 4 * H), dy.reshape(T, *lead, H)
    gates_of_D, of_steps = D.reshape(T, *lead, 4, H).swapaxes(1, -2), M.swapaxes(0, 1).reshape(K, *given.shape)
    D_nz, D_rq, D_rz, D_rzq = gates_of_D[:, ::2], gates_of_D[:, 1::2], D[..., H : 3 * H], D[..., H:]
    back[...] = dh.reshape(back.shape)
    for end in range(T, 0, -K):
        start = max(0, end - K)
        local_derivatives(M[:, : end - start], W_hn is None, h, blocks, start, end)
        for t in range(end - 1, start - 1, -1):
            np.add(back, upstream[t], back)
            if few:
                given[...], h_3[...] = of_steps[t - start], back
            else:
                of_h, of_n = of_steps[t - start, :3], of_steps[t - start, 3:]
            np.multiply(of_h, h_3, from_h)                                  # G4*, G3*, G1*
            D_nz[t] = nz
            if W_hn is not None:
                candidate(dn, *where)                                       # G2*
            if few:
                n_2[...] = inner
            np.multiply(of_n, n_2, from_n)                                  # G3*, G2*, G1*
            D_rq[t] = from_n
            if W_hn is None:
                times(D_rzq[t], W, at)                                      # G1*, G2*
            else:
                gates_of_D[t, 3] = dn
                times(D_rz[t], W, at)                                       # G1*
                np.add(back, dq, back)
            np.add(back, through, back)
    dh[...] = back


def local_derivatives(M, reset_after, h, blocks, start, end):
    """Fill M (5, steps, B·H) with the factors of dh for n, z and the state before, and those of dn (or of what comes back
    through W_n) for r and q (or the state before)"""
    q, n = blocks[2:, start:end]
    before = h[start:end].reshape(end - start, -1)
    of_n, of_z, z, of_r, r = M                                              # that of the state before is z, that of q is r
    np.reciprocal(blocks[0, start:end], r)
    np.reciprocal(blocks[1, start:end], z)
    np.multiply(n, n, of_z)
    np.subtract(1, of_z, of_z)
    np.subtract(1, z, of_r)
    np.multiply(of_z, of_r, of_n)                                           # (1 - z)(1 - n²)
    np.multiply(of_r, z, of_r)
    np.subtract(before, n, of_z)
    np.multiply(of_z, of_r, of_z)                                           # (h - n) z (1 - z)
    np.subtract(1, r, of_r)
    np.multiply(of_r, r, of_r)
    np.multiply(of_r, q if reset_after else before, of_r)                   # q r (1 - r), or h r (1 - r)


def gradients(found, caches):
    """What deltas found in each of some blocks of steps  ->  Params, dx (rows, I): one product each, G1*, G2*, G3*"""
    A, h = stacked([d for d, in found]), stacked([rows(k.h[:-1]) for k in caches])
    x, H = stacked([rows(k.x) for k in caches]), h.shape[1]
    dx = empty(x.shape, A.dtype)
    np.matmul(A[:, : 3 * H], folded(caches[0].p.W_ih, GATES, "nrz"), dx)
    dW_ih, db = empty((3 * H, x.shape[1]), A.dtype), A.sum(0)
    np.matmul(A[:, H : 3 * H].T, x, dW_ih[: 2 * H])
    np.matmul(A[:, :H].T, x, dW_ih[2 * H :])
    if caches[0].reset_after:
        dW_hh = A[:, H:].T @ h
    else:
        rh = stacked([np.reciprocal(k.blocks[0]).reshape(-1, H) for k in caches]) * h
        dW_hh = np.concatenate([A[:, H : 3 * H].T @ h, A[:, 3 * H :].T @ rh])
    return Params(dW_ih, dW_hh, np.concatenate([db[H : 3 * H], db[:H]]), db[H:]), dx
