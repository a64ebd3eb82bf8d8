"""Real-time recurrent learning of reference/gradients/rtrl.py, its Jacobians by autograd.

notes/gradients/bptt_variants.md, RT1 to RT3
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.functional import jacobian
from torch.nn.functional import linear

from ..cells.layers import Room
from ..cells.stack import P, S


def gradient(room: Room, p: P, x: Tensor, s: S, dy: Tensor, ds_n: S, **options: Any) -> tuple[P, S]:
    """x (T, B, I), State, d(outputs)  ->  dp, ds_0; room is torch_impl.cells.rnn, lstm or gru"""
    by_sequence = [sequence(room, p, x[:, b], [v[b] for v in s], dy[:, b], torch.cat([v[b] for v in ds_n]), options)
                   for b in range(x.shape[1])]
    dp = [None if v is None else sum(each[0][k] for each in by_sequence) for k, v in enumerate(p)]
    rows = torch.stack([each[1] for each in by_sequence]).split([v.shape[-1] for v in s], -1)
    return type(p)(*dp), type(s)(*rows)


def sequence(room: Room, p: P, x: Tensor, s: Sequence[Tensor], dy: Tensor, ds: Tensor,
             options: dict[str, Any]) -> tuple[list[Tensor | None], Tensor]:
    """One sequence: x (T, I), [(·,)], dy (T, P), ds (S,)  ->  [dp], ds_0 (S,)"""
    widths, weights = [len(v) for v in s], [v for v in p if v is not None]
    row, sizes, n = torch.cat(list(s)), [v.numel() for v in weights], sum(widths)
    M = torch.cat([torch.zeros(n, sum(sizes), dtype=x.dtype), torch.eye(n, dtype=x.dtype)], 1)    # RT1
    d = torch.zeros(M.shape[1], dtype=x.dtype)
    for x_t, dy_t in zip(x, dy, strict=True):
        def step(row: Tensor, *weights: Tensor, x_t: Tensor = x_t) -> Tensor:
            q = type(p)(*weights)
            out = room.step_forward(q, linear(x_t[None], q.W_ih, q.b_ih), *row[None].split(widths, -1), *options.values())
            return torch.cat((out if isinstance(out, tuple) else (out,))[: len(widths)], -1)[0]

        J, *D = jacobian(step, (row, *weights))
        M = J @ M                                                                                 # RT2
        M[:, : sum(sizes)] += torch.cat([v.reshape(n, -1) for v in D], 1)                         # RT2
        row = step(row, *weights)
        d = d + dy_t @ M[: len(dy_t)]                                                             # RT3
    d = d + ds @ M                                                                                # RT3
    parts = iter(d[: sum(sizes)].split(sizes))
    return [None if v is None else next(parts).reshape(v.shape) for v in p], d[sum(sizes) :]
