"""The dropout of reference/dropout.py in PyTorch; autograd is the backward.  Equation D2: notes/losses_and_heads.md"""

from reference.stack import scale


def forward(x, keep, p):
    """x (...), keep (...) boolean  ->  y (...)"""
    return x * keep * scale(p)                                                            # D2
