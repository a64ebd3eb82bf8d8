"""A model against the baselines on one part: figures for each step ahead, error accumulation, rolling origins."""

import tempfile
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from ...common.arrays import Array
from ...common.command import Model
from ..backend import Backend
from ..options import Options
from ..train import Task, fit, forced, forecasts, prepare
from ..windows import Parts, Windows
from . import baselines, metrics
from .band import band

ACCUMULATION = "free running", "teacher forced"


class Evaluation:
    """The forecasts (K, W) of model and baselines on a part, in the units of the target, and their figures.

    Over several series errors count in deviations of each series' training part, or the largest numbers would say it all.
    """

    def __init__(self, task: Task, said: Mapping[str, Array], windows: Windows, part: str, raw: Array, between: Array | None):
        self.name, self.task, self.part, self.windows, self.forecasts = named(task.options), task, part, windows, said
        self.truth, self.raw, self.between = task.truth(windows), raw, between
        self.several = len(task.series) > 1
        unit = task.deviation(windows) if self.several else np.ones(len(windows.origins))
        scales = [metrics.naive_scale(s.values[: p.train, 0], s.season) for s, p in zip(task.series, task.parts, strict=True)]
        against = self.truth / unit, said["persistence"] / unit, np.array(scales)[windows.series] / unit
        self.steps = {n: metrics.figures(f / unit, *against) for n, f in said.items()}
        self.overall = {n: metrics.figures(f / unit, *against, axis=None) for n, f in said.items()}
        self.each = {s.name: self._one(k, scales[k]) for k, s in enumerate(task.series)} if self.several else {}

    def _one(self, k: int, scale: float) -> dict[str, metrics.Figures]:
        """Figures of one series in its own units."""
        its = self.windows.series == k
        truth, naive = self.truth[:, its], self.forecasts["persistence"][:, its]
        return {n: metrics.figures(f[:, its], truth, naive, scale, axis=None) for n, f in self.forecasts.items()}

    def verdict(self) -> str:
        return metrics.verdict(self.name, self.overall, self.steps)

    @property
    def quantiles(self) -> Array:
        return np.array(self.task.options["quantiles"] or ())


def named(options: Options) -> str:
    """What the model is called in a table"""
    return f"{options['cell']} {options['mode']}" + (", quantiles" if options["quantiles"] else "")


def evaluate(task: Task, model: Model, part: str, others: Sequence = ()) -> Evaluation:
    """``others`` are called with a task and its windows, and give forecasts (K, W) by name."""
    windows = task.windows(part)
    ahead, raw = forecasts(task, model, windows)
    linear = baselines.Linear(task.windows("train"), task.windows("validation"), task.known)
    simple = {n: task.back(f, windows) for n, f in baselines.all_of(linear, windows, task.season).items()}
    more = {n: f for other in others for n, f in other(task, windows).items()}
    between = band(task, model).around(ahead, task.deviation(windows), raw)
    return Evaluation(task, {named(task.options): ahead, **simple, **more}, windows, part, raw, between)


def accumulation(task: Task, model: Model, part: str) -> dict[str, Array]:
    """RMSE (K,) for each step ahead: reading its own forecasts, and given the true value before each step"""
    windows = task.windows(part)
    unit = task.deviation(windows) if len(task.series) > 1 else 1.0
    said = forecasts(task, model, windows)[0], forced(task, model, windows)
    return {name: np.sqrt((((f - task.truth(windows)) / unit) ** 2).mean(1)) for name, f in zip(ACCUMULATION, said, strict=True)}


def rolling(backend: Backend, task: Task, part: str, refits: int, others: Sequence = ()) -> Evaluation:
    """Rolling origin: before each of ``refits`` blocks of a part, models and baselines are fitted anew on all before it.

    What is held out to choose the pass is as long as the validation part, right before the block.
    """
    most = min((stop - start) // task.options["horizon"] for start, stop in (cut.rows(part) for cut in task.parts))
    if not 1 <= refits <= most:
        raise ValueError(f"--refits must be from 1 to {most}, the blocks of a horizon that the {part} part holds, got {refits}")
    edges = [np.linspace(*cut.rows(part), refits + 1).astype(int).tolist() for cut in task.parts]
    blocks = []
    for pairs in zip(*(pairwise(e) for e in edges), strict=True):
        held = [cut.validation - cut.train for cut in task.parts]
        cuts = [Parts(a - h, a, b) for (a, b), h in zip(pairs, held, strict=True)]
        block = prepare(task.options, task.series, cuts)
        with tempfile.TemporaryDirectory() as folder:  # so that the best pass is taken
            model, _ = fit(backend, block, Path(folder))
        blocks.append(evaluate(block, model, "test", others))
    said = {name: np.concatenate([e.forecasts[name] for e in blocks], axis=1) for name in blocks[0].forecasts}
    windows = blocks[0].windows._replace(
        rows=task.rows,
        origins=np.concatenate([e.windows.origins for e in blocks]),
        series=np.concatenate([e.windows.series for e in blocks]),
    )
    raw = np.concatenate([e.raw for e in blocks], axis=1)
    bands = [e.between for e in blocks]
    between = None if any(b is None for b in bands) else np.concatenate([b for b in bands if b is not None], axis=2)
    return Evaluation(task, said, windows, part, raw, between)
