"""The Elman RNN of reference/cells/rnn.py in PyTorch, four ways.  Equations R1, R2: reference/cells/rnn.py, notes/cells/rnn.md

    loop      every step written out; autograd is the backward
    hoisted   the same with the input product of all steps in one GEMM
    cell      a loop over the operator behind torch.nn.RNNCell
    bptt      the hand-derived backward as a torch.autograd.Function

Each is ``(p, x (T, B, I), State, nonlinearity) -> y (T, B, H), State``.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear


class Params(NamedTuple):
    W_ih: Tensor  # (H, I)
    W_hh: Tensor  # (H, H)
    b_ih: Tensor  # (H,)
    b_hh: Tensor  # (H,)


class State(NamedTuple):
    h: Tensor  # (B, H)


def step_forward(p: Params, a_x: Tensor, h: Tensor, nonlinearity: str = "tanh") -> Tensor:
    """a_x, h (B, H)  ->  h (B, H)"""
    a = a_x + linear(h, p.W_hh, p.b_hh)                                                   # R1
    return torch.tanh(a) if nonlinearity == "tanh" else torch.relu(a)                     # R2


def step_backward(p: Params, dh: Tensor, h: Tensor, nonlinearity: str = "tanh") -> tuple[Tensor, Tensor]:
    """The adjoint of step_forward; h is what it returned  ->  da, dh (B, H)"""
    da = dh * (1 - h**2) if nonlinearity == "tanh" else torch.where(h <= 0, 0, dh)        # R2*
    return da, da @ p.W_hh                                                                # R1*


def unroll(p: Params, a_x: Iterable[Tensor], s: State, nonlinearity: str) -> tuple[Tensor, State]:
    """a_x yields (B, H) for each step  ->  y (T, B, H), State"""
    (h,), y = s, []
    for a in a_x:
        h = step_forward(p, a, h, nonlinearity)
        y.append(h)
    return torch.stack(y), State(h)


def loop(p: Params, x: Tensor, s: State, nonlinearity: str = "tanh") -> tuple[Tensor, State]:
    return unroll(p, (linear(x_t, p.W_ih, p.b_ih) for x_t in x), s, nonlinearity)         # R1


def hoisted(p: Params, x: Tensor, s: State, nonlinearity: str = "tanh") -> tuple[Tensor, State]:
    return unroll(p, linear(x, p.W_ih, p.b_ih).unbind(), s, nonlinearity)                 # R1, all T at once


def cell(p: Params, x: Tensor, s: State, nonlinearity: str = "tanh") -> tuple[Tensor, State]:
    op = torch.rnn_tanh_cell if nonlinearity == "tanh" else torch.rnn_relu_cell
    (h,), y = s, []
    for x_t in x:
        h = op(x_t, h, *p)
        y.append(h)
    return torch.stack(y), State(h)


def bptt(p: Params, x: Tensor, s: State, nonlinearity: str = "tanh") -> tuple[Tensor, State]:
    y, h = BPTT.apply(*p, x, *s, nonlinearity)
    return y, State(h)


class BPTT(torch.autograd.Function):
    """Backpropagation through time by hand, as reference.cells.rnn.backward."""

    @staticmethod
    def forward(ctx: Any, W_ih: Tensor, W_hh: Tensor, b_ih: Tensor, b_hh: Tensor, x: Tensor, h_0: Tensor,
                nonlinearity: str) -> tuple[Tensor, Tensor]:
        p = Params(W_ih, W_hh, b_ih, b_hh)
        y, s = hoisted(p, x, State(h_0), nonlinearity)
        h = torch.cat([h_0[None], y])
        ctx.save_for_backward(*p, x, h)
        ctx.nonlinearity = nonlinearity
        return y, s.h.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor, dh_n: Tensor) -> tuple[Tensor | None, ...]:
        *weights, x, h = ctx.saved_tensors
        p, dh, da = Params(*weights), dh_n, torch.empty_like(dy)
        for t in reversed(range(len(dy))):
            da[t], dh = step_backward(p, dh + dy[t], h[t + 1], ctx.nonlinearity)
        A = da.flatten(0, 1)
        dW_ih, dW_hh, db = A.T @ x.flatten(0, 1), A.T @ h[:-1].flatten(0, 1), A.sum(0)    # R1*, all T at once
        return dW_ih, dW_hh, db, db.clone(), da @ p.W_ih, dh, None
