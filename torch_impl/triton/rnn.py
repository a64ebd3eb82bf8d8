"""The Elman RNN in Triton.  Equations R1, R2 and their adjoints R2*, R1*: reference/cells/rnn.py, notes/cells/rnn.md

    hoisted   (p, x (T, B, I), State, nonlinearity)  ->  y (T, B, H), State
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

from ..cells.rnn import Params, State
from .blocks import fits, get, persistent, places, put, square, tile, times, wide
from .functions import tanh

__all__ = ["Params", "State", "hoisted", "steps"]


@triton.jit
def cell_forward(a, RELU: tl.constexpr):
    """a  ->  h"""
    return tl.where(a <= 0, 0.0, a) if RELU else tanh(a)                                  # R2, NaN kept


@triton.jit
def cell_backward(dh, h, RELU: tl.constexpr):
    """dh, h  ->  da"""
    return tl.where(h <= 0, 0.0, dh) if RELU else dh * (1.0 - h * h)                      # R2*


@triton.jit
def rnn_step_forward(a, h, B, H, ACC: tl.constexpr, RELU: tl.constexpr, BLOCK_B: tl.constexpr, BLOCK_H: tl.constexpr):
    """a (B, H)  ->  h (B, H)"""
    b, j, inside = places(B, H, BLOCK_B, BLOCK_H)
    put(h + b * H + j, cell_forward(get(a + b * H + j, inside, ACC), RELU), inside)


@triton.jit
def rnn_step_backward(dh, dy, h, da, B, H, ACC: tl.constexpr, RELU: tl.constexpr, BLOCK_B: tl.constexpr, BLOCK_H: tl.constexpr):
    """dh, dy, h (B, H)  ->  da (B, H)"""
    b, j, inside = places(B, H, BLOCK_B, BLOCK_H)
    k = b * H + j
    put(da + k, cell_backward(get(dh + k, inside, ACC) + get(dy + k, inside, ACC), get(h + k, inside, ACC), RELU), inside)


@triton.jit
def rnn_persistent_forward(a_x, U, h, T, H, ACC: tl.constexpr, RELU: tl.constexpr, BLOCK: tl.constexpr):
    """a_x (T, B, H), U = W_hhᵀ, h_0  ->  h (T+1, B, H), of which the first is h_0.  A program for each sequence."""
    b, B, j = tl.program_id(0).to(tl.int64), tl.num_programs(0).to(tl.int64), tl.arange(0, BLOCK)
    inside, W = j < H, square(U, H, H, ACC, BLOCK)
    h_t = get(h + b * H + j, inside, ACC)
    for t in range(T):
        row = t * B + b
        h_t = cell_forward(get(a_x + row * H + j, inside, ACC) + times(h_t, W), RELU)     # R1
        h_t = tl.where(inside, h_t, 0.0)  # an infinite h makes NaN of the zeros outside, which must not come back
        put(h + (row + B) * H + j, h_t, inside)


@triton.jit
def rnn_persistent_backward(dy, dh, h, W_hh, da, dh_0, T, H, ACC: tl.constexpr, RELU: tl.constexpr, BLOCK: tl.constexpr):
    """dy (T, B, H), dh (B, H), h (T+1, B, H), W_hh (H, H)  ->  da (T, B, H), dh_0 (B, H).  A program for each sequence."""
    b, B, j = tl.program_id(0).to(tl.int64), tl.num_programs(0).to(tl.int64), tl.arange(0, BLOCK)
    inside, W = j < H, square(W_hh, H, H, ACC, BLOCK)
    dh_t = get(dh + b * H + j, inside, ACC)
    for n in range(T):
        row = (T - 1 - n) * B + b
        da_t = cell_backward(dh_t + get(dy + row * H + j, inside, ACC), get(h + (row + B) * H + j, inside, ACC), RELU)
        put(da + row * H + j, da_t, inside)
        dh_t = tl.where(inside, times(da_t, W), 0.0)                   # R1*
    put(dh_0 + b * H + j, dh_t, inside)


def hoisted(p: Params, x: Tensor, s: State, nonlinearity: str = "tanh") -> tuple[Tensor, State]:
    """The form that suits H."""
    return run(p, x, s, nonlinearity, fits(1, s.h.shape[-1], x.dtype))


def steps(p: Params, x: Tensor, s: State, nonlinearity: str = "tanh") -> tuple[Tensor, State]:
    """The form that takes any H."""
    return run(p, x, s, nonlinearity, False)


def run(p: Params, x: Tensor, s: State, nonlinearity: str, whole: bool) -> tuple[Tensor, State]:
    """whole: all steps in one kernel"""
    y, h = Fused.apply(*p, x, *s, nonlinearity == "relu", whole)
    return y, State(h)


class Fused(torch.autograd.Function):
    """The kernels, and the products before and after all steps."""

    @staticmethod
    def forward(ctx: Any, W_ih: Tensor, W_hh: Tensor, b_ih: Tensor, b_hh: Tensor, x: Tensor, h_0: Tensor, RELU: bool,
                whole: bool) -> tuple[Tensor, Tensor]:
        (T, B, _), H, W_hh = x.shape, h_0.shape[-1], W_hh.contiguous()
        a = linear(x, W_ih, b_ih + b_hh).contiguous()                                     # R1, all T at once
        h = a.new_empty(T + 1, B, H)
        h[0] = h_0
        with torch.cuda.device_of(x):
            if B and whole:
                rnn_persistent_forward[(B,)](a, W_hh.T.contiguous(), h, T, H, wide(x), RELU, **persistent(1, H, x.dtype))
            elif B:
                grid, sizes = tile(B, H)
                for a_t, h_prev, h_t in zip(a, h, h[1:], strict=False):
                    a_t.addmm_(h_prev, W_hh.T)                                            # R1
                    rnn_step_forward[grid](a_t, h_t, B, H, wide(x), RELU, **sizes)
        ctx.save_for_backward(W_ih, W_hh, x, h)
        ctx.RELU, ctx.whole = RELU, whole
        return h[1:].clone(), h[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor, dh_n: Tensor) -> tuple[Tensor | None, ...]:
        W_ih, W_hh, x, h = ctx.saved_tensors
        (T, B, H), dy, dh = dy.shape, dy.contiguous(), dh_n.clone(memory_format=torch.contiguous_format)
        da = torch.empty_like(dy)
        with torch.cuda.device_of(x):
            if B and ctx.whole:
                dh_n = dh_n.contiguous()
                rnn_persistent_backward[(B,)](dy, dh_n, h, W_hh, da, dh, T, H, wide(x), ctx.RELU, **persistent(1, H, x.dtype))
            elif B:
                grid, sizes = tile(B, H)
                for t in reversed(range(T)):
                    rnn_step_backward[grid](dh, dy[t], h[t + 1], da[t], B, H, wide(x), ctx.RELU, **sizes)
                    torch.mm(da[t], W_hh, out=dh)                                         # R1*
        A = da.flatten(0, 1)
        dW_ih, dW_hh, db = A.T @ x.flatten(0, 1), A.T @ h[:-1].flatten(0, 1), A.sum(0)    # R1*, all T at once
        return dW_ih, dW_hh, db, db.clone(), da @ W_ih, dh, None, None
