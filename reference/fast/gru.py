"""The GRU written for speed: the verbs of ``reference.cells.gru``, held to it by the parity suite.

- As in lstm.py everything is in place, each gate is one contiguous block, σ(a) = 1 / (1 + e⁻ᵃ) with the minus in the
  weights, the input products of many steps are one product, and one sequence alone has no batch axis.
- h⁺ = n + z ∘ (h - n): one product less than (1 - z) ∘ n + z ∘ h.
- Backwards, everything that does not depend on the gradient is computed for many steps in a few long calls.
- The deltas of a step lie as n r z q.  So those of a_x are the first three quarters of a row, those of a_h the last three,
  in torch's order: neither product needs a copy.  Reset before the product, q has that of n, and the row ends at z.
"""

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import NamedTuple

import numpy as np

from ..cells.gru import GATES, Params, State, step_backward, step_forward
from ..common.arrays import Array, rows, stacked
from .lstm import CELLS, slope_of_sigmoid, slope_of_tanh
from .packed import run_backward, run_forward, run_inference
from .steps import batch_axis, by_gate, chunks, input_products, transposed

__all__ = ["GATES", "Cache", "Folded", "Params", "State", "backward", "deltas", "folded", "forward", "gradients", "infer",
           "run", "run_backward", "run_forward", "run_inference", "step_backward", "step_forward"]

SIGMOIDS = "rz"


class Folded(NamedTuple):
    """Params as a forward multiplies by them: turned round, the minus of e⁻ᵃ folded into r and z."""

    p: Params
    W_ih: Array  # (I, 3H)
    W_hh: Array  # (H, 3H)
    b: Array     # (3H,)   all that is added outside of r ∘ q
    b_n: Array   # (H,)    what is added inside


class Cache(NamedTuple):
    p: Params
    x: Array           # (T, B, I)
    h: Array           # (T+1, B, H)   h[t] enters step t, h[t+1] leaves it
    rz: Array          # (2, T, B, H)  1 / σ of each
    n: Array           # (T, B, H)
    q: Array           # (T, B, H)     only if ``reset_after``: otherwise no backward asks for it
    reset_after: bool


def folded(p: Params) -> Folded:
    """Params  ->  Folded"""
    H, fold = p.W_hh.shape[1], (GATES, GATES, SIGMOIDS)
    b_n = p.b_hh[2 * H :]
    b = np.concatenate([-(p.b_ih + p.b_hh)[: 2 * H], p.b_ih[2 * H :]])
    return Folded(p, transposed(p.W_ih, *fold), transposed(p.W_hh, *fold), b, b_n)


def forward(p: Params, x: Array, s: State, reset_after: bool = True) -> tuple[Array, State, Cache]:
    """x (T, B, I), State  ->  y (T, B, H), State, Cache"""
    return run(folded(p), x, s, reset_after)


def infer(p: Params, x: Array, s: State, reset_after: bool = True) -> tuple[Array, State]:
    """forward, with nothing kept for a backward: x (T, B, I), State  ->  y (T, B, H), State"""
    return run(folded(p), x, s, reset_after, keep=False)[:2]


@np.errstate(over="ignore")  # an infinite e⁻ᵃ: its gate is shut
def run(w: Folded, x: Array, s: State, reset_after: bool = True, keep: bool = True) -> tuple[Array, State, Cache]:
    """forward with weights that are laid out.  Without ``keep`` all steps have one place for their gates: no use as Cache."""
    (T, B, _), H, dtype = x.shape, s.h.shape[1], x.dtype
    batch, kept = batch_axis(B), T if keep else 1
    k = Cache(w.p, x, h=np.empty((T + 1, *batch, H), dtype), rz=np.empty((kept, 2, *batch, H), dtype).swapaxes(0, 1),
              n=np.empty((kept, *batch, H), dtype), q=np.empty((kept if reset_after else 1, *batch, H), dtype),
              reset_after=reset_after)
    k.h[0] = s.h.reshape(k.h.shape[1:])
    a = np.empty((*batch, 3 * H if reset_after else 2 * H), dtype)          # what a step's first product gives
    a_rz, a_q = a[..., : 2 * H], a[..., 2 * H :]
    a_rz_by_gate, rh, one = by_gate(a_rz, 2), np.empty((*batch, H), dtype), np.array(1, dtype)
    W_rzq, W_n = w.W_hh if reset_after else w.W_hh[:, : 2 * H], w.W_hh[:, 2 * H :]

    def each(of_steps: Array) -> Iterable[Array]:
        return of_steps if len(of_steps) == T else repeat(of_steps[0])

    h = k.h[0]
    for a_x_rz, a_x_n, rz, r, z, n, q, h_next in zip(
            input_products(x, w.W_ih[:, : 2 * H], w.b[: 2 * H]), input_products(x, w.W_ih[:, 2 * H :], w.b[2 * H :]),
            each(k.rz.swapaxes(0, 1)), *map(each, k.rz), each(k.n), each(k.q), k.h[1:], strict=False):
        h.dot(W_rzq, a)
        np.add(a_rz, a_x_rz, a_rz)
        np.exp(a_rz_by_gate, rz)
        np.add(rz, one, rz)                                                 # G1, as 1 / σ
        if reset_after:
            np.add(a_q, w.b_n, q)                                           # G2
            np.divide(q, r, n)
            np.add(n, a_x_n, n)
        else:
            np.divide(h, r, rh)
            rh.dot(W_n, q)
            np.add(q, w.b_n, q)                                             # G2
            np.add(q, a_x_n, n)
        np.tanh(n, n)                                                       # G3
        np.subtract(h, n, h_next)
        np.divide(h_next, z, h_next)
        np.add(h_next, n, h_next)                                           # G4
        h = h_next
    return k.h[1:].reshape(T, B, H), State(h.reshape(B, H)), k


