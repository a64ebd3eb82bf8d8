"""The precisions that are told apart: NumPy's two, and those of GPUs, TF32 as one of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch

from parity_tests.judge.oracle import Nest, transform
from torch_impl.common.precision import allow_tf32


class Precision(NamedTuple):
    """What a name means."""

    dtype: str  # of the tensors, as in torch and in a Spec
    eps: float  # distance from 1 to the next number of its products
    itemsize: int  # bytes


PRECISIONS = {
    "float32": Precision("float32", 2.0**-23, 4),
    "float64": Precision("float64", 2.0**-52, 8),
    "tf32": Precision("float32", 2.0**-10, 4),
    "bfloat16": Precision("bfloat16", 2.0**-7, 2),
    "float16": Precision("float16", 2.0**-10, 2),
}
LOW = ("tf32", "bfloat16", "float16")


@contextmanager
def in_force(name: str) -> Iterator[None]:
    """TF32 is on inside for "tf32", and off for everything else, whatever torch's defaults are."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    allow_tf32(name == "tf32")
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before


def rounded(data: Nest, name: str) -> Nest:
    """The data with every number rounded to what tensors of this precision hold."""
    if PRECISIONS[name].itemsize > 2:
        return data
    kind = getattr(torch, PRECISIONS[name].dtype)
    return transform(data, lambda v: torch.from_numpy(v).to(kind).float().numpy())


def jittered(data: Nest, name: str, rng: np.random.Generator) -> Nest:
    """The data with every value moved up or down by one rounding of this precision."""
    eps = PRECISIONS[name].eps
    return rounded(transform(data, lambda v: (v * (1 + eps * rng.choice([-1, 1], v.shape))).astype(v.dtype)), name)
