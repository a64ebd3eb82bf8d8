"""The losses of reference/parts/losses.py in PyTorch; autograd is the backward.  J1 to J8: notes/parts/losses.md

Written by the same equations; parity_tests/parts/test_losses.py holds both to torch.nn.functional.
x predictions (logits in bce) and y targets (...)  ->  loss, 0-d, or (...) by reduction "none".
"""

import torch
from torch import Tensor

from reference.parts.losses import IGNORE, classes

__all__ = ["IGNORE", "classes", "cross_entropy"]


def cross_entropy(logits: Tensor, targets: Tensor, weight: Tensor | None = None, ignore_index: int = IGNORE,
                  reduction: str = "mean", label_smoothing: float = 0.0) -> Tensor:
    """logits (..., V), targets (...)  ->  loss; as reference.parts.losses.cross_entropy_forward"""
    kept, V = targets != ignore_index, logits.shape[-1]
    targets = targets.where(kept, 0)
    w = logits.new_ones(V) if weight is None else weight
    log_p = logits - logits.logsumexp(-1, keepdim=True)                                   # J1
    l = -(1 - label_smoothing) * w[targets] * log_p.gather(-1, targets[..., None])[..., 0]  # J2
    if label_smoothing:
        l = l - label_smoothing / V * (log_p @ w)                                         # J2
    l = l.where(kept, 0)
    return reduce(l, reduction, (w[targets] * kept).sum())                                # J3


def sequence(logits: Tensor, targets: Tensor, mask: Tensor, reduction: str = "token", label_smoothing: float = 0.0) -> Tensor:
    """logits (T, B, V), targets and mask (T, B)  ->  loss; as reference.parts.losses.sequence_forward"""
    l = cross_entropy(logits, targets.where(mask, IGNORE), reduction="none", label_smoothing=label_smoothing)
    if reduction == "sequence":
        return (l.sum(0) / mask.sum(0)).mean()                                            # J4
    return reduce(l, {"token": "mean"}.get(reduction, reduction), mask.sum())             # J4


def mse(x: Tensor, y: Tensor, reduction: str = "mean") -> Tensor:
    return reduce((x - y) ** 2, reduction)                                                # J5


def l1(x: Tensor, y: Tensor, reduction: str = "mean") -> Tensor:
    return reduce((x - y).abs(), reduction)                                               # J5


def huber(x: Tensor, y: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    r = (x - y).abs()
    return reduce(torch.where(r <= delta, r * r / 2, delta * (r - delta / 2)), reduction)  # J6


def bce(x: Tensor, y: Tensor, pos_weight: Tensor | None = None, reduction: str = "mean") -> Tensor:
    zero, w = x.new_zeros(()), 1 if pos_weight is None else pos_weight
    return reduce(w * y * torch.logaddexp(zero, -x) + (1 - y) * torch.logaddexp(zero, x), reduction)  # J7


def quantile(x: Tensor, y: Tensor, quantiles: Tensor, reduction: str = "mean") -> Tensor:
    """x (..., Q), y (...), quantiles (Q,)  ->  loss; the slope of relu at 0 is 0"""
    r = y[..., None] - x                                                                  # J8
    return reduce(quantiles * r.relu() + (1 - quantiles) * (-r).relu(), reduction)        # J8


def reduce(l: Tensor, reduction: str, count: Tensor | None = None) -> Tensor:
    """J3: l (...)  ->  0-d, or l itself by "none"; a mean divides by ``count``, or by the number of elements."""
    if reduction == "none":
        return l
    return l.sum() / (l.numel() if count is None else count) if reduction == "mean" else l.sum()
