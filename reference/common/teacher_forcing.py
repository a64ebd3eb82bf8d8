"""Teacher forcing: which tokens a decoder reads from the data and which are its own, and how that share falls.

The schedules are those of Bengio, Vinyals, Jaitly and Shazeer (2015), "Scheduled sampling", section 2.4.
"""

from math import exp

import numpy as np

from . import checks
from .arrays import Array


def coins(rng: np.random.Generator, ratio: float, T: int, B: int) -> Array:
    """(T, B) booleans, each True with probability ``ratio``: read the token of the data.

    The first row is True, since bos is always given.  Ratios 0 and 1 draw nothing.  ValueError: another ratio.
    """
    ratio = checks.probability("teacher_forcing", ratio)
    heads = rng.random((T, B)) < ratio if 0 < ratio < 1 else np.full((T, B), ratio == 1)
    heads[0] = True
    return heads


def linear(step: int, steps: int, end: float = 0.0) -> float:
    """From 1 at step 0 to ``end`` at ``steps``, and ``end`` from there on."""
    checks.probability("end", end)
    return max(end, 1 - (1 - end) * step / checks.positive_int("steps", steps))


def exponential(step: int, k: float) -> float:
    """k to the power of step, k below 1."""
    return checks.probability("k", k) ** step


def inverse_sigmoid(step: int, k: float) -> float:
    """k / (k + exp(step/k)), k at least 1: long near 1, then falling about step k log k, then near 0."""
    if not k >= 1:
        raise ValueError(f"k must be at least 1, got {k}")
    return k / (k + exp(min(step / k, 700.0)))
