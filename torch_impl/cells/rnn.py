"""The Elman RNN of reference/cells/rnn.py in PyTorch, four ways.  Equations R1, R2: reference/cells/rnn.py, notes/cells/rnn.md

    loop      every step written out; autograd is the backward
    hoisted   the same with the input product of all steps in one GEMM
    cell      a loop over the operator behind torch.nn.RNNCell
    bptt      the hand-derived backward as a torch.autograd.Function

Each is ``(p, x (T, B, I), State, nonlinearity) -> y (T, B, H), State``.
"""

import torch
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

from reference.cells.rnn import Params, State


def step_forward(p, a_x, h, nonlinearity="tanh"):
    """a_x, h (B, H)  ->  h (B, H)"""
    a = a_x + linear(h, p.W_hh, p.b_hh)                                                   # R1
    return torch.tanh(a) if nonlinearity == "tanh" else torch.relu(a)                     # R2


def step_backward(p, dh, h, nonlinearity="tanh"):
    """The adjoint of step_forward; h is what it returned  ->  da, dh (B, H)"""
    da = dh * (1 - h**2) if nonlinearity == "tanh" else torch.where(h <= 0, 0, dh)        # R2*
    return da, da @ p.W_hh                                                                # R1*


def unroll(p, a_x, s, nonlinearity):
    """a_x yields (B, H) for each step  ->  y (T, B, H), State"""
    (h,), y = s, []
    for a in a_x:
        h = step_forward(p, a, h, nonlinearity)
        y.append(h)
    return torch.stack(y), State(h)


def loop(p, x, s, nonlinearity="tanh"):
    return unroll(p, (linear(x_t, p.W_ih, p.b_ih) for x_t in x), s, nonlinearity)         # R1


def hoisted(p, x, s, nonlinearity="tanh"):
    return unroll(p, linear(x, p.W_ih, p.b_ih).unbind(), s, nonlinearity)                 # R1, all T at once


def cell(p, x, s, nonlinearity="tanh"):
    op = torch.rnn_tanh_cell if nonlinearity == "tanh" else torch.rnn_relu_cell
    (h,), y = s, []
    for x_t in x:
        h = op(x_t, h, *p)
        y.append(h)
    return torch.stack(y), State(h)


def bptt(p, x, s, nonlinearity="tanh"):
    y, h = BPTT.apply(*p, x, *s, nonlinearity)
    return y, State(h)


class BPTT(torch.autograd.Function):
    """Backpropagation through time by hand, as reference.cells.rnn.backward."""

    @staticmethod
    def forward(ctx, W_ih, W_hh, b_ih, b_hh, x, h_0, nonlinearity):
        p = Params(W_ih, W_hh, b_ih, b_hh)
        y, s = hoisted(p, x, State(h_0), nonlinearity)
        h = torch.cat([h_0[None], y])
        ctx.save_for_backward(*p, x, h)
        ctx.nonlinearity = nonlinearity
        return y, s.h.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx, dy, dh_n):
        *p, x, h = ctx.saved_tensors
        p, dh, da = Params(*p), dh_n, torch.empty_like(dy)
        for t in reversed(range(len(dy))):
            da[t], dh = step_backward(p, dh + dy[t], h[t + 1], ctx.nonlinearity)
        A = da.flatten(0, 1)
        dW_ih, dW_hh, db = A.T @ x.flatten(0, 1), A.T @ h[:-1].flatten(0, 1), A.sum(0)    # R1*, all T at once
        return dW_ih, dW_hh, db, db.clone(), da @ p.W_ih, dh, None
