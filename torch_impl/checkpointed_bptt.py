"""Checkpointed BPTT of reference/checkpointed_bptt.py by torch.utils.checkpoint.  notes/bptt_variants.md, CB1, CB2

``way`` is one of a room's ways, such as torch_impl.lstm.hoisted.
"""

import math

import torch
from torch.utils.checkpoint import checkpoint


def forward(way, p, x, s, segment=None, recompute=True, **options):
    """x (T, B, I), State  ->  y (T, B, P), State; without recompute autograd keeps everything of each segment"""
    def run(block, *s):
        y, s_n = way(p, block, type(state)(*s), **options)
        return y, *s_n

    state, ys = s, []
    for block in x.split(segment or max(math.isqrt(len(x)), 1)):
        y, *s = checkpoint(run, block, *s, use_reentrant=False) if recompute else run(block, *s)  # CB1, CB2
        ys.append(y)
    return torch.cat(ys), type(state)(*s)
