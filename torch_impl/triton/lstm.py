"""The LSTM in Triton.  Equations L1 to L5 and their adjoints: reference/cells/lstm.py, notes/cells/lstm.md

    hoisted   (p, x (T, B, I), State)  ->  y (T, B, P), State

A projection is a second product in each step, so it is for the form step.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

from ..cells.lstm import Params, State
from .blocks import fits, get, persistent, places, put, square, tile, times, wide
from .functions import sigmoid, tanh

__all__ = ["Params", "State", "hoisted", "steps"]


@triton.jit
def cell_forward(i, f, g, o, c):
    """i f g o before the nonlinearity, c  ->  i f g o after it, c, h"""
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)                              # L2
    c = f * c + i * g                                                                     # L3
    return i, f, g, o, c, o * tanh(c)                                                     # L4


@triton.jit
def cell_backward(dh, dc, i, f, g, o, c_prev, c):
    """The adjoint of cell_forward, lines in reverse  ->  da of i f g o, dc"""
    u = tanh(c)
    do = dh * u                                                                           # L4*
    dc = dc + dh * o * (1.0 - u * u)                                                      # L4*
    di, df, dg = dc * g, dc * c_prev, dc * i                                              # L3*
    return di * i * (1.0 - i), df * f * (1.0 - f), dg * (1.0 - g * g), do * o * (1.0 - o), dc * f  # L2*, L3*


@triton.jit
def lstm_step_forward(a, c_prev, gates, c, h, B, H, ACC: tl.constexpr, SAVE: tl.constexpr, BLOCK_B: tl.constexpr,
                 BLOCK_H: tl.constexpr):
    """a (B, 4H), c_prev (B, H)  ->  gates (B, 4H) if they are to be saved, c, h (B, H)"""
    b, j, inside = places(B, H, BLOCK_B, BLOCK_H)
    n, k = b * 4 * H + j, b * H + j
    i, f, g, o, c_t, h_t = cell_forward(get(a + n, inside, ACC), get(a + n + H, inside, ACC), get(a + n + 2 * H, inside, ACC),
                                        get(a + n + 3 * H, inside, ACC), get(c_prev + k, inside, ACC))
    if SAVE:
        put(gates + n, i, inside)
        put(gates + n + H, f, inside)
        put(gates + n + 2 * H, g, inside)
        put(gates + n + 3 * H, o, inside)
    put(c + k, c_t, inside)
    put(h + k, h_t, inside)


@triton.jit
def lstm_step_backward(dh, dy, dc, gates, c_prev, c, da, dc_prev, B, H, ACC: tl.constexpr, BLOCK_B: tl.constexpr,
                  BLOCK_H: tl.constexpr):
    """dh, dy, dc (B, H), gates (B, 4H), c_prev, c (B, H)  ->  da (B, 4H), dc_prev (B, H)"""
    b, j, inside = places(B, H, BLOCK_B, BLOCK_H)
    n, k = b * 4 * H + j, b * H + j
    da_i, da_f, da_g, da_o, dc_t = cell_backward(
        get(dh + k, inside, ACC) + get(dy + k, inside, ACC), get(dc + k, inside, ACC), get(gates + n, inside, ACC),
        get(gates + n + H, inside, ACC), get(gates + n + 2 * H, inside, ACC), get(gates + n + 3 * H, inside, ACC),
        get(c_prev + k, inside, ACC), get(c + k, inside, ACC))
    put(da + n, da_i, inside)
    put(da + n + H, da_f, inside)
    put(da + n + 2 * H, da_g, inside)
    put(da + n + 3 * H, da_o, inside)
    put(dc_prev + k, dc_t, inside)


@triton.jit
def lstm_persistent_forward(a_x, U, gates, c, h, T, H, ACC: tl.constexpr, SAVE: tl.constexpr, BLOCK: tl.constexpr):
    """a_x (T, B, 4H), U = W_hhᵀ  ->  gates (T, B, 4H) if they are to be saved, c, h (T+1, B, H), of which the first are given.

    A program for each sequence.
    """
    b, B, j = tl.program_id(0).to(tl.int64), tl.num_programs(0).to(tl.int64), tl.arange(0, BLOCK)
    inside = j < H
    U_i, U_f = square(U, 4 * H, H, ACC, BLOCK), square(U + H, 4 * H, H, ACC, BLOCK)
    U_g, U_o = square(U + 2 * H, 4 * H, H, ACC, BLOCK), square(U + 3 * H, 4 * H, H, ACC, BLOCK)
    c_t, h_t = get(c + b * H + j, inside, ACC), get(h + b * H + j, inside, ACC)
    for t in range(T):
        row = t * B + b
        n, k = row * 4 * H + j, (row + B) * H + j
        i, f, g, o, c_t, h_t = cell_forward(
            get(a_x + n, inside, ACC) + times(h_t, U_i), get(a_x + n + H, inside, ACC) + times(h_t, U_f),
            get(a_x + n + 2 * H, inside, ACC) + times(h_t, U_g), get(a_x + n + 3 * H, inside, ACC) + times(h_t, U_o), c_t)  # L1
        h_t = tl.where(inside, h_t, 0.0)  # an infinite h makes NaN of the zeros outside, which must not come back
        if SAVE:
            put(gates + n, i, inside)
            put(gates + n + H, f, inside)
            put(gates + n + 2 * H, g, inside)
            put(gates + n + 3 * H, o, inside)
        put(c + k, c_t, inside)
        put(h + k, h_t, inside)


@triton.jit
def lstm_persistent_backward(dy, dh, dc, gates, c, W_hh, da, dh_0, dc_0, T, H, ACC: tl.constexpr, BLOCK: tl.constexpr):
    """dy (T, B, H), dh, dc (B, H), gates (T, B, 4H), c (T+1, B, H), W_hh (4H, H)  ->  da (T, B, 4H), dh_0, dc_0 (B, H)

    A program for each sequence.
    """
    b, B, j = tl.program_id(0).to(tl.int64), tl.num_programs(0).to(tl.int64), tl.arange(0, BLOCK)
    inside = j < H
    W_i, W_f = square(W_hh, H, H, ACC, BLOCK), square(W_hh + H * H, H, H, ACC, BLOCK)
    W_g, W_o = square(W_hh + 2 * H * H, H, H, ACC, BLOCK), square(W_hh + 3 * H * H, H, H, ACC, BLOCK)
    dh_t, dc_t = get(dh + b * H + j, inside, ACC), get(dc + b * H + j, inside, ACC)
    for m in range(T):
        row = (T - 1 - m) * B + b
        n, k = row * 4 * H + j, row * H + j
        da_i, da_f, da_g, da_o, dc_t = cell_backward(
            dh_t + get(dy + k, inside, ACC), dc_t, get(gates + n, inside, ACC), get(gates + n + H, inside, ACC),
            get(gates + n + 2 * H, inside, ACC), get(gates + n + 3 * H, inside, ACC), get(c + k, inside, ACC),
            get(c + k + B * H, inside, ACC))
        put(da + n, da_i, inside)
        put(da + n + H, da_f, inside)
        put(da + n + 2 * H, da_g, inside)
        put(da + n + 3 * H, da_o, inside)
        dh_t = tl.sum(W_i * da_i[:, None] + W_f * da_f[:, None] + W_g * da_g[:, None] + W_o * da_o[:, None], axis=0)  # L1*
        dh_t = tl.where(inside, dh_t, 0.0)
    put(dh_0 + b * H + j, dh_t, inside)
    put(dc_0 + b * H + j, dc_t, inside)


def hoisted(p: Params, x: Tensor, s: State) -> tuple[Tensor, State]:
    """The form that suits H."""
    return run(p, x, s, p.W_hr is None and fits(4, s.c.shape[-1], x.dtype))


def steps(p: Params, x: Tensor, s: State) -> tuple[Tensor, State]:
    """The form that takes any H, and a projection."""
    return run(p, x, s, False)


def run(p: Params, x: Tensor, s: State, whole: bool) -> tuple[Tensor, State]:
    """whole: all steps in one kernel"""
    y, h, c = Fused.apply(*p, x, *s, whole, torch.is_grad_enabled())
    return y, State(h, c)


class Fused(torch.autograd.Function):
    """The kernels, and the products before and after all steps."""

    @staticmethod
    def forward(ctx: Any, W_ih: Tensor, W_hh: Tensor, b_ih: Tensor, b_hh: Tensor, W_hr: Tensor | None, x: Tensor, h_0: Tensor,
                c_0: Tensor, whole: bool, save: bool) -> tuple[Tensor, Tensor, Tensor]:
        p = Params(W_ih, W_hh.contiguous(), b_ih, b_hh, W_hr)
        (T, B, _), H = x.shape, c_0.shape[-1]
        a = linear(x, W_ih, b_ih + b_hh).contiguous()                                     # L1, all T at once
        gates = torch.empty_like(a) if save else a
        h, c = a.new_empty(T + 1, *h_0.shape), a.new_empty(T + 1, *c_0.shape)
        h[0], c[0] = h_0, c_0
        with torch.cuda.device_of(x):
            if B and whole:
                U = p.W_hh.T.contiguous()
                lstm_persistent_forward[(B,)](a, U, gates, c, h, T, H, wide(x), save, **persistent(4, H, x.dtype))
            elif B:
                forward_by_steps(p, a, gates, c, h, save)
        ctx.save_for_backward(*p, x, h, c, gates)
        ctx.whole = whole
        return h[1:].clone(), h[-1].clone(), c[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor, dh_n: Tensor, dc_n: Tensor) -> tuple[Tensor | None, ...]:
        *weights, x, h, c, gates = ctx.saved_tensors
        p, (T, B, _), H = Params(*weights), dy.shape, dc_n.shape[-1]
        dy, dh_n, dc_n = dy.contiguous(), dh_n.contiguous(), dc_n.contiguous()
        dh, dc, da = torch.empty_like(dh_n), torch.empty_like(dc_n), torch.empty_like(gates)
        dh_total = dy if p.W_hr is None else torch.empty_like(dy)
        with torch.cuda.device_of(x):
            if B and ctx.whole:
                sizes = persistent(4, H, x.dtype)
                lstm_persistent_backward[(B,)](dy, dh_n, dc_n, gates, c, p.W_hh, da, dh, dc, T, H, wide(x), **sizes)
            elif B:
                dh, dc = backward_by_steps(p, dy, dh_n, dc_n, gates, c, da, dh_total)
        A = da.flatten(0, 1)
        dW_ih, dW_hh, db = A.T @ x.flatten(0, 1), A.T @ h[:-1].flatten(0, 1), A.sum(0)    # L1*, all T at once
        dW_hr = None
        if p.W_hr is not None:
            m = gates.chunk(4, -1)[3] * torch.tanh(c[1:])                                 # L4
            dW_hr = dh_total.flatten(0, 1).T @ m.flatten(0, 1)                            # L5*, all T at once
        return dW_ih, dW_hh, db, db.clone(), dW_hr, da @ p.W_ih, dh, dc, None, None


def forward_by_steps(p: Params, a: Tensor, gates: Tensor, c: Tensor, h: Tensor, save: bool) -> None:
    """a (T, B, 4H), which the products are added to  ->  gates (T, B, 4H), c (T+1, B, H), h (T+1, B, P)"""
    _, B, H = c.shape
    m = torch.empty_like(c[0])  # h before a projection
    grid, sizes = tile(B, H)
    for a_t, gates_t, c_prev, c_t, h_prev, h_t in zip(a, gates, c, c[1:], h, h[1:], strict=False):
        a_t.addmm_(h_prev, p.W_hh.T)                                                      # L1
        lstm_step_forward[grid](a_t, c_prev, gates_t, c_t, h_t if p.W_hr is None else m, B, H, wide(a), save, **sizes)
        if p.W_hr is not None:
            torch.mm(m, p.W_hr.T, out=h_t)                                                # L5


def backward_by_steps(p: Params, dy: Tensor, dh: Tensor, dc: Tensor, gates: Tensor, c: Tensor, da: Tensor,
                      dh_total: Tensor) -> tuple[Tensor, Tensor]:
    """dy (T, B, P), dh (B, P), dc (B, H), gates, c  ->  dh, dc; da (T, B, 4H) and, with a projection, dh_total (T, B, P) filled"""
    _, B, H = c.shape
    dh, dc, dc_prev, zero = dh.clone(), dc.clone(), torch.empty_like(dc), torch.zeros_like(dc)
    grid, sizes = tile(B, H)
    for t in reversed(range(len(dy))):
        upstream = dh, dy[t]
        if p.W_hr is not None:
            torch.add(dh, dy[t], out=dh_total[t])
            upstream = dh_total[t] @ p.W_hr, zero                                         # L5*
        lstm_step_backward[grid](*upstream, dc, gates[t], c[t], c[t + 1], da[t], dc_prev, B, H, wide(dy), **sizes)
        dc, dc_prev = dc_prev, dc
        torch.mm(da[t], p.W_hh, out=dh)                                                   # L1*
    return dh, dc
