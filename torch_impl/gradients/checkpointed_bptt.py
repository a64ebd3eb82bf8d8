"""Checkpointed BPTT of reference/gradients/checkpointed_bptt.py by torch.utils.checkpoint.

notes/gradients/checkpointed_bptt.md, CB1, CB2

``way`` is one of a room's ways, such as torch_impl.cells.lstm.hoisted.
"""

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from reference.common.checks import flag, positive_int
from reference.gradients.checkpointed_bptt import least_memory

from ..cells.stack import Option, P, S, Way


def forward(way: Way[S], p: P, x: Tensor, s: S, segment: int | None = None, recompute: bool = True,
            **options: Option) -> tuple[Tensor, S]:
    """x (T, B, I), State  ->  y (T, B, P), State; without recompute autograd keeps everything of each segment

    Raises
    ------
    ValueError
        A segment below 1.
    """
    def run(block: Tensor, *s: Tensor) -> tuple[Tensor, ...]:
        y, after = way(p, block, State(*s), **options)
        return y, *after

    flag("recompute", recompute)
    size = least_memory(len(x)) if segment is None else positive_int("segment", segment)
    State, ys = type(s), []
    for block in x.split(size):
        y, *after = checkpoint(run, block, *s, use_reentrant=False) if recompute else run(block, *s)  # CB1, CB2
        s = State(*after)
        ys.append(y)
    return torch.cat(ys), s
