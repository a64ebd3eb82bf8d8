"""How well a ratio of two times is known, when both took turns.

In each round both had a turn, one soon after the other, so that what slows the machine for longer than a round slows both
and is not in their ratio.  A round gives one number: the logarithm of the ratio of the medians of its two turns.  The ratio
shown is the geometric mean over rounds, and its interval a bootstrap: rounds are drawn anew, with both turns of each.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

LEVEL = 0.95
RESAMPLES = 10_000


class Ratio(NamedTuple):
    """A ratio, and within what it lies; rounds is of how many."""

    value: float
    low: float
    high: float
    rounds: int

    @property
    def verdict(self) -> str:
        """'faster', 'slower', or 'no difference seen'"""
        return "faster" if self.high < 1 else "slower" if self.low > 1 else "no difference seen"


def rounds(own: Sequence[float], other: Sequence[float], own_turns: Sequence[int], other_turns: Sequence[int]) -> np.ndarray:
    """(rounds,) logarithms of ratios, from samples and how many of them each round gave.

    ValueError: there are not as many rounds of one as of the other, or none.
    """
    if len(own_turns) != len(other_turns) or not own_turns:
        raise ValueError(f"rounds are not in pairs: {len(own_turns)} and {len(other_turns)}")
    medians = [
        np.array([np.median(turn) for turn in np.split(np.asarray(samples), np.cumsum(turns)[:-1])])
        for samples, turns in ((own, own_turns), (other, other_turns))
    ]
    return np.log(medians[0] / medians[1])


def resampled(logs: np.ndarray, seed: int) -> np.ndarray:
    """(RESAMPLES,) means of rounds drawn anew.

    The mean of n drawn from n scatters by a factor of √((n - 1) / n) too little, and few rounds make that matter: the
    deviations are stretched by as much.
    """
    n = len(logs)
    drawn = logs[np.random.default_rng(seed).integers(0, n, (RESAMPLES, n))].mean(1)
    mean = logs.mean()
    return mean + (drawn - mean) * np.sqrt(n / max(1, n - 1))


def ratio(cases: Sequence[np.ndarray]) -> Ratio:
    """The geometric mean over cases, each with its rounds.  With one round nothing is known: the interval is (0, ∞)."""
    fewest = min(map(len, cases))
    mean = float(np.mean([logs.mean() for logs in cases]))
    if fewest < 2:
        return Ratio(float(np.exp(mean)), 0.0, float("inf"), fewest)
    means = np.mean([resampled(logs, seed) for seed, logs in enumerate(cases)], axis=0)
    free = sum(map(len, cases)) - len(cases)
    tail = stats.norm.cdf(stats.t.ppf((1 - LEVEL) / 2, free))  # where the tails of few rounds are: Hesterberg 2015
    low, high = np.quantile(means, (tail, 1 - tail))
    return Ratio(float(np.exp(mean)), float(np.exp(low)), float(np.exp(high)), fewest)
