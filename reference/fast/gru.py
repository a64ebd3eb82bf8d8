"""The GRU written for speed: the verbs of ``reference.gru``, held to it by the parity suite.

- σ(a) = ½ + ½ tanh(a/2), the inner half folded into the weights of r and z.
- Every gate is one contiguous block; the input product is one GEMM for a chunk of steps; everything is in place.
- h⁺ = n + z ∘ (h - n): one product less than (1 - z) ∘ n + z ∘ h.
- Backwards, all that does not depend on the gradient is computed for a chunk of steps in a few long calls.
- The deltas lie as n r z q, so that da_x is the first three quarters of a row and da_h the last three: no copy.
- One sequence alone (B = 1) has no batch axis.
"""

from typing import NamedTuple

import numpy as np

from ..gru import GATES, Params, State, step_backward, step_forward
from ..memory import empty
from ..ops import Array, product, rows, stacked
from .inference import gru as infer
from .lstm import CELLS, ROWS, allocate
from .packed import run_backward, run_forward, run_inference
from .weights import folded, transposed

__all__ = ["GATES", "Cache", "Params", "State", "backward", "forward", "infer", "run_backward", "run_forward",
           "run_inference", "step_backward", "step_forward"]

SIGMOIDS = "rz"


class Weights(NamedTuple):
    """Copies of the Params as forward reads them; they are not kept for the backward."""

    p: Params
    W_ih: Array  # (I, 3H)   those of r and z halved
    W_hh: Array  # (H, 3H)
    b: Array     # (3H,)     all that is added outside of r ∘ q
    b_n: Array   # (H,)      what is added inside


class Cache(NamedTuple):
    p: Params
    x: Array            # (T, B, I)
    h: Array            # (T+1, B, H)
    blocks: Array       # (4, T, B·H)   r z q n
    reset_after: bool


def prepare(p):
    """Params  ->  Weights"""
    H = len(p.b_ih) // 3
    W_ih, W_hh = (transposed(W, GATES, GATES, SIGMOIDS) for W in (p.W_ih, p.W_hh))
    b = p.b_ih.copy()
    b[: 2 * H] = (b[: 2 * H] + p.b_hh[: 2 * H]) * b.dtype.type(0.5)
    return Weights(p, W_ih, W_hh, b, p.b_hh[2 * H :])


