"""The GRU written for speed: the verbs of ``reference.gru``, held to it by the parity suite.

- σ(a) = ½ + ½ tanh(a/2), the inner half folded into the weights of r and z.
- Every gate is one contiguous block; the input product is computed for a chunk of steps; everything is in place.
- h⁺ = n + z ∘ (h - n): one product less than (1 - z) ∘ n + z ∘ h.
- Backwards, all that does not depend on the gradient is computed for a chunk of steps in a few long calls.
- The deltas lie as n r z q, so that da_x is the first three quarters of a row and da_h the last three: no copy.
- One sequence alone (B = 1) has no batch axis.
"""

from typing import NamedTuple

import numpy as np

from ..gru import GATES, Params, State, step_backward, step_forward
from ..memory import empty
from ..ops import Array, rows, stacked
from .inference import gru as infer
from .lstm import CELLS, ROWS, allocate
from .packed import run_backward, run_forward, run_inference
from .parts import batch, share, sharers
from .tiles import WIDTH, factor, factor_transposed, whole
from .weights import Weights, folded, transposed

__all__ = ["GATES", "Cache", "Params", "State", "backward", "forward", "infer", "run_backward", "run_forward",
           "run_inference", "step_backward", "step_forward"]

SIGMOIDS = "rz"


def forwards(p, whole_ih, whole_hh, reset_after):
    """W_ih (I, 3H); W_hh (H, 3H), that of n apart unless ``reset_after``: those of r and z halved; b (3H,), all that is
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
    blocks: Array       # (4, T, B·H)   r z q n
    reset_after: bool


def forward(p, x, s, reset_after=True):
    """Params or Weights, x (T, B, I), State  ->  y (T, B, H), State, Cache"""
    w = p if isinstance(p, Weights) else Weights(p)
    (T, B, _), H = x.shape, len(w.p.b_ih) // 3
    blocks, h, parts = allocate(4, T, B, H, x.dtype), empty((T + 1, B, H), x.dtype), batch(T, B, H)
    h[0] = s.h
    factors = w.made(forwards, len(parts) == 1 or whole(parts, w.p.W_ih), whole(parts, w.p.W_hh), reset_after)
    share(lambda part: steps(factors, x[:, part], h[:, part], blocks[:, :, H * part.start : H * part.stop]), parts,
          sharers(T, B, H))
    return h[1:], State(h[T]), Cache(w.p, x, h, blocks, reset_after)


def steps(factors, x, h, blocks):
    """All steps of a part of the batch: x (T, b, I); h (T+1, b, H), the first given; blocks (4, T, b·H)"""
    W_ih, W_hh, W_hn, b_x, b_n = factors
    (T, b, _), H, dtype = x.shape, h.shape[2], x.dtype
    one, lead, width = b == 1, () if b == 1 else (b,), len(b_x) // 3
    z = empty((*lead, W_hh.width), dtype)
    gates_of_z = z.reshape(*lead, -1, width)[..., :H].swapaxes(0, -2)
    times, W, at = W_hh.into(z)
    if W_hn is not None:
        rh, wide = empty((*lead, H), dtype), empty((*lead, W_hn.width), dtype)
        candidate, *where = W_hn.into(wide)
    K = T if one else max(1, min(T, ROWS // b))
    a = empty((K, *lead, 3 * width), dtype)
    a_of_gates = a.reshape(K, *lead, 3, width)[..., :H].swapaxes(1, -2)     # (K, 3, b, H)
    state, scale = h.reshape(T + 1, *lead, H), dtype.type(0.5)
    of_steps = blocks.swapaxes(0, 1).reshape(T, 4, *lead, H)
    before = state[0]
    for start in range(0, T, K):
        n = min(K, T - start)
        W_ih.every(x[start : start + n], a[:n])
        np.add(a[:n], b_x, a[:n])                                           # G1, G3, a chunk of steps at once
        for t, a_x in enumerate(a_of_gates[:n], start):
            r, z_t, q, new = gates = of_steps[t]
            rz, after = gates[:2], state[t + 1]
            times(before, W, at)
            np.add(gates_of_z[:2], a_x[:2], rz)
            np.tanh(rz, rz)
            np.multiply(rz, scale, rz)
            np.add(rz, scale, rz)                                           # G1
            if W_hn is None:
                np.add(gates_of_z[2], b_n, q)                               # G2
                np.multiply(r, q, new)
            else:
                np.multiply(r, before, rh)
                candidate(rh, *where)
                np.add(wide[..., :H], b_n, q)                               # G2
                new[...] = q
            np.add(new, a_x[2], new)
            np.tanh(new, new)                                               # G3
            np.subtract(before, new, after)
            np.multiply(after, z_t, after)
            np.add(after, new, after)                                       # G4
            before = after


def backward(dy, ds, k):
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    *found, ds = deltas(Weights(k.p), dy, ds, k)
    dp, dx = gradients([found], [k])
    return dp, dx.reshape(k.x.shape), ds


def deltas(w, dy, ds, k):
    """The time loop  ->  (T·B, 4H) the deltas n r z q, State"""
    T, B, H = dy.shape
    D, dh, parts = empty((T, B, 4 * H), dy.dtype), ds.h + dy[-1], batch(T, B, H)
    factors = w.made(backwards, whole(parts, k.p.W_hh), k.reset_after)
    share(lambda part: steps_back(factors, dy[:, part], dh[part], k.h[:, part],
                                  k.blocks[:, :, H * part.start : H * part.stop], D[:, part]), parts, sharers(T, B, H))
    return rows(D), State(dh)


def steps_back(factors, dy, dh, h, blocks, D):
    """All steps of a part of the batch, backwards: dh (b, H), of the last state at first, of the first at last; D
    (T, b, 4H), the deltas n r z q"""
    W_hh, W_hn = factors
    (T, b, H), dtype, lead = dy.shape, dy.dtype, () if dy.shape[1] == 1 else (dy.shape[1],)
    D = D.reshape(T, *lead, 4 * H)
    gates_of_D = D.reshape(T, *lead, 4, H).swapaxes(1, -2)                  # (T, 4, b, H)
    K = max(1, min(T, CELLS // (b * H)))
    scratch = allocate(4, K, b, H, dtype)
    wide, dn, through = empty((*lead, W_hh.width), dtype), empty((*lead, H), dtype), empty((*lead, H), dtype)
    back, (times, W, at) = wide[..., :H], W_hh.into(wide)
    if W_hn is not None:
        wide_n = empty((*lead, W_hn.width), dtype)
        of_rh, (candidate, *where) = wide_n[..., :H], W_hn.into(wide_n)
    back[...] = dh.reshape(back.shape)
    upstream, of_steps = dy.reshape(T, *lead, H), blocks.swapaxes(0, 1).reshape(T, 4, *lead, H)
    for end in range(T, 0, -K):
        start = max(0, end - K)
        factors_of_steps = local_derivatives(scratch, W_hn is None, h, blocks, start, end)
        for t in range(end - 1, start - 1, -1):
            d, (r, z, _, _) = gates_of_D[t], of_steps[t]
            of_n, of_z, of_r = (v[t - start].reshape(back.shape) for v in factors_of_steps)
            np.multiply(back, of_n, dn)                                     # G4*, G3*
            np.multiply(back, of_z, d[2])                                   # G4*, G1*
            np.multiply(back, z, through)                                   # G4*
            d[0] = dn
            if W_hn is None:
                np.multiply(dn, of_r, d[1])                                 # G3*, G1*
                np.multiply(dn, r, d[3])                                    # G3*
                times(D[t][..., H:], W, at)                                 # G1*, G2*
            else:
                d[3] = dn
                candidate(dn, *where)                                       # G2*
                np.multiply(of_rh, of_r, d[1])                              # G2*, G1*
                np.multiply(of_rh, r, of_rh)
                times(D[t][..., H : 3 * H], W, at)                          # G1*
                np.add(back, of_rh, back)
            np.add(back, through, back)
            if t:
                np.add(back, upstream[t - 1], back)
    dh[...] = back


def local_derivatives(M, reset_after, h, blocks, start, end):
    """Fill M (4, steps, B·H): the factors of dh for n and z, and of dn (or of what comes back through W_n) for r"""
    r, z, q, n = (v[start:end] for v in blocks)
    before = h[start:end].reshape(end - start, -1)
    of_n, of_z, of_r, tmp = (v[: end - start] for v in M)
    np.multiply(n, n, of_n)
    np.subtract(1, of_n, of_n)
    np.subtract(1, z, tmp)
    np.multiply(of_n, tmp, of_n)                                            # (1 - z)(1 - n²)
    np.multiply(tmp, z, tmp)
    np.subtract(before, n, of_z)
    np.multiply(of_z, tmp, of_z)                                            # (h - n) z (1 - z)
    np.subtract(1, r, of_r)
    np.multiply(of_r, r, of_r)
    np.multiply(of_r, q if reset_after else before, of_r)                 # q r (1 - r), or h r (1 - r)
    return of_n, of_z, of_r


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
        rh = stacked([np.ascontiguousarray(k.blocks[0]).reshape(-1, H) for k in caches]) * h
        dW_hh = np.concatenate([A[:, H : 3 * H].T @ h, A[:, 3 * H :].T @ rh])
    return Params(dW_ih, dW_hh, np.concatenate([db[H : 3 * H], db[:H]]), db[H:]), dx
