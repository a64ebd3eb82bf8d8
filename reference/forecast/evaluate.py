"""A model against the baselines on one part: figures for each step ahead, tables, the band, error accumulation."""

import tempfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..common.arrays import Array
from ..common.command import Model
from . import baselines, metrics
from .backend import Backend
from .metrics import Figures
from .options import Options
from .train import Task, fit, forced, forecasts, prepare, truth
from .windows import Parts

BAND = (0.1, 0.9)  # quantiles of the validation residuals


class Evaluation:
    """The forecasts (K, W) of model and baselines on a part, and their figures."""

    def __init__(self, name: str, task: Task, forecasts: Mapping[str, Array], true: Array, origins: Array, part: str):
        self.name, self.task, self.part, self.truth, self.origins = name, task, part, true, origins
        self.forecasts = dict(forecasts)
        scale = metrics.naive_scale(task.series.values[: task.parts.train, 0], task.season)
        against = true, forecasts["persistence"], scale
        self.steps = {n: metrics.figures(f, *against) for n, f in forecasts.items()}
        self.overall = {n: metrics.figures(f, *against, axis=None) for n, f in forecasts.items()}

    def verdict(self) -> str:
        return metrics.verdict(self.name, self.overall, self.steps)

    def table(self) -> str:
        """Markdown, over all steps ahead."""
        return markdown(
            ["", *(LABELS[k] for k in Figures._fields)], [[n, *(f"{float(v):.4g}" for v in f)] for n, f in self.overall.items()]
        )

    def by_step(self, figure: str) -> str:
        """Markdown, one figure for each step ahead."""
        K = len(self.truth)
        shown = [k for k in range(K) if K <= 12 or k in (0, 1, 2) or (k + 1) % max(1, K // 8) == 0]
        return markdown(
            [f"{LABELS[figure]}, steps ahead", *(str(k + 1) for k in shown)],
            [[n, *(f"{getattr(f, figure)[k]:.4g}" for k in shown)] for n, f in self.steps.items()],
        )

    def as_json(self) -> dict:
        return {
            "part": self.part,
            "windows": self.truth.shape[1],
            "overall": {n: {k: float(v) for k, v in f._asdict().items()} for n, f in self.overall.items()},
            "steps": {n: {k: [float(x) for x in v] for k, v in f._asdict().items()} for n, f in self.steps.items()},
        }


LABELS = {"mae": "MAE", "rmse": "RMSE", "mase": "MASE", "skill": "skill", "r2": "R²"}


def markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def named(options: Options) -> str:
    """What the model is called in a table"""
    return f"{options['cell']} {options['mode']}"


def evaluate(task: Task, model: Model, part: str) -> Evaluation:
    windows, name = task.windows(part), named(task.options)
    others = {
        n: task.scaling.back(f) for n, f in baselines.all_of(task.values, task.windows("train"), windows, task.season).items()
    }
    return Evaluation(
        name, task, {name: forecasts(model, windows, task.scaling), **others}, truth(windows, task.scaling), windows.origins, part
    )


def band(task: Task, model: Model) -> Array:
    """(2, K): between these residuals lies the middle of those of the validation part, for each step ahead"""
    windows = task.windows("validation")
    residuals = truth(windows, task.scaling) - forecasts(model, windows, task.scaling)
    return np.quantile(residuals, BAND, axis=1)


def covered(evaluation: Evaluation, between: Array) -> float:
    """The share of true values inside the band"""
    f = evaluation.forecasts[evaluation.name]
    return float(((evaluation.truth >= f + between[0][:, None]) & (evaluation.truth <= f + between[1][:, None])).mean())


def accumulation(task: Task, model: Model, part: str) -> dict[str, Array]:
    """RMSE (K,) for each step ahead: reading its own forecasts, and given the true value before each step"""
    windows = task.windows(part)
    true = truth(windows, task.scaling)
    return {
        "free running": rmse(forecasts(model, windows, task.scaling) - true),
        "teacher forced": rmse(forced(model, windows, task.scaling) - true),
    }


def rmse(e: Array) -> Array:
    return np.sqrt((e**2).mean(1))


def rolling(backend: Backend, task: Task, part: str, refits: int) -> Evaluation:
    """Rolling origin: before each of ``refits`` blocks of a part, models and baselines are fitted anew on all before it.

    What is held out to choose the pass is as long as the validation part, right before the block.
    """
    start, stop = task.parts.rows(part)
    held = task.parts.validation - task.parts.train
    edges = np.linspace(start, stop, refits + 1).astype(int)
    if refits < 1 or min(np.diff(edges)) < task.options["horizon"]:
        raise ValueError(f"--refits must be from 1 to {(stop - start) // task.options['horizon']}, got {refits}")
    blocks: dict[str, list] = {}
    true, origins = [], []
    for a, b in pairwise(edges):
        block = prepare(task.options, task.series, Parts(int(a) - held, int(a), int(b)))
        scores = evaluate(block, chosen(backend, block), "test")
        true.append(scores.truth)
        origins.append(scores.origins)
        for name, f in scores.forecasts.items():
            blocks.setdefault(name, []).append(f)
    joined = {n: np.concatenate(fs, axis=1) for n, fs in blocks.items()}
    return Evaluation(named(task.options), task, joined, np.concatenate(true, axis=1), np.concatenate(origins), part)


def chosen(backend: Backend, task: Task) -> Model:
    """A model trained in a folder of its own, so that its best pass is taken"""
    with tempfile.TemporaryDirectory() as folder:
        return fit(backend, task, Path(folder))[0]
