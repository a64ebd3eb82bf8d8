"""The embedding of reference/parts/embedding.py in PyTorch; autograd is the backward.  E1, E2: notes/parts/embedding.md"""

import torch
from torch import Tensor


def forward(W: Tensor, ids: Tensor, padding_idx: int | None = None) -> Tensor:
    """W (V, E), ids (...)  ->  y (..., E); the row ``padding_idx`` gets no gradient"""
    y = W[ids]                                                                            # E1
    if padding_idx is None:
        return y
    return torch.where((ids == padding_idx)[..., None], y.detach(), y)                    # E2
