"""The precisions that are told apart: NumPy's two, and those of GPUs, TF32 as one of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch

from parity_tests.judge.cases import Data
from parity_tests.judge.oracle import transform
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
    flags: list[Any] = [torch.backends.cuda.matmul, torch.backends.cudnn]
    before = [flag.allow_tf32 for flag in flags]
    allow_tf32(name == "tf32")
    try:
        yield
    finally:
        for flag, value in zip(flags, before, strict=True):
            flag.allow_tf32 = value


def array_dtype(name: str) -> str:
    """The dtype of the arrays that cross the border: NumPy has no bfloat16, so 16-bit numbers travel as float32."""
    return "float64" if name == "float64" else "float32"


def rounded(data: Data, name: str) -> Data:
    """The data with every number rounded to what tensors of this precision hold."""
    if PRECISIONS[name].itemsize > 2:
        return data
    kind = getattr(torch, PRECISIONS[name].dtype)
    return transform(data, lambda v: torch.from_numpy(v).to(kind).float().numpy())


def jittered(data: Data, name: str, rng: np.random.Generator) -> Data:
    """The data with every value moved up or down by one rounding of this precision."""
    eps = PRECISIONS[name].eps
    return rounded(transform(data, lambda v: (v * (1 + eps * rng.choice([-1, 1], v.shape))).astype(v.dtype)), name)
