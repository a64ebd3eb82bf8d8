"""Gradient flow of reference/gradients/gradient_flow.py by autograd: no backward of ours takes part.

notes/gradients/gradient_flow.md

A room is one of torch_impl.cells.rnn, lstm, gru; Params and State hold tensors.
"""

import torch
from torch import Tensor
from torch.autograd.functional import jacobian
from torch.nn.functional import linear

from ..cells.layers import Room
from ..cells.stack import Option, P, S


def step(room: Room, p: P, x_t: Tensor, s: S, options: dict[str, Option]) -> S:
    """x_t (B, I), State  ->  State"""
    out = room.step_forward(p, linear(x_t, p.W_ih, p.b_ih), *s, *options.values())
    return room.State(*(out if isinstance(out, tuple) else (out,))[: len(room.State._fields)])


def states(room: Room, p: P, x: Tensor, s: S, **options: Option) -> list[S]:
    """x (T, B, I), State  ->  T+1 States"""
    entering = [s]
    for x_t in x:
        entering.append(step(room, p, x_t, entering[-1], options))
    return entering


def norms(room: Room, p: P, x: Tensor, s: S, dy: Tensor, ds_n: S, **options: Option) -> S:
    """d(outputs)  ->  State of (T+1, B): the norm of each sequence's gradient at each state                  GF4"""
    s = room.State(*(v.clone().requires_grad_() for v in s))
    entering, outputs = [s], []
    for x_t in x:
        s = step(room, p, x_t, entering[-1], options)
        entering.append(room.State(*(v.clone() for v in s)))  # of its own, so that c's gradient leaves out h
        outputs.append(entering[-1].h)
    loss = (dy * torch.stack(outputs)).sum() + sum((d * v).sum() for d, v in zip(ds_n, entering[-1], strict=True))
    each = [torch.autograd.grad(loss, [getattr(s, name) for s in entering], retain_graph=True) for name in room.State._fields]
    return room.State(*(torch.stack(g).norm(dim=-1) for g in each))


def step_jacobians(room: Room, p: P, x: Tensor, s: S, b: int = 0, **options: Option) -> Tensor:
    """x (T, B, I), State, sequence b  ->  J (T, S, S)                                                       GF1"""
    each = []
    for x_t, now in zip(x, states(room, p, x, s, **options)[:-1], strict=True):
        widths = [v.shape[-1] for v in now]

        def joined(row: Tensor, x_t: Tensor = x_t, widths: list[int] = widths) -> Tensor:
            after = step(room, p, x_t[b : b + 1], room.State(*row[None].split(widths, -1)), options)
            return torch.cat(after, -1)[0]

        each.append(jacobian(joined, torch.cat([v[b] for v in now])))
    return torch.stack(each)


def products(J: Tensor) -> Tensor:
    """J (T, S, S)  ->  P (T+1, S, S)                                                                        GF2"""
    P = [torch.eye(J.shape[-1], dtype=J.dtype)]
    for J_t in J.flip(0):
        P.append(P[-1] @ J_t)
    return torch.stack(P[::-1])


def spectrum(J: Tensor) -> tuple[Tensor, Tensor]:
    """(..., S, S)  ->  singular values, largest first, and spectral radius                                  GF3"""
    return torch.linalg.svdvals(J), torch.linalg.eigvals(J).abs().amax(-1)
