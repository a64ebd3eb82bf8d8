"""The dropout of reference/parts/dropout.py in PyTorch; autograd is the backward.  Equation D2: notes/parts/dropout.md"""

from reference.cells.stack import scale


def forward(x, keep, p):
    """x (...), keep (...) boolean  ->  y (...)"""
    return x * keep * scale(p)                                                            # D2
