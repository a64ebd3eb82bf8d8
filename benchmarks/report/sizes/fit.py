"""seconds = factor · size^k, by least squares in logarithms: one exponent, and two where the data asks for them.

Two lines meet at one of the sizes in between, the one that leaves the smallest squares.  They are taken for one if a
straight law with normal scatter would look so bent in more than one of twenty samples of these very sizes, or if the
exponents differ by less than APART.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import stats

LEVEL = 0.95  # of an interval
SAMPLES = 2000
APART = 0.1  # exponents that are not the same
INTERVALS = 2  # on each side of a bend, at least


class Law(NamedTuple):
    """One power law, or two that meet at a size."""

    k: float  # the exponent, from the bend on if there is one
    low: float  # within which it lies, by Student's t; what the choice of the bend adds is not in it
    high: float
    off: float  # the largest factor between a time and the law
    bend: int | None = None  # the size
    before: float | None = None  # the exponent up to there
    at: tuple[float, ...] = ()  # the law's own seconds at each size


def law(sizes: np.ndarray, seconds: np.ndarray) -> Law:
    """The law of three sizes or more, in ascending order."""
    x, t = np.log(sizes.astype(float)), np.log(seconds.astype(float))
    if (bent := bend(tuple(x), tuple(t))) is not None:
        k, before = slopes(x, t, bent)
        if abs(k - before) >= APART:
            return described(x, t, bent, int(sizes[bent]))
    return described(x, t, None, None)


def described(x: np.ndarray, t: np.ndarray, bent: int | None, size: int | None) -> Law:
    """The law with a bend, or without, and how well its upper exponent is known."""
    columns = design(x, bent)
    coefficients, *_ = np.linalg.lstsq(columns, t, rcond=None)
    fitted = columns @ coefficients
    upper = np.array([0.0, 1.0] + [1.0] * (bent is not None))
    k, free = float(upper @ coefficients), len(x) - columns.shape[1] - (bent is not None)
    variance = float((t - fitted) @ (t - fitted)) / free if free > 0 else np.nan
    error = np.sqrt(variance * (upper @ np.linalg.inv(columns.T @ columns) @ upper))
    reach = float(stats.t.ppf((1 + LEVEL) / 2, free) * error) if free > 0 else np.nan
    off = float(np.exp(np.abs(t - fitted).max()))
    before = None if bent is None else float(coefficients[1])
    return Law(k, k - reach, k + reach, off, size, before, tuple(np.exp(fitted).tolist()))


def design(x: np.ndarray, bent: int | None) -> np.ndarray:
    """(sizes, coefficients): constant, slope, and what the slope changes by from a bend on."""
    columns = [np.ones_like(x), x]
    return np.stack(columns if bent is None else [*columns, np.maximum(0, x - x[bent])], axis=1)


def slopes(x: np.ndarray, t: np.ndarray, bent: int) -> tuple[float, float]:
    """After a bend, and before it."""
    (_, before, more), *_ = np.linalg.lstsq(design(x, bent), t, rcond=None)
    return float(before + more), float(before)


def bend(x: tuple[float, ...], t: tuple[float, ...]) -> int | None:
    """The index of the size at which two lines meet; None if one will do."""
    places = range(INTERVALS, len(x) - INTERVALS)
    if not places:
        return None
    gain, best = gains(np.array(x), np.array(t)[:, None])
    return places[int(best[0])] if gain[0] > threshold(x) else None


def gains(x: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each column of t the squares of one line over those of the best two, and which place that is."""
    one = squares(design(x, None), t)
    two = np.stack([squares(design(x, i), t) for i in range(INTERVALS, len(x) - INTERVALS)])
    # What rounding leaves of a perfect law is no scatter: a millionth of the time is no bend.
    floor = len(x) * 1e-12
    return (one + floor) / (two.min(0) + floor), two.argmin(0)


def squares(columns: np.ndarray, t: np.ndarray) -> np.ndarray:
    """What a fit leaves of each column of t, squared and summed."""
    q, _ = np.linalg.qr(columns)
    return ((t - q @ (q.T @ t)) ** 2).sum(0)


@lru_cache(maxsize=64)
def threshold(x: tuple[float, ...]) -> float:
    """The gain that normal scatter about one line passes in one of twenty samples; its size is the same for any scatter."""
    noise = np.random.default_rng(0).standard_normal((len(x), SAMPLES))
    return float(np.quantile(gains(np.array(x), noise)[0], LEVEL))
