"""The LSTM written for speed: the verbs of ``reference.cells.lstm``, held to it by the parity suite.

A step is short, so what counts is how many calls it makes and what arrays they get.

- Everything is written in place.  A step's gates go straight to where the backward will read them.
- Each gate is one contiguous block, the three sigmoids beside each other, in the order i f o g: they share a call.
- σ(a) = 1 / (1 + e⁻ᵃ), with the minus in the weights.  No digit is lost however far a gate is shut.
- The input products of many steps are one product (steps.py).
- Backwards, everything that does not depend on the gradient is computed for many steps in a few long calls
  (``local_derivatives``).  A step is then products with it, two sums, and one matrix product.
- One sequence alone has no batch axis.  In the shapes below B is then left out, but for what comes in and goes out.
"""

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import NamedTuple

import numpy as np

from ..cells.lstm import GATES, Params, State, step_backward, step_forward
from ..common.arrays import Array, rows, stacked
from .packed import run_backward, run_forward, run_inference
from .steps import batch_axis, by_gate, chunks, input_products, transposed

__all__ = ["GATES", "Cache", "Folded", "Params", "State", "backward", "deltas", "folded", "forward", "gradients", "infer",
           "run", "run_backward", "run_forward", "run_inference", "step_backward", "step_forward"]

ORDER, SIGMOIDS = "ifog", "ifo"  # of the gates while a step computes them
CELLS = 1 << 15                  # numbers in one local derivative of a chunk of steps, at most


class Folded(NamedTuple):
    """Params as a forward multiplies by them: turned round, the gates in ORDER, the minus of e⁻ᵃ folded in."""

    p: Params
    W_ih: Array         # (I, 4H)
    W_hh: Array         # (P, 4H)
    b: Array            # (4H,)
    W_hr: Array | None  # (H, P)


class Cache(NamedTuple):
    p: Params
    x: Array    # (T, B, I)
    h: Array    # (T+1, B, P)   h[t] enters step t, h[t+1] leaves it
    c: Array    # (T+1, B, H)
    ifo: Array  # (3, T, B, H)  1 / σ of each
    g: Array    # (T, B, H)


def folded(p: Params) -> Folded:
    """Params  ->  Folded"""
    fold = GATES, ORDER, SIGMOIDS
    b = transposed((p.b_ih + p.b_hh)[:, None], *fold)[0]
    W_hr = None if p.W_hr is None else transposed(p.W_hr)
    return Folded(p, transposed(p.W_ih, *fold), transposed(p.W_hh, *fold), b, W_hr)


def forward(p: Params, x: Array, s: State) -> tuple[Array, State, Cache]:
    """x (T, B, I), State  ->  y (T, B, P), State, Cache"""
    return run(folded(p), x, s)


def infer(p: Params, x: Array, s: State) -> tuple[Array, State]:
    """forward, with nothing kept for a backward: x (T, B, I), State  ->  y (T, B, P), State"""
    return run(folded(p), x, s, keep=False)[:2]


@np.errstate(over="ignore")  # an infinite e⁻ᵃ: its gate is shut
def run(w: Folded, x: Array, s: State, keep: bool = True) -> tuple[Array, State, Cache]:
    """forward with weights that are laid out.  Without ``keep`` all steps have one place for their gates: no use as Cache."""
    (T, B, _), (P, H), dtype = x.shape, (s.h.shape[1], s.c.shape[1]), x.dtype
    batch, kept = batch_axis(B), T if keep else 1
    k = Cache(w.p, x, h=np.empty((T + 1, *batch, P), dtype), c=np.empty((kept + 1, *batch, H), dtype),
              ifo=np.empty((kept, 3, *batch, H), dtype).swapaxes(0, 1), g=np.empty((kept, *batch, H), dtype))
    k.h[0], k.c[0] = s.h.reshape(k.h.shape[1:]), s.c.reshape(k.c.shape[1:])
    a, one = np.empty((*batch, 4 * H), dtype), np.array(1, dtype)
    a_ifo, a_g = by_gate(a, 4)[:3], by_gate(a, 4)[3]
    u, m = np.empty((2, *batch, H), dtype)                                  # m is for a projection only

    def each(of_steps: Array) -> Iterable[Array]:
        return of_steps if keep else repeat(of_steps[0])

    h, c = k.h[0], k.c[0]
    for a_x, ifo, i, f, o, g, c_next, h_next in zip(
            input_products(x, w.W_ih, w.b), each(k.ifo.swapaxes(0, 1)), *map(each, k.ifo), each(k.g), each(k.c[1:]), k.h[1:],
            strict=False):
        h.dot(w.W_hh, a)
        np.add(a, a_x, a)                                                   # L1
        np.exp(a_ifo, ifo)
        np.add(ifo, one, ifo)                                               # L2, as 1 / σ
        np.tanh(a_g, g)                                                     # L2
        np.divide(c, f, c_next)
        np.divide(g, i, u)
        np.add(c_next, u, c_next)                                           # L3
        np.tanh(c_next, u)
        if w.W_hr is None:
            np.divide(u, o, h_next)                                         # L4
        else:
            np.divide(u, o, m)                                              # L4
            m.dot(w.W_hr, h_next)                                           # L5
        h, c = h_next, c_next
    return k.h[1:].reshape(T, B, P), State(h.reshape(B, P), c.reshape(B, H)), k