def forward(p, x, s, reset_after=True):
    """Params or Weights, x (T, B, I), State  ->  y (T, B, H), State, Cache"""
    w = p if isinstance(p, Weights) else prepare(p)
    _, W_ih, W_hh, b, b_n = w
    (T, B, _), H = x.shape, len(W_hh)
    one, dtype, times = B == 1, x.dtype, product(B == 1)
    W_rz, W_n = (W_hh, None) if reset_after else map(np.ascontiguousarray, np.split(W_hh, [2 * H], axis=1))
    blocks, h = allocate(4, T, B, H, dtype), empty((T + 1, B, H), dtype)
    h[0] = s.h
    lead = () if one else (B,)
    z = empty((*lead, W_rz.shape[1]), dtype)
    q_of_z, rz_of_z = z[..., 2 * H :], z[..., : 2 * H]
    n_of_z, rh = empty((*lead, H), dtype), empty((*lead, H), dtype)
    K = T if one else max(1, min(T, ROWS // B))
    a = empty((K, *lead, 3 * H), dtype)
    state, scale = h.reshape(T + 1, *lead, H), dtype.type(0.5)
    before = state[0]
    for start in range(0, T, K):
        steps = min(K, T - start)
        chunk = a[:steps].reshape(steps * B, 3 * H)
        np.matmul(rows(x[start : start + steps]), W_ih, chunk)
        np.add(chunk, b, chunk)                                             # G1, G3, a chunk of steps at once
        for t in range(start, start + steps):
            a_x, gates = a[t - start], blocks[:, t].reshape(4, *lead, H)
            rz, q, n, after = gates[:2], gates[2], gates[3], state[t + 1]
            times(before, W_rz, z)
            np.add(rz_of_z, a_x[..., : 2 * H], rz_of_z)
            np.tanh(rz_of_z.reshape(*lead, 2, H).swapaxes(0, -2), rz)
            np.multiply(rz, scale, rz)
            np.add(rz, scale, rz)                                           # G1
            if reset_after:
                np.add(q_of_z, b_n, q)                                      # G2
                np.multiply(gates[0], q, n)
            else:
                np.multiply(gates[0], before, rh)
                times(rh, W_n, n_of_z)
                np.add(n_of_z, b_n, q)                                      # G2
                n[...] = q
            np.add(n, a_x[..., 2 * H :], n)
            np.tanh(n, n)                                                   # G3
            np.subtract(before, n, after)
            np.multiply(after, gates[1], after)
            np.add(after, n, after)                                         # G4
            before = after
    return h[1:], State(h[T]), Cache(w.p, x, h, blocks, reset_after)


def backward(dy, ds, k):
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    *found, ds = deltas(dy, ds, k)
    dp, dx = gradients([found], [k])
    return dp, dx.reshape(k.x.shape), ds


def deltas(dy, ds, k):
    """The time loop  ->  (T·B, 4H) the deltas n r z q, State"""
    T, B, H = dy.shape
    dtype, lead, times = dy.dtype, () if B == 1 else (B,), product(B == 1)
    W_rz, W_n = np.split(k.p.W_hh, [2 * H])
    W_h = k.p.W_hh if k.reset_after else W_rz
    D = empty((T, *lead, 4 * H), dtype)                                     # n r z q
    gates_of_D = D.reshape(T, *lead, 4, H).swapaxes(1, -2)                  # (T, 4, B, H)
    K = max(1, min(T, CELLS // (B * H)))
    scratch = allocate(4, K, B, H, dtype)
    dh, dn, through, back = (empty((*lead, H), dtype) for _ in range(4))
    np.add(ds.h.reshape(dh.shape), dy[-1].reshape(dh.shape), dh)
    upstream, z_all, r_all = dy.reshape(T, *dh.shape), k.blocks[1], k.blocks[0]
    for end in range(T, 0, -K):
        start = max(0, end - K)
        of_n, of_z, of_r, _ = (v[: end - start] for v in local_derivatives(scratch, k, start, end))
        for t in range(end - 1, start - 1, -1):
            d, j = gates_of_D[t], t - start
            np.multiply(dh, of_n[j].reshape(dh.shape), dn)                  # G4*, G3*
            np.multiply(dh, of_z[j].reshape(dh.shape), d[2])                # G4*, G1*
            np.multiply(dh, z_all[t].reshape(dh.shape), through)            # G4*
            d[0] = dn
            if k.reset_after:
                np.multiply(dn, of_r[j].reshape(dh.shape), d[1])            # G3*, G1*
                np.multiply(dn, r_all[t].reshape(dh.shape), d[3])           # G3*
                times(D[t][..., H:], W_h, dh)                               # G1*, G2*
            else:
                d[3] = dn
                times(dn, W_n, back)                                        # G2*
                np.multiply(back, of_r[j].reshape(dh.shape), d[1])          # G2*, G1*
                np.multiply(back, r_all[t].reshape(dh.shape), back)
                times(D[t][..., H : 3 * H], W_h, dh)                        # G1*
                np.add(dh, back, dh)
            np.add(dh, through, dh)
            if t:
                np.add(dh, upstream[t - 1], dh)
    return D.reshape(T * B, 4 * H), State(dh.reshape(B, H))


def local_derivatives(M, k, start, end):
    """Fill M (4, steps, B·H): the factors of dh for n and z, and of dn (or of what comes back through W_n) for r"""
    r, z, q, n = (v[start:end] for v in k.blocks)
    before = k.h[start:end].reshape(end - start, -1)
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
    np.multiply(of_r, q if k.reset_after else before, of_r)                 # q r (1 - r), or h r (1 - r)
    return M


def gradients(found, caches):
    """What deltas found in each of some blocks of steps  ->  Params, dx (rows, I): one product each, G1*, G2*, G3*"""
    A, h = stacked([d for d, in found]), stacked([rows(k.h[:-1]) for k in caches])
    x, H = stacked([rows(k.x) for k in caches]), h.shape[1]
    A_x, A_h = A[:, : 3 * H], A[:, H:]
    dx = empty(x.shape, A.dtype)
    np.matmul(A_x, folded(caches[0].p.W_ih, GATES, "nrz"), dx)
    dW_ih, db = empty((3 * H, x.shape[1]), A.dtype), A.sum(0)
    np.matmul(A[:, H : 3 * H].T, x, dW_ih[: 2 * H])
    np.matmul(A[:, :H].T, x, dW_ih[2 * H :])
    if caches[0].reset_after:
        dW_hh = A_h.T @ h
    else:
        rh = stacked([np.ascontiguousarray(k.blocks[0]).reshape(-1, H) for k in caches]) * h
        dW_hh = np.concatenate([A[:, H : 3 * H].T @ h, A[:, 3 * H :].T @ rh])
    return Params(dW_ih, dW_hh, np.concatenate([db[H : 3 * H], db[:H]]), db[H:]), dx
