"""TF32, which is on by default inside cuDNN's RNNs and off for plain products: one switch for both, and its reading."""

import torch


def allow_tf32(allowed: bool) -> None:
    """Let CUDA round float32 products to TF32 (10 bits of mantissa), or not, in cuBLAS and in cuDNN alike."""
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def tf32() -> str:
    """ "off", "on", or which of the two it is on for."""
    matmul, cudnn = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    if matmul == cudnn:
        return "on" if matmul else "off"
    return "on for cuDNN only" if cudnn else "on for products only"
