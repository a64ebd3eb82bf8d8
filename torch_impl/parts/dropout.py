"""The dropout of reference/parts/dropout.py in PyTorch; autograd is the backward.  Equation D2: notes/parts/dropout.md"""

from torch import Tensor

from reference.parts.dropout import scale


def forward(x: Tensor, keep: Tensor, p: float) -> Tensor:
    """x (...), keep (...) boolean  ->  y (...)"""
    return x * keep * scale(p)                                                            # D2
