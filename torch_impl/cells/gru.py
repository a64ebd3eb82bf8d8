"""The GRU of reference/cells/gru.py in PyTorch, four ways.  Equations G1 to G4: reference/cells/gru.py, notes/cells/gru.md

    loop      every step written out; autograd is the backward
    hoisted   the same with the input product of all steps in one GEMM
    cell      a loop over the operator behind torch.nn.GRUCell (reset after only)
    bptt      the hand-derived backward as a torch.autograd.Function

Each is ``(p, x (T, B, I), State, reset_after) -> y (T, B, H), State``.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear


class Params(NamedTuple):
    W_ih: Tensor  # (3H, I)
    W_hh: Tensor  # (3H, H)
    b_ih: Tensor  # (3H,)
    b_hh: Tensor  # (3H,)


class State(NamedTuple):
    h: Tensor  # (B, H)


def step_forward(p: Params, a_x: Tensor, h: Tensor, reset_after: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """a_x (B, 3H), h (B, H)  ->  h (B, H), gates (B, 3H), q (B, H)"""
    H = h.shape[-1]
    rz = torch.sigmoid(a_x[:, : 2 * H] + linear(h, p.W_hh[: 2 * H], p.b_hh[: 2 * H]))     # G1
    r, z = rz.chunk(2, -1)
    q = linear(h if reset_after else r * h, p.W_hh[2 * H :], p.b_hh[2 * H :])             # G2
    n = torch.tanh(a_x[:, 2 * H :] + (r * q if reset_after else q))                       # G3
    h = (1 - z) * n + z * h                                                               # G4
    return h, torch.cat([rz, n], -1), q


def step_backward(p: Params, dh: Tensor, gates: Tensor, q: Tensor, h_prev: Tensor,
                  reset_after: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """The adjoint of step_forward, lines in reverse  ->  da_x, da_h (B, 3H), dh (B, H)"""
    H = h_prev.shape[-1]
    r, z, n = gates.chunk(3, -1)
    dn, dz, dh = dh * (1 - z), dh * (h_prev - n), dh * z                                  # G4*
    da_n = dn * (1 - n**2)                                                                # G3*
    dq = da_n * r if reset_after else da_n                                                # G3*
    dh_q = dq @ p.W_hh[2 * H :]                                                           # G2*
    dr = da_n * q if reset_after else dh_q * h_prev                                       # G3*, G2*
    da_rz = torch.cat([dr * r * (1 - r), dz * z * (1 - z)], -1)                           # G1*
    dh = dh + da_rz @ p.W_hh[: 2 * H] + (dh_q if reset_after else dh_q * r)               # G1*, G2*
    return torch.cat([da_rz, da_n], -1), torch.cat([da_rz, dq], -1), dh


def unroll(p: Params, a_x: Iterable[Tensor], s: State, reset_after: bool) -> tuple[Tensor, State]:
    """a_x yields (B, 3H) for each step  ->  y (T, B, H), State"""
    (h,), y = s, []
    for a in a_x:
        h, _, _ = step_forward(p, a, h, reset_after)
        y.append(h)
    return torch.stack(y), State(h)


def loop(p: Params, x: Tensor, s: State, reset_after: bool = True) -> tuple[Tensor, State]:
    return unroll(p, (linear(x_t, p.W_ih, p.b_ih) for x_t in x), s, reset_after)          # G1, G3


def hoisted(p: Params, x: Tensor, s: State, reset_after: bool = True) -> tuple[Tensor, State]:
    return unroll(p, linear(x, p.W_ih, p.b_ih).unbind(), s, reset_after)                  # G1, G3, all T at once


def cell(p: Params, x: Tensor, s: State, reset_after: bool = True) -> tuple[Tensor, State]:
    if not reset_after:
        raise ValueError("torch.nn.GRUCell resets after the product only")
    (h,), y = s, []
    for x_t in x:
        h = torch.gru_cell(x_t, h, *p)
        y.append(h)
    return torch.stack(y), State(h)


def bptt(p: Params, x: Tensor, s: State, reset_after: bool = True) -> tuple[Tensor, State]:
    y, h = BPTT.apply(*p, x, *s, reset_after)
    return y, State(h)


class BPTT(torch.autograd.Function):
    """Backpropagation through time by hand, as reference.cells.gru.backward."""

    @staticmethod
    def forward(ctx: Any, W_ih: Tensor, W_hh: Tensor, b_ih: Tensor, b_hh: Tensor, x: Tensor, h_0: Tensor,
                reset_after: bool) -> tuple[Tensor, Tensor]:
        p = Params(W_ih, W_hh, b_ih, b_hh)
        hs, gates, q = [h_0], [], []
        for a in linear(x, p.W_ih, p.b_ih).unbind():
            h_t, gates_t, q_t = step_forward(p, a, hs[-1], reset_after)
            hs.append(h_t)
            gates.append(gates_t)
            q.append(q_t)
        h = torch.stack(hs)
        ctx.save_for_backward(*p, x, h, torch.stack(gates), torch.stack(q))
        ctx.reset_after = reset_after
        return h[1:].clone(), h[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor, dh: Tensor) -> tuple[Tensor | None, ...]:
        *weights, x, h, gates, q = ctx.saved_tensors
        p, H, da_x, da_h = Params(*weights), h.shape[-1], torch.empty_like(gates), torch.empty_like(gates)
        for t in reversed(range(len(dy))):
            da_x[t], da_h[t], dh = step_backward(p, dh + dy[t], gates[t], q[t], h[t], ctx.reset_after)
        A_x, A_h = da_x.flatten(0, 1), da_h.flatten(0, 1)
        h_prev, r = h[:-1].flatten(0, 1), gates.chunk(3, -1)[0].flatten(0, 1)
        h_q = h_prev if ctx.reset_after else r * h_prev                                   # G2
        dW_hh = torch.cat([A_h[:, : 2 * H].T @ h_prev, A_h[:, 2 * H :].T @ h_q])          # G1*, G2*, all T at once
        return A_x.T @ x.flatten(0, 1), dW_hh, A_x.sum(0), A_h.sum(0), da_x @ p.W_ih, dh, None
