"""The linear map of reference/parts/linear.py in PyTorch; autograd is the backward.  F1: notes/parts/linear.md"""


def forward(p, x):
    """x (..., I)  ->  y (..., O)"""
    y = x @ p.W.T                                                                         # F1
    return y if p.b is None else y + p.b                                                  # F1
