"""Monthly sunspots, twelve months ahead: a GRU trained in NumPy beside persistence, seasonal naive and a linear model."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.table import Table

import torch_impl.forecast.backend
from reference.forecast import plots
from reference.forecast.backend import BACKEND
from reference.forecast.describe import described
from reference.forecast.evaluation.band import band
from reference.forecast.evaluation.evaluate import Evaluation, evaluate
from reference.forecast.evaluation.metrics import Figures
from reference.forecast.evaluation.report import LABELS, about_band
from reference.forecast.kept import open_run, write_data
from reference.forecast.options import parser, settled
from reference.forecast.train import fit, forecasts, prepare

from ..judge import terminal
from .characters import FailedError


class Forecast(NamedTuple):
    about: str
    evaluation: Evaluation
    verdict: str
    band: str  # how much of the test part it holds
    apart: float  # largest difference of PyTorch's forecasts from the same checkpoint, in sunspots
    plots: dict[str, Path]  # caption -> SVG file


def forecast(folder: Path, options: Sequence[str]) -> Forecast:
    """Train, evaluate on the test part, draw.  FailedError: Ctrl-C."""
    task = prepare(settled(parser("reference", ("fast",)).parse_args(["train", *options])))
    model, result = fit(BACKEND, task, folder, progress=True, how="run the demo again")
    if result.stopped == "interrupted":
        raise FailedError(130)
    evaluation, between = evaluate(task, model, "test"), band(task, model)
    windows, errors = folder / "test-windows.svg", folder / "test-errors.svg"
    plots.windows(windows, evaluation, between)
    plots.errors(errors, evaluation, None)
    write_data(folder, task)
    _, twin, _ = open_run(torch_impl.forecast.backend.BACKEND, folder)
    theirs, _ = forecasts(task, twin, evaluation.windows)
    apart = float(abs(theirs - evaluation.forecasts[evaluation.name]).max())
    files = {"Four windows of the test part": windows, "Error for each step ahead": errors}
    return Forecast(described(task), evaluation, evaluation.verdict(), about_band(evaluation, between), apart, files)


def rows(evaluation: Evaluation) -> list[tuple[str, list[str]]]:
    """Of each model its name and its figures, the network first"""
    return [(name, [f"{float(v):.4g}" for v in f]) for name, f in evaluation.overall.items()]


def table(evaluation: Evaluation) -> Table:
    shown = terminal.grid(f"{evaluation.truth.shape[1]} windows of the {evaluation.part} part", ("", *COLUMNS), right=COLUMNS)
    for name, figures in rows(evaluation):
        shown.add_row(name, *figures)
    return shown


def by_step(evaluation: Evaluation) -> list[tuple[str, list[tuple[str, bool]]]]:
    """Of each model its RMSE for each step ahead, and whether it is the lowest there"""
    rmse = {name: np.asarray(f.rmse) for name, f in evaluation.steps.items()}
    best = np.min(list(rmse.values()), axis=0)
    return [(name, [(f"{v:.4g}", bool(v == b)) for v, b in zip(r, best, strict=True)]) for name, r in rmse.items()]


COLUMNS = [LABELS[k] for k in Figures._fields]
