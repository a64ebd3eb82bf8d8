"""Teacher forcing: which tokens a decoder reads from the data and which are its own, and how that share falls.

The schedules are those of Bengio, Vinyals, Jaitly and Shazeer (2015), "Scheduled sampling", section 2.4.
"""

from math import exp

import numpy as np

from . import checks
from .arrays import Array

MANY = 2**62  # steps; more of them change nothing, and are more than a float can hold


def coins(rng: np.random.Generator, ratio: float, T: int, B: int) -> Array:
    """(T, B) booleans, each True with probability ``ratio``: read the token of the data.

    The first row is True, since bos is always given.  Ratios 0 and 1 draw nothing.  TypeError, ValueError: another ratio, no
    generator, or sizes that are none.
    """
    ratio = checks.probability("teacher_forcing", ratio)
    checks.source("rng", rng), checks.positive_int("T", T), checks.positive_or_zero("B", B)
    checks.fits({"T": T, "B": B}, T * B, np.dtype(np.float64))
    heads = rng.random((T, B)) < ratio if 0 < ratio < 1 else np.full((T, B), ratio == 1)
    heads[0] = True
    return heads


def linear(step: int, steps: int, end: float = 0.0) -> float:
    """From 1 at step 0 to ``end`` at ``steps``, and ``end`` from there on."""
    end, step = checks.probability("end", end), checks.positive_or_zero("step", step)
    return max(end, 1 - (1 - end) * min(step / checks.positive_int("steps", steps), 1))


def exponential(step: int, k: float) -> float:
    """k to the power of step, k below 1."""
    k = checks.probability("k", k)
    return k ** min(checks.positive_or_zero("step", step), MANY) if k < 1 else 1.0


def inverse_sigmoid(step: int, k: float) -> float:
    """k / (k + exp(step/k)), k at least 1: long near 1, then falling about step k log k, then near 0."""
    k, step = checks.at_least_one("k", k), checks.positive_or_zero("step", step)
    return k / (k + exp(min(min(step, MANY) / k, 700.0)))
