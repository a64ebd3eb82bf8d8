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
from .train import Task, fit, prepare
from .windows import Parts

BAND = (0.1, 0.9)  # quantiles of the validation residuals
ACCUMULATION = "free running", "teacher forced"


class Evaluation:
    """The forecasts (K, W) of model and baselines on a part, and their figures."""

    def __init__(self, task: Task, forecasts: Mapping[str, Array], true: Array, origins: Array, part: str):
        self.name, self.task, self.part, self.truth, self.origins = named(task.options), task, part, true, origins
        self.forecasts = forecasts
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
    windows, forecasts = task.windows(part), {}
    forecasts[named(task.options)] = task.forecasts(model, windows)
    for name, f in baselines.all_of(task.values, task.windows("train"), windows, task.season).items():
        forecasts[name] = task.scaling.back(f)
    return Evaluation(task, forecasts, task.truth(windows), windows.origins, part)


def band(task: Task, model: Model) -> Array:
    """(2, K): between these residuals lies the middle of those of the validation part, for each step ahead"""
    windows = task.windows("validation")
    return np.quantile(task.truth(windows) - task.forecasts(model, windows), BAND, axis=1)


def covered(evaluation: Evaluation, between: Array) -> float:
    """The share of true values inside the band"""
    f = evaluation.forecasts[evaluation.name]
    low, high = f + between[..., None]
    return float(((low <= evaluation.truth) & (evaluation.truth <= high)).mean())


def accumulation(task: Task, model: Model, part: str) -> dict[str, Array]:
    """RMSE (K,) for each step ahead: reading its own forecasts, and given the true value before each step"""
    windows = task.windows(part)
    errors = {name: task.forecasts(model, windows, name == "teacher forced") - task.truth(windows) for name in ACCUMULATION}
    return {name: np.sqrt((e**2).mean(1)) for name, e in errors.items()}


def rolling(backend: Backend, task: Task, part: str, refits: int) -> Evaluation:
    """Rolling origin: before each of ``refits`` blocks of a part, models and baselines are fitted anew on all before it.

    What is held out to choose the pass is as long as the validation part, right before the block.
    """
    start, stop = task.parts.rows(part)
    held = task.parts.validation - task.parts.train
    edges = np.linspace(start, stop, refits + 1).astype(int)
    if refits < 1 or min(np.diff(edges)) < task.options["horizon"]:
        raise ValueError(f"--refits must be from 1 to {(stop - start) // task.options['horizon']}, got {refits}")
    blocks = []
    for a, b in pairwise(edges):
        block = prepare(task.options, task.series, Parts(int(a) - held, int(a), int(b)))
        with tempfile.TemporaryDirectory() as folder:  # so that the best pass is taken
            model, _ = fit(backend, block, Path(folder))
        blocks.append(evaluate(block, model, "test"))
    forecasts = {name: np.concatenate([e.forecasts[name] for e in blocks], axis=1) for name in blocks[0].forecasts}
    truth, origins = np.concatenate([e.truth for e in blocks], axis=1), np.concatenate([e.origins for e in blocks])
    return Evaluation(task, forecasts, truth, origins, part)
