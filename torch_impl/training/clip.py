"""Gradient clipping by torch.nn.utils, under the names of reference/training/clip.py, on parameters that hold gradients.

Equations K1 to K3: notes/training/clip.md.  A norm is a tensor, 0-d, but that of ``clip_grad_norm``.
"""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, get_total_norm


def global_norm(params: Mapping[str, nn.Parameter], norm_type: float = 2.0) -> Tensor:
    return get_total_norm([p.grad for p in params.values() if p.grad is not None], norm_type)


def scale_to_norm(params: Mapping[str, nn.Parameter], max_norm: float, total: Tensor) -> None:
    clip_grads_with_norm_(params.values(), max_norm, total)


def clip_grad_norm(
    params: Mapping[str, nn.Parameter], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> float:
    return float(clip_grad_norm_(params.values(), max_norm, norm_type, error_if_nonfinite))


def clip_grad_value(params: Mapping[str, nn.Parameter], clip_value: float) -> None:
    clip_grad_value_(params.values(), clip_value)
