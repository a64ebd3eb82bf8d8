"""The GRU in Triton, both variants.  Equations G1 to G4 and their adjoints: reference/cells/gru.py, notes/cells/gru.md

    hoisted   (p, x (T, B, I), State, reset_after)  ->  y (T, B, H), State

With reset before, W_hn is multiplied by r ∘ h: two products a step, one after the other, each followed by a kernel.
With reset after, the pre-activations of the two products have their own gradients: da is (T, B, 4H), q | r | z | n, of which the
first three are those of W_hh and the last three those of W_ih, so that neither product needs a copy.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

from ..cells.gru import Params, State
from .blocks import fits, get, persistent, places, put, square, tile, times, wide
from .functions import sigmoid, tanh

__all__ = ["Params", "State", "hoisted", "steps"]


@triton.jit
def gru_step_forward(a_x, a_h, h_prev, gates, q, h, B, H, ACC: tl.constexpr, SAVE: tl.constexpr, BLOCK_B: tl.constexpr,
                 BLOCK_H: tl.constexpr):
    """Reset after: a_x, a_h (B, 3H), h_prev (B, H)  ->  gates (B, 3H) and q (B, H) if they are to be saved, h (B, H)"""
    b, j, inside = places(B, H, BLOCK_B, BLOCK_H)
    m, k = b * 3 * H + j, b * H + j
    r = sigmoid(get(a_x + m, inside, ACC) + get(a_h + m, inside, ACC))                    # G1
    z = sigmoid(get(a_x + m + H, inside, ACC) + get(a_h + m + H, inside, ACC))            # G1
    q_t = get(a_h + m + 2 * H, inside, ACC)                                               # G2
    n = tanh(get(a_x + m + 2 * H, inside, ACC) + r * q_t)                                 # G3
    h_t = (1.0 - z) * n + z * get(h_prev + k, inside, ACC)                                # G4
    if SAVE:
        put(gates + m, r, inside)
        put(gates + m + H, z, inside)
        put(gates + m + 2 * H, n, inside)
        put(q + k, q_t, inside)
    put(h + k, h_t, inside)


@triton.jit
def cell_backward(dh, r, z, n, q, h_prev):
    """The adjoint of a step with reset after but for its products  ->  dq, da of r z n, dh by way of z"""
    dn, dz = dh * (1.0 - z), dh * (h_prev - n)                                            # G4*
    da_n = dn * (1.0 - n * n)                                                             # G3*
    dr = da_n * q                                                                         # G3*
    return da_n * r, dr * r * (1.0 - r), dz * z * (1.0 - z), da_n, dh * z                 # G3*, G1*, G4*


@triton.jit
def gru_step_backward(dh, dy, gates, q, h_prev, da, dh_z, B, H, ACC: tl.constexpr, BLOCK_B: tl.constexpr, BLOCK_H: tl.constexpr):
    """Reset after: dh, dy (B, H), gates (B, 3H), q, h_prev (B, H)  ->  da (B, 4H), dh_z (B, H)"""
    b, j, inside = places(B, H, BLOCK_B, BLOCK_H)
    m, k, to = b * 3 * H + j, b * H + j, b * 4 * H + j
    dq, da_r, da_z, da_n, dh_t = cell_backward(
        get(dh + k, inside, ACC) + get(dy + k, inside, ACC), get(gates + m, inside, ACC), get(gates + m + H, inside, ACC),
        get(gates + m + 2 * H, inside, ACC), get(q + k, inside, ACC), get(h_prev + k, inside, ACC))
    put(da + to, dq, inside)
    put(da + to + H, da_r, inside)
    put(da + to + 2 * H, da_z, inside)
    put(da + to + 3 * H, da_n, inside)
    put(dh_z + k, dh_t, inside)


@triton.jit
def gru_step_reset_forward(a, h_prev, gates, rh, B, H, ACC: tl.constexpr, BLOCK_B: tl.constexpr, BLOCK_H: tl.constexpr):
    """Reset before, first half: a (B, 3H), of which r and z are complete, h_prev (B, H)  ->  r and z of gates (B, 3H), rh (B, H)"""
    b, j, inside = places(B, H, BLOCK_B, BLOCK_H)
    m, k = b * 3 * H + j, b * H + j
    r, z = sigmoid(get(a + m, inside, ACC)), sigmoid(get(a + m + H, inside, ACC))         # G1
    put(gates + m, r, inside)
    put(gates + m + H, z, inside)
    put(rh + k, r * get(h_prev + k, inside, ACC), inside)                                 # G2


@triton.jit
def gru_step_blend_forward(a, gates, h_prev, h, B, H, ACC: tl.constexpr, BLOCK_B: tl.constexpr, BLOCK_H: tl.constexpr):
    """Reset before, second half: n of a (B, 3H) is complete, z of gates (B, 3H), h_prev (B, H)  ->  n of gates, h (B, H)"""
    b, j, inside = places(B, H, BLOCK_B, BLOCK_H)
    m, k = b * 3 * H + j, b * H + j
    n, z = tanh(get(a + m + 2 * H, inside, ACC)), get(gates + m + H, inside, ACC)         # G3
    put(gates + m + 2 * H, n, inside)
    put(h + k, (1.0 - z) * n + z * get(h_prev + k, inside, ACC), inside)                  # G4


@triton.jit
def gru_step_blend_backward(dh, dy, gates, h_prev, da, dh_z, B, H, ACC: tl.constexpr, BLOCK_B: tl.constexpr,
                            BLOCK_H: tl.constexpr):
    """The adjoint of blend: dh, dy (B, H), gates (B, 3H), h_prev (B, H)  ->  z and n of da (B, 3H), dh_z (B, H)"""
    b, j, inside = places(B, H, BLOCK_B, BLOCK_H)
    m, k = b * 3 * H + j, b * H + j
    dh_t = get(dh + k, inside, ACC) + get(dy + k, inside, ACC)
    z, n = get(gates + m + H, inside, ACC), get(gates + m + 2 * H, inside, ACC)
    put(da + m + H, dh_t * (get(h_prev + k, inside, ACC) - n) * z * (1.0 - z), inside)    # G4*, G1*
    put(da + m + 2 * H, dh_t * (1.0 - z) * (1.0 - n * n), inside)                         # G4*, G3*
    put(dh_z + k, dh_t * z, inside)                                                       # G4*


@triton.jit
def gru_step_reset_backward(dh_q, dh_z, gates, h_prev, da, dh, B, H, ACC: tl.constexpr, BLOCK_B: tl.constexpr,
                            BLOCK_H: tl.constexpr):
    """The adjoint of reset: dh_q, dh_z (B, H), gates (B, 3H), h_prev (B, H)  ->  r of da (B, 3H), dh (B, H) so far"""
    b, j, inside = places(B, H, BLOCK_B, BLOCK_H)
    m, k = b * 3 * H + j, b * H + j
    r, dh_q_t = get(gates + m, inside, ACC), get(dh_q + k, inside, ACC)
    put(da + m, dh_q_t * get(h_prev + k, inside, ACC) * r * (1.0 - r), inside)            # G2*, G1*
    put(dh + k, get(dh_z + k, inside, ACC) + dh_q_t * r, inside)                          # G2*


@triton.jit
def gru_persistent_forward(a_x, U, b_hh, gates, q, h, T, H, ACC: tl.constexpr, AFTER: tl.constexpr, SAVE: tl.constexpr,
                BLOCK: tl.constexpr):
    """a_x (T, B, 3H), U = W_hhᵀ, b_hh (3H,)  ->  gates (T, B, 3H) and q (T, B, H) if they are to be saved, h (T+1, B, H)

    The first of h is given.  A program for each sequence.
    """
    b, B, j = tl.program_id(0).to(tl.int64), tl.num_programs(0).to(tl.int64), tl.arange(0, BLOCK)
    inside = j < H
    U_r, U_z = square(U, 3 * H, H, ACC, BLOCK), square(U + H, 3 * H, H, ACC, BLOCK)
    U_n = square(U + 2 * H, 3 * H, H, ACC, BLOCK)
    b_r, b_z, b_n = get(b_hh + j, inside, ACC), get(b_hh + H + j, inside, ACC), get(b_hh + 2 * H + j, inside, ACC)
    h_t = get(h + b * H + j, inside, ACC)
    for t in range(T):
        row = t * B + b
        m = row * 3 * H + j
        r = sigmoid(get(a_x + m, inside, ACC) + times(h_t, U_r) + b_r)                    # G1
        z = sigmoid(get(a_x + m + H, inside, ACC) + times(h_t, U_z) + b_z)                # G1
        if AFTER:
            q_t = times(h_t, U_n) + b_n                                                   # G2
            n = tanh(get(a_x + m + 2 * H, inside, ACC) + r * q_t)                         # G3
        else:
            q_t = times(r * h_t, U_n) + b_n                                               # G2
            n = tanh(get(a_x + m + 2 * H, inside, ACC) + q_t)                             # G3
        h_t = (1.0 - z) * n + z * h_t                                                     # G4
        h_t = tl.where(inside, h_t, 0.0)  # an infinite h makes NaN of the zeros outside, which must not come back
        if SAVE:
            put(gates + m, r, inside)
            put(gates + m + H, z, inside)
            put(gates + m + 2 * H, n, inside)
            if AFTER:
                put(q + row * H + j, q_t, inside)
        put(h + (row + B) * H + j, h_t, inside)


@triton.jit
def gru_persistent_backward(dy, dh, gates, q, h, W_hh, da, dh_0, T, H, ACC: tl.constexpr, AFTER: tl.constexpr, BLOCK: tl.constexpr):
    """dy (T, B, H), dh (B, H), gates (T, B, 3H), q (T, B, H), h (T+1, B, H), W_hh (3H, H)  ->  da, dh_0 (B, H)

    da (T, B, 4H) is q r z n with reset after, (T, B, 3H), r z n, with reset before.  A program for each sequence.
    """
    b, B, j = tl.program_id(0).to(tl.int64), tl.num_programs(0).to(tl.int64), tl.arange(0, BLOCK)
    inside = j < H
    W_r, W_z = square(W_hh, H, H, ACC, BLOCK), square(W_hh + H * H, H, H, ACC, BLOCK)
    W_n = square(W_hh + 2 * H * H, H, H, ACC, BLOCK)
    dh_t = get(dh + b * H + j, inside, ACC)
    for s in range(T):
        row = (T - 1 - s) * B + b
        m, k = row * 3 * H + j, row * H + j
        dh_t += get(dy + k, inside, ACC)
        r, z = get(gates + m, inside, ACC), get(gates + m + H, inside, ACC)
        n, h_prev = get(gates + m + 2 * H, inside, ACC), get(h + k, inside, ACC)
        if AFTER:
            dq, da_r, da_z, da_n, dh_z = cell_backward(dh_t, r, z, n, get(q + k, inside, ACC), h_prev)
            to = row * 4 * H + j
            put(da + to, dq, inside)
            to += H
            direct = W_n * dq[:, None]                                                    # G2*
        else:
            da_z, da_n = dh_t * (h_prev - n) * z * (1.0 - z), dh_t * (1.0 - z) * (1.0 - n * n)  # G4*, G3*, G1*
            dh_q = tl.where(inside, times(da_n, W_n), 0.0)             # G2*
            da_r, dh_z = dh_q * h_prev * r * (1.0 - r), dh_t * z + dh_q * r               # G2*, G1*, G4*
            to = row * 3 * H + j
        put(da + to, da_r, inside)
        put(da + to + H, da_z, inside)
        put(da + to + 2 * H, da_n, inside)
        product = W_r * da_r[:, None] + W_z * da_z[:, None]                               # G1*
        if AFTER:
            product += direct
        dh_t = tl.where(inside, dh_z + tl.sum(product, axis=0), 0.0)
    put(dh_0 + b * H + j, dh_t, inside)


def hoisted(p: Params, x: Tensor, s: State, reset_after: bool = True) -> tuple[Tensor, State]:
    """The form that suits H."""
    return run(p, x, s, reset_after, fits(3, s.h.shape[-1], x.dtype))


def steps(p: Params, x: Tensor, s: State, reset_after: bool = True) -> tuple[Tensor, State]:
    """The form that takes any H."""
    return run(p, x, s, reset_after, False)


def run(p: Params, x: Tensor, s: State, reset_after: bool, whole: bool) -> tuple[Tensor, State]:
    """whole: all steps in one kernel"""
    y, h = Fused.apply(*p, x, *s, reset_after, whole, torch.is_grad_enabled())
    return y, State(h)


class Fused(torch.autograd.Function):
    """The kernels, and the products before and after all steps."""

    @staticmethod
    def forward(ctx: Any, W_ih: Tensor, W_hh: Tensor, b_ih: Tensor, b_hh: Tensor, x: Tensor, h_0: Tensor, reset_after: bool,
                whole: bool, save: bool) -> tuple[Tensor, Tensor]:
        p = Params(W_ih, W_hh.contiguous(), b_ih, b_hh.contiguous())
        (T, B, _), H = x.shape, h_0.shape[-1]
        b = b_ih if whole or reset_after else b_ih + b_hh
        a = linear(x, W_ih, b).contiguous()                                               # G1, G3, all T at once
        gates = torch.empty_like(a) if save or not reset_after else a
        q = a.new_empty(T, B, H) if save and reset_after else gates  # which is not written then
        h = a.new_empty(T + 1, B, H)
        h[0] = h_0
        with torch.cuda.device_of(x):
            if B and whole:
                sizes = persistent(3, H, x.dtype)
                U = p.W_hh.T.contiguous()
                gru_persistent_forward[(B,)](a, U, p.b_hh, gates, q, h, T, H, wide(x), reset_after, save, **sizes)
            elif B:
                (forward_after if reset_after else forward_before)(p, a, gates, q, h, save)
        ctx.save_for_backward(*p, x, h, gates, q)
        ctx.reset_after, ctx.whole = reset_after, whole
        return h[1:].clone(), h[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor, dh_n: Tensor) -> tuple[Tensor | None, ...]:
        *weights, x, h, gates, q = ctx.saved_tensors
        p, (T, B, H), dy, dh_n = Params(*weights), dy.shape, dy.contiguous(), dh_n.contiguous()
        after, dh, da = ctx.reset_after, torch.empty_like(dh_n), dy.new_empty(T, B, (3 + ctx.reset_after) * H)
        with torch.cuda.device_of(x):
            if B and ctx.whole:
                sizes = persistent(3, H, x.dtype)
                gru_persistent_backward[(B,)](dy, dh_n, gates, q, h, p.W_hh, da, dh, T, H, wide(x), after, **sizes)
            elif B:
                dh = (backward_after if after else backward_before)(p, dy, dh_n, gates, q, h, da)
        A, h_prev = da.flatten(0, 1), h[:-1].flatten(0, 1)
        A_x, db = A[:, -3 * H :], A.sum(0)                                                # of r z n
        db_x, db_h = db[-3 * H :], db.clone()
        if after:
            dW_hh, db_h = rzq(A[:, : 3 * H].T @ h_prev), rzq(db[: 3 * H])                 # G1*, G2*, all T at once
        else:
            rh = gates.flatten(0, 1)[:, :H] * h_prev                                      # G2
            dW_hh = torch.cat([A[:, : 2 * H].T @ h_prev, A[:, 2 * H :].T @ rh])           # G1*, G2*, all T at once
        return A_x.T @ x.flatten(0, 1), dW_hh, db_x, db_h, da[..., -3 * H :] @ p.W_ih, dh, None, None, None


def rzq(v: Tensor) -> Tensor:
    """(3H, ...) in the order q r z  ->  r z q, that of the weights"""
    H = len(v) // 3
    return torch.cat([v[H:], v[:H]])


def forward_after(p: Params, a: Tensor, gates: Tensor, q: Tensor, h: Tensor, save: bool) -> None:
    """a_x (T, B, 3H), h_0  ->  gates (T, B, 3H) and q (T, B, H) if they are to be saved, h (T+1, B, H)"""
    _, B, H = h.shape
    grid, sizes = tile(B, H)
    a_h = torch.empty_like(a[0])
    for a_x, gates_t, q_t, h_prev, h_t in zip(a, gates, q, h, h[1:], strict=False):
        torch.addmm(p.b_hh, h_prev, p.W_hh.T, out=a_h)                                    # G1, G2
        gru_step_forward[grid](a_x, a_h, h_prev, gates_t, q_t, h_t, B, H, wide(a), save, **sizes)


def forward_before(p: Params, a: Tensor, gates: Tensor, q: Tensor, h: Tensor, save: bool) -> None:
    """a (T, B, 3H), which the products are added to, h_0  ->  gates (T, B, 3H), h (T+1, B, H); for n, q is part of a"""
    _, B, H = h.shape
    grid, sizes = tile(B, H)
    rh = torch.empty_like(h[0])
    for a_t, gates_t, h_prev, h_t in zip(a, gates, h, h[1:], strict=False):
        a_t[:, : 2 * H].addmm_(h_prev, p.W_hh[: 2 * H].T)                                 # G1
        gru_step_reset_forward[grid](a_t, h_prev, gates_t, rh, B, H, wide(a), **sizes)
        a_t[:, 2 * H :].addmm_(rh, p.W_hh[2 * H :].T)                                     # G2
        gru_step_blend_forward[grid](a_t, gates_t, h_prev, h_t, B, H, wide(a), **sizes)


def backward_after(p: Params, dy: Tensor, dh: Tensor, gates: Tensor, q: Tensor, h: Tensor, da: Tensor) -> Tensor:
    """dy (T, B, H), dh (B, H), gates, q, h  ->  dh; da (T, B, 4H) filled"""
    T, B, H = dy.shape
    grid, sizes = tile(B, H)
    W, dh, dh_z = torch.cat([p.W_hh[2 * H :], p.W_hh[: 2 * H]]), dh.clone(), torch.empty_like(dh)  # q r z
    for t in reversed(range(T)):
        gru_step_backward[grid](dh, dy[t], gates[t], q[t], h[t], da[t], dh_z, B, H, wide(dy), **sizes)
        dh, dh_z = dh_z.addmm_(da[t, :, : 3 * H], W), dh                                  # G1*, G2*
    return dh


def backward_before(p: Params, dy: Tensor, dh: Tensor, gates: Tensor, q: Tensor, h: Tensor, da: Tensor) -> Tensor:
    """dy (T, B, H), dh (B, H), gates, h  ->  dh; da (T, B, 3H) filled"""
    T, B, H = dy.shape
    grid, sizes = tile(B, H)
    dh, dh_z = dh.clone(), torch.empty_like(dh)
    for t in reversed(range(T)):
        gru_step_blend_backward[grid](dh, dy[t], gates[t], h[t], da[t], dh_z, B, H, wide(dy), **sizes)
        dh_q = da[t, :, 2 * H :] @ p.W_hh[2 * H :]                                        # G2*
        gru_step_reset_backward[grid](dh_q, dh_z, gates[t], h[t], da[t], dh, B, H, wide(dy), **sizes)
        dh.addmm_(da[t, :, : 2 * H], p.W_hh[: 2 * H])                                     # G1*
    return dh
