"""The precisions of the parity suite, and whole data in them."""

import numpy as np

from parity_tests.judge import arithmetic
from parity_tests.judge.arithmetic import LOW, PRECISIONS, Precision, in_force
from parity_tests.judge.oracle import Nest, transform

__all__ = ["LOW", "PRECISIONS", "Precision", "in_force", "jittered", "rounded"]


def rounded(data: Nest, name: str) -> Nest:
    """The data with every number rounded to what tensors of this precision hold; if these have 32 bits or more, as it is."""
    return transform(data, lambda v: arithmetic.rounded(v, name)) if PRECISIONS[name].itemsize == 2 else data


def jittered(data: Nest, name: str, rng: np.random.Generator) -> Nest:
    """The data moved by one rounding of this precision: every number, or, if it is narrow, one in twelve."""
    return transform(data, lambda v: arithmetic.jittered(v, name, rng))