def backward(dy: Array, ds: State, k: Cache) -> tuple[Params, Array, State]:
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    da, ds = deltas(dy, ds, k)
    dp, dx = gradients([(da,)], [k])
    return dp, dx.reshape(k.x.shape), ds


def deltas(dy: Array, ds: State, k: Cache) -> tuple[Array, State]:
    """The time loop of backward: dy (T, B, H), State, Cache  ->  (T·B, 4H) the deltas n r z q, or (T·B, 3H) n r z, State"""
    (T, B, H), dtype, batch = dy.shape, dy.dtype, batch_axis(dy.shape[1])
    gates = 4 if k.reset_after else 3
    da_all, dh = np.empty((T, *batch, gates * H), dtype), ds.h.reshape(*batch, H).copy()
    past_n, dq_h, da = np.empty_like(dh), np.empty_like(dh), np.empty((gates, *batch, H), dtype)
    da_n, da_r, da_z = da[:3]
    W_rzq, W_n = k.p.W_hh if k.reset_after else k.p.W_hh[: 2 * H], k.p.W_hh[2 * H :]
    for dy_t, da_t_by_gate, da_h_t, (r, z, dn_dh, dz_dh, dr) in zip(
            dy.reshape(T, *batch, H)[::-1], by_gate(da_all, gates, axis=1)[::-1], da_all[::-1, ..., H:], local_derivatives(k),
            strict=True):
        np.add(dh, dy_t, dh)
        np.multiply(dh, dn_dh, da_n)                                        # G4*, G3*
        np.multiply(dh, dz_dh, da_z)                                        # G4*, G1*
        np.multiply(dh, z, past_n)                                          # G4*
        if k.reset_after:
            np.multiply(da_n, dr, da_r)                                     # G3*, G1*
            np.multiply(da_n, r, da[3])                                     # G3*
        else:
            da_n.dot(W_n, dq_h)                                             # G2*
            np.multiply(dq_h, dr, da_r)                                     # G2*, G1*
            np.multiply(dq_h, r, dq_h)                                      # G2*
            np.add(past_n, dq_h, past_n)
        da_t_by_gate[...] = da
        da_h_t.dot(W_rzq, dh)                                               # G1*, G2*
        np.add(dh, past_n, dh)
    return rows(da_all), State(dh.reshape(B, H))


def local_derivatives(k: Cache) -> Iterator[tuple[Array, ...]]:
    """From the last step to the first, five arrays (B, H): r, z; what dh is multiplied by on its way to the arguments of n
    and z; what the delta of n, or what W_n makes of it, is multiplied by on its way to that of r"""
    at_once = chunks(len(k.n), CELLS // max(1, k.n[:1].size))
    memory = np.empty((5, at_once[0].stop if at_once else 0, *k.n.shape[1:]), k.n.dtype)
    for chunk in reversed(at_once):
        n, h = k.n[chunk], k.h[:-1][chunk]
        r, z, dn_dh, dz_dh, dr = memory[:, : len(n)]
        np.reciprocal(k.rz[0, chunk], r)                                    # G1
        np.reciprocal(k.rz[1, chunk], z)                                    # G1
        slope_of_tanh(n, dn_dh)
        np.subtract(1, z, dz_dh)
        np.multiply(dn_dh, dz_dh, dn_dh)                                    # (1 - z)(1 - n²)
        np.multiply(dz_dh, z, dz_dh)
        np.subtract(h, n, dr)
        np.multiply(dz_dh, dr, dz_dh)                                       # (h - n) z (1 - z)
        slope_of_sigmoid(r, dr)
        np.multiply(dr, k.q[chunk] if k.reset_after else h, dr)             # q r (1 - r), or h r (1 - r)
        yield from zip(*memory[:, len(n) - 1 :: -1], strict=True)


def gradients(of_segments: list, caches: list[Cache]) -> tuple[Params, Array]:
    """What ``deltas`` gave for each of some segments  ->  Params, dx (rows, I): one product each, G1*, G2*, G3*"""
    p, H = caches[0].p, caches[0].p.W_hh.shape[1]
    A, x = stacked([da for da, in of_segments]), stacked([rows(k.x) for k in caches])
    h, db = stacked([rows(k.h[:-1]) for k in caches]), A.sum(0)
    A_x, A_h = A[:, : 3 * H], A[:, H:]
    dW_ih, db_ih = np.roll(A_x.T @ x, -H, axis=0), np.roll(db[: 3 * H], -H)  # n r z  ->  r z n
    if caches[0].reset_after:
        dW_hh, db_hh = A_h.T @ h, db[H:]
    else:
        rh = stacked([rows(k.h[:-1] / k.rz[0]) for k in caches])            # G2
        dW_hh, db_hh = np.concatenate([A_h.T @ h, A[:, :H].T @ rh]), db_ih.copy()
    return Params(dW_ih, dW_hh, db_ih, db_hh), A_x @ np.roll(p.W_ih, H, axis=0)
