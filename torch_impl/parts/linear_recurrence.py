"""The linear recurrence of reference/parts/linear_recurrence.py in PyTorch; autograd is the backward.

LR1 to LR4: notes/parts/linear_recurrence.md
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear

Run = Callable[[Tensor, Tensor, Tensor], Tensor]  # loop or scan


class Params(NamedTuple):
    W_ih: Tensor  # (2H, I)   z | n
    b_ih: Tensor  # (2H,)


def loop(a: Tensor, u: Tensor, h_0: Tensor) -> Tensor:
    """a, u (T, ...), h_0 (...)  ->  h (T+1, ...), one step after another"""
    h = [h_0]
    for a_t, u_t in zip(a, u, strict=True):
        h.append(a_t * h[-1] + u_t)                                                       # LR3
    return torch.stack(h)


def scan(a: Tensor, u: Tensor, h_0: Tensor) -> Tensor:
    """As loop, in ⌈log₂(T+1)⌉ rounds; nothing is written in place, so that autograd can go back through them"""
    a, h = torch.cat([torch.zeros_like(h_0)[None], a]), torch.cat([h_0[None], u])
    reach = 1
    while reach < len(h):
        h = torch.cat([h[:reach], a[reach:] * h[:-reach] + h[reach:]])                    # LR4
        a = torch.cat([a[:reach], a[reach:] * a[:-reach]])                                # LR4
        reach *= 2
    return h


def forward(p: Params, x: Tensor, h_0: Tensor, run: Run = loop) -> tuple[Tensor, Tensor]:
    """x (T, B, I), h_0 (B, H)  ->  y (T, B, H), h_n (B, H)"""
    z, n = linear(x, p.W_ih, p.b_ih).chunk(2, -1)                                         # LR1
    z = z.sigmoid()                                                                       # LR1
    h = run(z, (1 - z) * n, h_0)                                                          # LR2
    return h[1:], h[-1]
