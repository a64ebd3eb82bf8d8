"""Pictures of forecasts; matplotlib is imported only when one is drawn."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..common.arrays import Array
from .evaluate import BAND, Evaluation
from .train import Task

STYLE: Any = {
    "figure.dpi": 130,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
TRUTH, MODEL = "#333333", "#c0392b"
OTHERS = {"persistence": "#7f8c8d", "seasonal naive": "#b7950b", "linear": "#2471a3"}
MISSING = "plots need matplotlib, which is not installed: pip install '.[apps]', or give --no-plots"
SHOWN = 4  # windows in a picture


@contextmanager
def canvas(file: Path, width: float, height: float, rows: int, columns: int, **options: Any) -> Iterator[tuple[Any, Any]]:
    """Figure and axes (rows, columns) of a picture, saved at the end.  Raises ValueError where matplotlib is not installed."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as e:
        raise ValueError(MISSING) from e
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        yield figure, figure.subplots(rows, columns, squeeze=False, **options)
        figure.savefig(file)


def windows(file: Path, scores: Evaluation, between: Array) -> None:
    """Some windows with history, forecast, truth and band"""
    task, (K, W) = scores.task, scores.truth.shape
    chosen = np.linspace(0, W - 1, SHOWN + 2).astype(int)[1:-1]
    with canvas(file, 10, 5.6, 2, 2) as (figure, axes):
        for ax, w in zip(axes.flat, chosen, strict=True):
            o = scores.origins[w]
            times, values = task.series.times, task.series.values[:, 0]
            back = slice(max(0, o - max(3 * K, task.options["window"])), o)
            ax.plot(times[back], values[back], color=TRUTH, lw=1, label="history")
            ahead = times[o : o + K]
            f = scores.forecasts[scores.name][:, w]
            shade(ax, ahead, f + between)
            ax.plot(ahead, scores.truth[:, w], "o-", ms=2.5, lw=1, color=TRUTH, mfc="white", label="truth")
            ax.plot(ahead, f, color=MODEL, lw=1.6, label=scores.name)
            ax.plot(ahead, scores.forecasts["linear"][:, w], color=OTHERS["linear"], lw=1, ls="--", label="linear")
            ax.set_ylabel(task.series.columns[0])
            dated(ax, times)
        figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
        figure.suptitle(f"{task.series.name}: forecasts of {K} steps in the {scores.part} part")


def errors(file: Path, scores: Evaluation, accumulated: Mapping | None) -> None:
    """The error for each step ahead"""
    K, columns = np.arange(1, len(scores.truth) + 1), 2 if accumulated else 1
    with canvas(file, 5.2 * columns, 3.6, 1, columns) as (_, axes):
        ax = axes[0, 0]
        for name, f in scores.steps.items():
            main = name == scores.name
            ax.plot(K, f.rmse, "o-", ms=3, lw=2 if main else 1.2, color=MODEL if main else OTHERS[name], label=name)
        ax.set_title(f"{scores.task.series.name}, {scores.part} part")
        if accumulated:
            for (name, v), color in zip(accumulated.items(), (MODEL, "#1e8449"), strict=True):
                axes[0, 1].plot(K, v, "o-", ms=3, color=color, label=name)
            axes[0, 1].set_title("its own forecasts read, or the truth before each step")
        for ax in axes[0]:
            ax.set(xlabel="steps ahead", ylabel="RMSE", ylim=(0, None))
            ax.legend(fontsize=8)


def prediction(file: Path, task: Task, times: Array, ahead: Array, between: Array) -> None:
    """History and what comes next"""
    with canvas(file, 8, 3.6, 1, 1) as (_, [[ax]]):
        shown = slice(-max(4 * len(ahead), 2 * task.options["window"]), None)
        ax.plot(task.series.times[shown], task.series.values[shown, 0], color=TRUTH, lw=1, label="history")
        shade(ax, times, between)
        ax.plot(times, ahead, "o-", ms=3, color=MODEL, label="forecast")
        ax.set_ylabel(task.series.columns[0])
        dated(ax, times)
        ax.legend(fontsize=8)


def shade(ax: Any, times: Array, between: Array) -> None:
    """The band (2, K)"""
    ax.fill_between(times, *between, color=MODEL, alpha=0.18, lw=0, label=f"{BAND[1] - BAND[0]:.0%} of validation errors")


def dated(ax: Any, times: Array) -> None:
    """Short dates that do not run into each other"""
    if times.dtype.kind == "M":
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator(minticks=3, maxticks=6)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
