"""The linear map of reference/parts/linear.py in PyTorch; autograd is the backward.  F1: notes/parts/linear.md"""

from typing import NamedTuple

from torch import Tensor


class Params(NamedTuple):
    W: Tensor                # (O, I)
    b: Tensor | None = None  # (O,)


def forward(p: Params, x: Tensor) -> Tensor:
    """x (..., I)  ->  y (..., O)"""
    y = x @ p.W.T                                                                         # F1
    return y if p.b is None else y + p.b                                                  # F1
