"""Checkpointed BPTT of reference/gradients/checkpointed_bptt.py by torch.utils.checkpoint.

notes/gradients/checkpointed_bptt.md, CB1, CB2

``way`` is one of a room's ways, such as torch_impl.cells.lstm.hoisted.
"""

import math

import torch
from torch.utils.checkpoint import checkpoint

from reference.common.checks import positive_int


def forward(way, p, x, s, segment=None, recompute=True, **options):
    """x (T, B, I), State  ->  y (T, B, P), State; without recompute autograd keeps everything of each segment"""
    def run(block, *s):
        y, s_n = way(p, block, type(state)(*s), **options)
        return y, *s_n

    size = max(math.isqrt(len(x)), 1) if segment is None else positive_int("segment", segment)
    state, ys = s, []
    for block in x.split(size):
        y, *s = checkpoint(run, block, *s, use_reentrant=False) if recompute else run(block, *s)  # CB1, CB2
        ys.append(y)
    return torch.cat(ys), type(state)(*s)
