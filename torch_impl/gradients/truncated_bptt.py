"""Truncated BPTT of reference/gradients/truncated_bptt.py in PyTorch: the cut is ``detach``.

notes/gradients/truncated_bptt.md, TB1 to TB3

``way`` is one of a room's ways, such as torch_impl.cells.lstm.hoisted.  The loss of an output counts once, in the graph that
goes ``reach`` windows back from it.
"""

import torch
from torch import Tensor

from reference.common import checks

from ..cells.stack import Option, P, S, Way


def forward(way: Way[S], p: P, x: Tensor, s: S, window: int, reach: int = 1, **options: Option) -> tuple[Tensor, S]:
    """x (T, B, I), State  ->  y (T, B, P), State; autograd's gradient of both is the truncated one

    TypeError, ValueError: a window or a reach below 1.
    """
    checks.sizes(window=window, reach=reach)
    blocks, starts, ys = list(x.split(window)), [s], []
    for block in blocks:
        _, s = way(p, block, starts[-1], **options)
        starts.append(type(s)(*(v.detach() for v in s)))                                                  # TB3
    for n in range(len(blocks)):
        first = max(n - reach + 1, 0)
        s = starts[first]
        for block in blocks[first : n + 1]:                                                               # TB2
            y, s = way(p, block, s, **options)                                                            # TB1
        ys.append(y)
    return torch.cat(ys), s