def backward(dy: Array, ds: State, k: Cache) -> tuple[Params, Array, State]:
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    da, dh, ds = deltas(dy, ds, k)
    dp, dx = gradients([(da, dh)], [k])
    return dp, dx.reshape(k.x.shape), ds


def deltas(dy: Array, ds: State, k: Cache) -> tuple[Array, Array | None, State]:
    """The time loop of backward: dy (T, B, P), State, Cache  ->  da (T·B, 4H); dh (T·B, P), None if there is no projection;
    State"""
    (T, B, P), H, dtype = dy.shape, ds.c.shape[1], dy.dtype
    batch = batch_axis(B)
    da_all, dh_all = np.empty((T, *batch, 4 * H), dtype), None if k.p.W_hr is None else np.empty((T, *batch, P), dtype)
    dh, d_cifgo = ds.h.reshape(*batch, P).copy(), np.empty((5, *batch, H), dtype)           # what leaves a step
    dc_before, d_cifg, da, da_o = d_cifgo[0], d_cifgo[:4], d_cifgo[1:], d_cifgo[4]
    dc_before[...] = ds.c.reshape(*batch, H)
    dc, through_m = np.empty((2, *batch, H), dtype)
    dm = dh if dh_all is None else np.empty_like(dc)
    for dy_t, da_t, da_t_by_gate, dh_t, (dc_dm, do_dm, dcifg_dc) in zip(
            dy.reshape(T, *batch, P)[::-1], da_all[::-1], by_gate(da_all, 4, axis=1)[::-1],
            repeat(None) if dh_all is None else dh_all[::-1], local_derivatives(k), strict=False):
        np.add(dh, dy_t, dh)
        if k.p.W_hr is not None:
            dh_t[...] = dh
            dh.dot(k.p.W_hr, dm)                                            # L5*
        np.multiply(dm, do_dm, da_o)                                        # L4*, L2*
        np.multiply(dm, dc_dm, through_m)
        np.add(dc_before, through_m, dc)                                    # L4*
        np.multiply(dc, dcifg_dc, d_cifg)                                   # L3*, L2*
        da_t_by_gate[...] = da
        da_t.dot(k.p.W_hh, dh)                                              # L1*
    return rows(da_all), None if dh_all is None else rows(dh_all), State(dh.reshape(B, P), dc_before.reshape(B, H).copy())


def local_derivatives(k: Cache) -> Iterator[tuple[Array, Array, Array]]:
    """From the last step to the first: what dm is multiplied by on its way to c, and to the argument of o, each (B, H); what dc
    is on its way to the c before and to the arguments of i, f and g, (4, B, H)"""
    at_once = chunks(len(k.g), CELLS // max(1, k.g[:1].size))
    memory = np.empty((9, at_once[0].stop if at_once else 0, *k.g.shape[1:]), k.g.dtype)
    for chunk in reversed(at_once):
        g, c_before, c = k.g[chunk], k.c[:-1][chunk], k.c[1:][chunk]
        i, o, u, dc_dm, do_dm, f, di_dc, df_dc, dg_dc = memory[:, : len(g)]
        for one_over, gate in zip(k.ifo[:, chunk], (i, f, o), strict=True):
            np.reciprocal(one_over, gate)                                   # L2
        np.tanh(c, u)
        slope_of_tanh(u, dc_dm)
        np.multiply(dc_dm, o, dc_dm)                                        # o (1 - u²)
        slope_of_sigmoid(o, do_dm)
        np.multiply(do_dm, u, do_dm)                                        # u o (1 - o)
        slope_of_sigmoid(i, di_dc)
        np.multiply(di_dc, g, di_dc)                                        # g i (1 - i)
        slope_of_sigmoid(f, df_dc)
        np.multiply(df_dc, c_before, df_dc)                                 # c f (1 - f)
        slope_of_tanh(g, dg_dc)
        np.multiply(dg_dc, i, dg_dc)                                        # i (1 - g²)
        yield from zip(dc_dm[::-1], do_dm[::-1], memory[5:, len(g) - 1 :: -1].swapaxes(0, 1), strict=True)


def slope_of_sigmoid(s: Array, out: Array) -> None:
    """s (1 - s) into ``out``"""
    np.subtract(1, s, out)
    np.multiply(out, s, out)


def slope_of_tanh(u: Array, out: Array) -> None:
    """1 - u² into ``out``"""
    np.multiply(u, u, out)
    np.subtract(1, out, out)


def gradients(of_segments: list, caches: list[Cache]) -> tuple[Params, Array]:
    """What ``deltas`` gave for each of some segments  ->  Params, dx (rows, I): one product each, L1* and L5*"""
    p = caches[0].p
    A, x = stacked([da for da, _ in of_segments]), stacked([rows(k.x) for k in caches])
    h, db = stacked([rows(k.h[:-1]) for k in caches]), A.sum(0)
    dW_hr = None
    if p.W_hr is not None:
        m = stacked([rows(np.tanh(k.c[1:]) / k.ifo[2]) for k in caches])    # L4
        dW_hr = stacked([dh for _, dh in of_segments]).T @ m                # L5*
    return Params(A.T @ x, A.T @ h, db, db.copy(), dW_hr), A @ p.W_ih       # L1*
