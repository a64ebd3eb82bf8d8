"""Real-time recurrent learning of reference/gradients/rtrl.py, its Jacobians by autograd.

notes/gradients/rtrl.md, RT1 to RT3
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd.functional import jacobian
from torch.nn.functional import linear

from ..cells.layers import Room
from ..cells.stack import Option, P, S


def gradient(room: Room, p: P, x: Tensor, s: S, dy: Tensor, ds_n: S, **options: Option) -> tuple[P, S]:
    """x (T, B, I), State, d(outputs)  ->  dp, ds_0; room is torch_impl.cells.rnn, lstm or gru"""
    d = torch.stack([sequence(room, p, x[:, b], [v[b] for v in s], dy[:, b], torch.cat([v[b] for v in ds_n]), options)
                     for b in range(x.shape[1])])
    weights, widths = {k: v for k, v in p._asdict().items() if v is not None}, [v.shape[-1] for v in s]
    dp, ds = d.split([d.shape[1] - sum(widths), sum(widths)], -1)
    parts = zip(weights.items(), dp.sum(0).split([v.numel() for v in weights.values()]), strict=True)
    return type(p)(**{k: part.reshape(v.shape) for (k, v), part in parts}), type(s)(*ds.split(widths, -1))


def sequence(room: Room, p: P, x: Tensor, s: Sequence[Tensor], dy: Tensor, ds: Tensor, options: dict[str, Option]) -> Tensor:
    """One sequence: x (T, I), [(·,)], dy (T, P), ds (S,)  ->  d of all weights and of the S states, flat"""
    widths, weights = [len(v) for v in s], [v for v in p if v is not None]
    row, count, n = torch.cat(list(s)), sum(v.numel() for v in weights), sum(widths)
    M = torch.cat([torch.zeros(n, count, dtype=x.dtype), torch.eye(n, dtype=x.dtype)], 1)         # RT1
    d = torch.zeros(M.shape[1], dtype=x.dtype)
    for x_t, dy_t in zip(x, dy, strict=True):
        def step(row: Tensor, *weights: Tensor, x_t: Tensor = x_t) -> Tensor:
            q = type(p)(*weights)
            out = room.step_forward(q, linear(x_t[None], q.W_ih, q.b_ih), *row[None].split(widths, -1), *options.values())
            return torch.cat((out if isinstance(out, tuple) else (out,))[: len(widths)], -1)[0]

        J, *D = jacobian(step, (row, *weights))
        M = J @ M                                                                                 # RT2
        M[:, :count] += torch.cat([v.reshape(n, -1) for v in D], 1)                               # RT2
        row = step(row, *weights)
        d = d + dy_t @ M[: len(dy_t)]                                                             # RT3
    return d + ds @ M                                                                             # RT3
