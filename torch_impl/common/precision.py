"""TF32, which is on by default inside cuDNN's RNNs and off for plain products: one switch for both, and its reading."""

import torch

from reference.common import checks


def dtype(value: str | torch.dtype | None) -> torch.dtype:
    """A floating or complex dtype, by its name too; torch's default for None.  TypeError."""
    kind = torch.get_default_dtype() if value is None else getattr(torch, value, None) if isinstance(value, str) else value
    if not isinstance(kind, torch.dtype) or not (kind.is_floating_point or kind.is_complex):
        raise TypeError(f"dtype must be a floating or complex type, got {checks.shown(value)}")
    return kind


def allow_tf32(allowed: bool) -> None:
    """Let CUDA round float32 products to TF32 (10 bits of mantissa), or not, in cuBLAS and in cuDNN alike.  TypeError: no bool."""
    checks.flag("allowed", allowed)
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def tf32() -> str:
    """ "off", "on", or which of the two it is on for."""
    matmul, cudnn = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    if matmul == cudnn:
        return "on" if matmul else "off"
    return "on for cuDNN only" if cudnn else "on for products only"
