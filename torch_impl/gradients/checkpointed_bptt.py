"""Checkpointed BPTT of reference/gradients/checkpointed_bptt.py by torch.utils.checkpoint.

notes/gradients/bptt_variants.md, CB1, CB2

``way`` is one of a room's ways, such as torch_impl.cells.lstm.hoisted.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from reference.common.checks import positive_int

from ..cells.stack import P, S, Way


def forward(way: Way[P, S], p: P, x: Tensor, s: S, segment: int | None = None, recompute: bool = True,
            **options: Any) -> tuple[Tensor, S]:
    """x (T, B, I), State  ->  y (T, B, P), State; without recompute autograd keeps everything of each segment

    Raises
    ------
    ValueError
        A segment below 1.
    """
    def run(block: Tensor, *s: Tensor) -> tuple[Tensor, ...]:
        y, s_n = way(p, block, type(state)(*s), **options)
        return y, *s_n

    size = max(math.isqrt(len(x)), 1) if segment is None else positive_int("segment", segment)
    state, ys = s, []
    for block in x.split(size):
        y, *s = checkpoint(run, block, *s, use_reentrant=False) if recompute else run(block, *s)  # CB1, CB2
        ys.append(y)
    return torch.cat(ys), type(state)(*s)
