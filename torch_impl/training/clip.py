"""Gradient clipping by torch.nn.utils, under the names of reference/training/clip.py, on parameters that hold gradients.

Equations K1 to K3: notes/training/clip.md
"""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, get_total_norm


def global_norm(params: Mapping[str, nn.Parameter], norm_type: float = 2.0) -> Tensor:
    """The p-norm of all gradients as one vector, 0-d."""
    return get_total_norm([p.grad for p in params.values() if p.grad is not None], norm_type)


def scale_to_norm(params: Mapping[str, nn.Parameter], max_norm: float, total: Tensor) -> None:
    """The second half of clip_grad_norm, for a norm that is known."""
    clip_grads_with_norm_(params.values(), max_norm, total)


def clip_grad_norm(
    params: Mapping[str, nn.Parameter], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> float:
    """Scale all gradients by one number, so that their norm is at most ``max_norm``; returns the norm before that."""
    return float(clip_grad_norm_(params.values(), max_norm, norm_type, error_if_nonfinite))


def clip_grad_value(params: Mapping[str, nn.Parameter], clip_value: float) -> None:
    """Cut every element to the range from -clip_value to clip_value."""
    clip_grad_value_(params.values(), clip_value)
