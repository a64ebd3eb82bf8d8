"""The band around a forecast: split conformal, of the absolute residuals on the validation part, for each step ahead.

With n residuals that are exchangeable with the next one, it lies within their ⌈(n + 1) level⌉-th smallest in absolute value
with a probability of at least ``level`` (Vovk et al. 2005; Lei et al. 2018).  If that is more than n, no band is wide
enough, and there is none.  Windows overlap and series change, so the promise is kept only about: the share on the test part
is reported.
"""

from math import ceil
from typing import NamedTuple

import numpy as np

from ...common.arrays import Array
from ...common.command import Model
from ..train import Task, forecasts
from ..windows import SeriesError

LEVEL = 0.8


class Band(NamedTuple):
    half: Array | None  # (K,)   in deviations of the target; None: too few residuals
    windows: int  # n
    quantiles: tuple[float, ...] = ()  # of a model that says its own band

    def around(self, ahead: Array, deviation: Array, raw: Array) -> Array | None:
        """Forecasts (K, W), deviations (W,), all that the model says (K, W, Q), in units  ->  (2, K, W)"""
        if self.quantiles:
            return np.stack([raw[..., 0], raw[..., -1]]) if len(self.quantiles) > 1 else None
        return None if self.half is None else ahead + np.array([-1, 1])[:, None, None] * self.half[:, None] * deviation

    @property
    def level(self) -> float:
        return self.quantiles[-1] - self.quantiles[0] if self.quantiles else LEVEL

    def words(self) -> str:
        if len(self.quantiles) == 1:
            return "there is no band: it lies between two quantiles, and the model forecasts one"
        if self.quantiles:
            return f"the band lies between the quantiles {self.quantiles[0]:g} and {self.quantiles[-1]:g} that the model forecasts"
        if self.half is None:
            return (
                f"there is no band: {self.windows} windows of the validation part are too few, one of {LEVEL:.0%} needs "
                f"{needed(LEVEL)}; a larger --validation has more"
            )
        return f"the band of {LEVEL:.0%} is made from the errors of {self.windows} windows of the validation part, step by step"


def needed(level: float) -> int:
    """The fewest residuals from which a band of this level can be made."""
    return next(n for n in range(1, 10_000) if rank(n, level) <= n)


def rank(n: int, level: float) -> int:
    return ceil((n + 1) * level - 1e-9)


def conformal(residuals: Array, level: float = LEVEL) -> Array | None:
    """Residuals (K, n)  ->  half the width (K,), None where n is too small"""
    n = residuals.shape[1]
    return None if rank(n, level) > n else np.sort(abs(residuals), axis=1)[:, rank(n, level) - 1]


def band(task: Task, model: Model, horizon: int | None = None) -> Band:
    """For so many steps ahead; of several series the residuals are pooled, each in its own deviations."""
    if model.quantiles:
        return Band(None, 0, model.quantiles)
    try:
        windows = task.windows("validation", horizon)
    except SeriesError:
        return Band(None, 0)
    ahead, _ = forecasts(task, model, windows)
    residuals = (task.truth(windows) - ahead) / task.deviation(windows)
    return Band(conformal(residuals), residuals.shape[1])


def covered(truth: Array, between: Array) -> float:
    """The share of true values (K, W) inside the band (2, K, W)"""
    return float(((between[0] <= truth) & (truth <= between[1])).mean())
