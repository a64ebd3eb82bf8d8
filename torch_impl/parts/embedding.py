"""The embedding of reference/parts/embedding.py in PyTorch; autograd is the backward.  E1, E2: notes/parts/embedding.md"""

import torch


def forward(W, ids, padding_idx=None):
    """W (V, E), ids (...)  ->  y (..., E)"""
    y = W[ids]                                                                            # E1
    if padding_idx is None:
        return y
    return torch.where((ids == padding_idx)[..., None], y.detach(), y)                    # E2
