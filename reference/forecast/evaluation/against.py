"""Forecasts by libraries of others, on the windows of an evaluation.

statsforecast (Nixtla): AutoARIMA and AutoETS, fitted once on the rows before the first origin of a series, then moved
forward over the rows that have come since; at each origin they are given the rows before it and no others.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ...common.arrays import Array
from ...common.checks import UsageError
from ...common.extras import lacking
from ...common.screen.prose import say
from ..train import Task
from ..windows import Windows

Peer = Callable[[Task, Windows], dict[str, Array]]  # forecasts (K, W) in the units of the target, by name
LONGEST = 24  # a longer season than this takes AutoARIMA minutes, and AutoETS leaves it out without a word


def peers(names: Sequence[str]) -> list[Peer]:
    """UsageError: one is not installed."""
    for name in names:
        if sentence := lacking("peers", name):
            raise UsageError(f"--against {name}: {sentence}")
    return [PEERS[name] for name in names]


def statsforecast(task: Task, windows: Windows) -> dict[str, Array]:
    from statsforecast.models import AutoARIMA, AutoETS

    season = task.season if task.season <= LONGEST else 1
    if season != task.season:
        say(f"note: a season of {task.season} is too long for statsforecast's models; they are given none", flush=True)
    models = {"AutoARIMA": AutoARIMA, "AutoETS": AutoETS}
    return {f"statsforecast {n}": rolling(partial(m, season_length=season), task, windows) for n, m in models.items()}


def rolling(new: Callable[[], Any], task: Task, windows: Windows) -> Array:
    """(K, W): a new model for each series, fitted before its first origin, then moved forward without fitting again"""
    said = np.empty((windows.horizon, len(windows.origins)))
    fitted: dict[int, Any] = {}
    for w, k in enumerate(windows.series.tolist()):
        series, origin = task.origin(windows, w)
        past = series.values[:origin, 0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own arithmetic
            if k not in fitted:
                fitted[k] = new().fit(past)
            said[:, w] = fitted[k].forward(past, h=windows.horizon)["mean"]
    return said


PEERS: dict[str, Peer] = {"statsforecast": statsforecast}
