"""Gradient clipping, in place.  Derivation: notes/training/clip.md

    ‖g‖ = the p-norm of all gradients as one vector           p may be inf        (K1)
    g   ← g · min(1, max_norm / (‖g‖ + 1e-6))                                     (K2)
    g   ← min(max(g, -value), value)                                              (K3)

Namesakes: torch.nn.utils.clip_grad_norm_, clip_grad_value_.
"""

from collections.abc import Mapping

import numpy as np

from ..common import checks
from ..common.arrays import Array

TINY = 1e-6  # torch's, so that a norm of 0 divides nothing


def global_norm(grads: Mapping[str, Array], norm_type: float = 2.0) -> float | np.floating:
    """The p-norm of all gradients as one vector: the p-norm of their p-norms, in their dtype; inf and NaN come through.

    TypeError: the gradients are no arrays of floating-point numbers by name.  ValueError: norm_type is not above 0.
    """
    checks.floats("grads", grads), checks.positive("norm_type", norm_type)
    with np.errstate(over="ignore", invalid="ignore"):
        norms = [np.linalg.norm(g.ravel(), norm_type) for g in grads.values() if g.size]
        return np.linalg.norm(np.array(norms), norm_type) if norms else 0.0           # K1


def clip_grad_norm(grads: dict[str, Array], max_norm: float, norm_type: float = 2.0,
                   error_if_nonfinite: bool = False) -> float | np.floating:
    """Scale all gradients by one number, so that their norm is at most ``max_norm``; returns the norm before that.

    Raises
    ------
    RuntimeError
        The norm is inf or NaN and ``error_if_nonfinite``; nothing is changed then.  Otherwise NaN spreads, as in torch.
    ValueError
        max_norm below 0, or norm_type not above 0; a gradient that is read-only.  Nothing is changed then.
    TypeError
        Something that is no gradient, or no bool.  Nothing is changed then.
    """
    checks.floats("grads", grads, write=True), checks.zero_or_more("max_norm", max_norm)
    checks.flag("error_if_nonfinite", error_if_nonfinite)
    total = global_norm(grads, norm_type)
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(f"the norm of the gradients is {total}, so they cannot be clipped")
    scale_to_norm(grads, max_norm, total)
    return total


def scale_to_norm(grads: Mapping[str, Array], max_norm: float, total: float | np.floating) -> None:
    """The second half of clip_grad_norm, for a norm that is known; namesake torch.nn.utils.clip_grads_with_norm_.

    Raises as ``clip_grad_norm``.
    """
    checks.floats("grads", grads, write=True), checks.zero_or_more("max_norm", max_norm), checks.real("total", total)
    factor = np.minimum(max_norm / (total + TINY), 1)                                 # K2
    with np.errstate(invalid="ignore"):
        for g in grads.values():
            g *= factor


def clip_grad_value(grads: dict[str, Array], clip_value: float) -> None:
    """Cut every element to the range from -clip_value to clip_value.  Raises as ``clip_grad_norm``."""
    checks.floats("grads", grads, write=True), checks.zero_or_more("clip_value", clip_value)
    for g in grads.values():
        np.clip(g, -clip_value, clip_value, out=g)                                    # K3
