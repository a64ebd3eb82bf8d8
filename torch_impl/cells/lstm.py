"""The LSTM of reference/cells/lstm.py in PyTorch, four ways.  Equations L1 to L5: reference/cells/lstm.py, notes/cells/lstm.md

    loop      every step written out; autograd is the backward
    hoisted   the same with the input product of all steps in one GEMM
    cell      a loop over the operator behind torch.nn.LSTMCell (which has no projection)
    bptt      the hand-derived backward as a torch.autograd.Function

Each is ``(p, x (T, B, I), State) -> y (T, B, P), State``.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear


class Params(NamedTuple):
    W_ih: Tensor  # (4H, I)
    W_hh: Tensor  # (4H, P)
    b_ih: Tensor  # (4H,)
    b_hh: Tensor  # (4H,)
    W_hr: Tensor | None = None  # (P, H)


class State(NamedTuple):
    h: Tensor  # (B, P)
    c: Tensor  # (B, H)


def step_forward(p: Params, a_x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """a_x (B, 4H), h (B, P), c (B, H)  ->  h (B, P), c (B, H), gates (B, 4H)"""
    i, f, g, o = (a_x + linear(h, p.W_hh, p.b_hh)).chunk(4, -1)                           # L1
    i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)      # L2
    c = f * c + i * g                                                                     # L3
    h = o * torch.tanh(c)                                                                 # L4
    if p.W_hr is not None:
        h = linear(h, p.W_hr)                                                             # L5
    return h, c, torch.cat([i, f, g, o], -1)


def step_backward(p: Params, dh: Tensor, dc: Tensor, gates: Tensor, c_prev: Tensor,
                  c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The adjoint of step_forward, lines in reverse  ->  da (B, 4H), dh (B, P), dc (B, H)"""
    i, f, g, o = gates.chunk(4, -1)
    if p.W_hr is not None:
        dh = dh @ p.W_hr                                                                  # L5*
    u = torch.tanh(c)
    do = dh * u                                                                           # L4*
    dc = dc + dh * o * (1 - u**2)                                                         # L4*
    di, df, dg = dc * g, dc * c_prev, dc * i                                              # L3*
    da = torch.cat([di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)], -1)  # L2*
    return da, da @ p.W_hh, dc * f                                                        # L1*, L3*


def unroll(p: Params, a_x: Iterable[Tensor], s: State) -> tuple[Tensor, State]:
    """a_x yields (B, 4H) for each step  ->  y (T, B, P), State"""
    (h, c), y = s, []
    for a in a_x:
        h, c, _ = step_forward(p, a, h, c)
        y.append(h)
    return torch.stack(y), State(h, c)


def loop(p: Params, x: Tensor, s: State) -> tuple[Tensor, State]:
    return unroll(p, (linear(x_t, p.W_ih, p.b_ih) for x_t in x), s)                       # L1


def hoisted(p: Params, x: Tensor, s: State) -> tuple[Tensor, State]:
    return unroll(p, linear(x, p.W_ih, p.b_ih).unbind(), s)                               # L1, all T at once


def cell(p: Params, x: Tensor, s: State) -> tuple[Tensor, State]:
    if p.W_hr is not None:
        raise ValueError("torch.nn.LSTMCell has no projection")
    (h, c), y = s, []
    for x_t in x:
        h, c = torch.lstm_cell(x_t, (h, c), *p[:4])
        y.append(h)
    return torch.stack(y), State(h, c)


def bptt(p: Params, x: Tensor, s: State) -> tuple[Tensor, State]:
    y, h, c = BPTT.apply(*p, x, *s)
    return y, State(h, c)


class BPTT(torch.autograd.Function):
    """Backpropagation through time by hand, as reference.cells.lstm.backward."""

    @staticmethod
    def forward(ctx: Any, W_ih: Tensor, W_hh: Tensor, b_ih: Tensor, b_hh: Tensor, W_hr: Tensor | None, x: Tensor, h_0: Tensor,
                c_0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        p = Params(W_ih, W_hh, b_ih, b_hh, W_hr)
        hs, cs, gates = [h_0], [c_0], []
        for a in linear(x, p.W_ih, p.b_ih).unbind():
            h_t, c_t, gates_t = step_forward(p, a, hs[-1], cs[-1])
            hs.append(h_t)
            cs.append(c_t)
            gates.append(gates_t)
        h, c = torch.stack(hs), torch.stack(cs)
        ctx.save_for_backward(*p, x, h, c, torch.stack(gates))
        return h[1:].clone(), h[-1].clone(), c[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor, dh: Tensor, dc: Tensor) -> tuple[Tensor | None, ...]:
        *weights, x, h, c, gates = ctx.saved_tensors
        p, da, dh_total = Params(*weights), torch.empty_like(gates), torch.empty_like(dy)
        for t in reversed(range(len(dy))):
            dh_total[t] = dh + dy[t]
            da[t], dh, dc = step_backward(p, dh_total[t], dc, gates[t], c[t], c[t + 1])
        A = da.flatten(0, 1)
        dW_ih, dW_hh, db = A.T @ x.flatten(0, 1), A.T @ h[:-1].flatten(0, 1), A.sum(0)    # L1*, all T at once
        dW_hr = None
        if p.W_hr is not None:
            m = gates.chunk(4, -1)[3] * torch.tanh(c[1:])                                 # L4
            dW_hr = dh_total.flatten(0, 1).T @ m.flatten(0, 1)                            # L5*, all T at once
        return dW_ih, dW_hh, db, db.clone(), dW_hr, da @ p.W_ih, dh, dc
