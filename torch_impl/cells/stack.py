"""Layers x directions x dropout x packed sequences in PyTorch; autograd is the backward.  notes/cells/stack.md, S1 to S4

The twin of reference/cells/stack.py: everything is packed rows (N, F), a dense batch is one segment.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from reference.cells.stack import flip, scale, segments
from reference.common.arrays import Array

from . import gru, lstm, rnn

P = TypeVar("P", bound=rnn.Params | lstm.Params | gru.Params)
S = TypeVar("S", bound=rnn.State | lstm.State | gru.State)
Way = Callable[..., tuple[Tensor, S]]  # p, x (T, B, I), State, the room's options  ->  y (T, B, P), State
Option = str | bool


def run(way: Way[S], p: P, x: Tensor, s: S, batch_sizes: Array) -> tuple[Tensor, S]:
    """One layer, one direction: x (N, I), State of (B, ·)  ->  y (N, P), State"""
    ended: list[S] = []
    ys, row = [], 0
    for T, B in segments(batch_sizes):
        ended.insert(0, type(s)(*(v[B:] for v in s)))                                     # S1
        block = x[row : row + T * B].reshape(T, B, x.shape[-1])
        y, s = way(p, block, type(s)(*(v[:B] for v in s)))
        ys.append(y.flatten(0, 1))
        row += T * B
    return torch.cat(ys), type(s)(*map(torch.cat, zip(s, *ended, strict=True)))


def forward(way: Way[S], params: Sequence[Sequence[P]], x: Tensor, states: Sequence[Sequence[S]], batch_sizes: Array | Tensor,
            keep: Sequence[Tensor] = (), p: float = 0.0, turn: Tensor | None = None) -> tuple[Tensor, list[list[S]]]:
    """The whole stack: ``way`` is one of a room's four; the others as in reference.cells.stack.forward.

    ``turn`` is flip(batch_sizes) where it is on the device already.

    ->  y (N, D·P), states
    """
    batch_sizes, states_n = np.asarray(batch_sizes), []
    turn = torch.from_numpy(flip(batch_sizes)).to(x.device) if turn is None else turn
    for layer, (ps, ss) in enumerate(zip(params, states, strict=True)):
        if len(keep) and layer:
            x = x * keep[layer - 1] * scale(p)                                            # S4
        ys, s_n = [], []
        for direction, (weights, s) in enumerate(zip(ps, ss, strict=True)):
            y, s = run(way, weights, x.index_select(0, turn) if direction else x, s, batch_sizes)
            ys.append(y.index_select(0, turn) if direction else y)                        # S2
            s_n.append(s)
        x = torch.cat(ys, -1)                                                             # S3
        states_n.append(s_n)
    return x, states_n
