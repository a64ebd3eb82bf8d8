"""Real-time recurrent learning of reference/gradients/rtrl.py, its Jacobians by autograd.

notes/gradients/rtrl.md, RT1 to RT3
"""

import torch
from torch.autograd.functional import jacobian
from torch.nn.functional import linear


def gradient(room, p, x, s, dy, ds_n, **options):
    """x (T, B, I), State, d(outputs)  ->  dp, ds_0; room is torch_impl.cells.rnn, lstm or gru"""
    found = [sequence(room, p, x[:, b], [v[b] for v in s], dy[:, b], torch.cat([v[b] for v in ds_n]), options)
             for b in range(x.shape[1])]
    dp = [None if v is None else sum(each[0][k] for each in found) for k, v in enumerate(p)]
    rows = torch.stack([each[1] for each in found]).split([v.shape[-1] for v in s], -1)
    return type(p)(*dp), type(s)(*rows)


def sequence(room, p, x, s, dy, ds, options):
    """One sequence: x (T, I), [(·,)], dy (T, P), ds (S,)  ->  [dp], ds_0 (S,)"""
    widths, given = [len(v) for v in s], [v for v in p if v is not None]
    row, sizes, S = torch.cat(s), [v.numel() for v in given], sum(widths)
    M = torch.cat([torch.zeros(S, sum(sizes), dtype=x.dtype), torch.eye(S, dtype=x.dtype)], 1)    # RT1
    d = torch.zeros(M.shape[1], dtype=x.dtype)
    for x_t, dy_t in zip(x, dy, strict=True):
        def step(row, *given, x_t=x_t):
            q = type(p)(*given)
            out = room.step_forward(q, linear(x_t[None], q.W_ih, q.b_ih), *row[None].split(widths, -1), *options.values())
            return torch.cat((out if isinstance(out, tuple) else (out,))[: len(widths)], -1)[0]

        J, *D = jacobian(step, (row, *given))
        M = J @ M                                                                                 # RT2
        M[:, : sum(sizes)] += torch.cat([v.reshape(S, -1) for v in D], 1)                         # RT2
        row = step(row, *given)
        d = d + dy_t @ M[: len(dy_t)]                                                             # RT3
    d = d + ds @ M                                                                                # RT3
    parts = iter(d[: sum(sizes)].split(sizes))
    return [None if v is None else next(parts).reshape(v.shape) for v in p], d[sum(sizes) :]
