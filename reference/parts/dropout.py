"""Dropout with an explicit mask.  Derivation: notes/parts/dropout.md

    keep ~ uniform in [0, 1) >= p                                   (D1)
    y = x ∘ keep / (1 - p)                                          (D2)

p is the probability of zeroing an element.  What is kept is scaled, so that the expected value stays: inverted dropout.
D2* labels the adjoint of D2.
"""

from typing import NamedTuple

import numpy as np

from ..cells.stack import scale
from ..common import checks
from ..common.arrays import Array


class Cache(NamedTuple):
    keep: Array   # boolean, like x
    p: float


def draw(rng: np.random.Generator, shape: tuple[int, ...], p: float) -> Array:
    """A mask of this shape, boolean, from a numpy.random.Generator.  TypeError, ValueError: an argument that is none."""
    p, shape = checks.probability("p", p), checks.shape("shape", shape)
    return checks.source("rng", rng).random(shape) >= p                  # D1


def forward(x: Array, keep: Array, p: float) -> tuple[Array, Cache]:
    """x (...), keep (...) boolean  ->  y (...), Cache

    Raises
    ------
    ValueError
        p is not from 0 to 1.
    RuntimeError
        keep is not boolean, or not of the shape of x.
    """
    p, keep = checks.probability("p", p), checks.mask("keep", keep, x.shape)
    return x * keep * scale(p), Cache(keep, p)                              # D2


def backward(dy: Array, k: Cache) -> Array:
    """The adjoint of forward: dy (...), Cache  ->  dx (...)"""
    return dy * k.keep * scale(k.p)                                         # D2*
