"""Pictures of forecasts; matplotlib is imported only when one is drawn."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.arrays import Array
from ..common.output import about
from .evaluation.band import Band
from .evaluation.evaluate import Evaluation

if TYPE_CHECKING:
    from .predict import Forecast

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
        with about(file):
            figure.savefig(file)


def windows(file: Path, e: Evaluation, band: Band) -> None:
    """Some windows with history, forecast, truth and band"""
    K, W = e.truth.shape
    chosen = np.linspace(0, W - 1, SHOWN + 2).astype(int)[1:-1]
    with canvas(file, 10, 5.5, 2, 2) as (figure, axes):
        for ax, w in zip(axes.flat, chosen, strict=True):
            series, row = e.task.origin(e.windows, int(w))
            back = slice(row - min(row, max(3 * K, e.windows.length)), row)
            ax.plot(series.times[back], series.values[back, 0], color=TRUTH, lw=1, label="history")
            ahead = series.times[row : row + K]
            if e.between is not None:
                shade(ax, ahead, e.between[:, :, w], band)
            ax.plot(ahead, e.truth[:, w], "o-", ms=2.5, lw=1, color=TRUTH, mfc="white", label="truth")
            ax.plot(ahead, e.forecasts[e.name][:, w], color=MODEL, lw=1.6, label=e.name)
            ax.plot(ahead, e.forecasts["linear"][:, w], color=OTHERS["linear"], lw=1, ls="--", label="linear")
            ax.set_ylabel(series.columns[0])
            if e.several:
                ax.set_title(series.name, fontsize=9)
            dated(ax, series.times)
        figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
        figure.suptitle(f"{title(e)}: forecasts of {K} steps in the {e.part} part")


def title(e: Evaluation) -> str:
    return f"{len(e.task.series)} series" if e.several else e.task.series[0].name


def errors(file: Path, e: Evaluation, accumulated: Mapping | None) -> None:
    """The error for each step ahead"""
    K, columns = np.arange(1, len(e.truth) + 1), 2 if accumulated else 1
    with canvas(file, 5.2 * columns, 3.6, 1, columns) as (_, axes):
        ax = axes[0, 0]
        for name, f in e.steps.items():
            main = name == e.name
            ax.plot(K, f.rmse, "o-", ms=3, lw=2 if main else 1.2, color=MODEL if main else OTHERS.get(name), label=name)
        ax.set_title(f"{title(e)}, {e.part} part")
        if accumulated:
            for (name, v), color in zip(accumulated.items(), (MODEL, "#1e8449"), strict=True):
                axes[0, 1].plot(K, v, "o-", ms=3, color=color, label=name)
            axes[0, 1].set_title("its own forecasts read, or the truth before each step")
        for ax in axes[0]:
            ax.set(xlabel="steps ahead", ylabel="RMSE, in deviations" if e.several else "RMSE", ylim=(0, None))
            ax.xaxis.get_major_locator().set_params(integer=True)
            ax.legend(fontsize=8)


def prediction(file: Path, shown: int, f: "Forecast", band: Band) -> None:
    """The last rows of history and what comes next"""
    with canvas(file, 8, 3.6, 1, 1) as (_, [[ax]]):
        back = slice(-max(4 * len(f.values), shown), None)
        ax.plot(f.series.times[back], f.series.values[back, 0], color=TRUTH, lw=1, label="history")
        if f.between is not None:
            shade(ax, f.times, f.between, band)
        ax.plot(f.times, f.values, "o-", ms=3, color=MODEL, label="forecast")
        ax.set(ylabel=f.series.columns[0], title=f.series.name)
        dated(ax, f.series.times)
        ax.legend(fontsize=8)


def shade(ax: Any, times: Array, between: Array, band: Band) -> None:
    """The band (2, K)"""
    ax.fill_between(times, *between, color=MODEL, alpha=0.18, lw=0, label=f"band of {band.level:.0%}")


def dated(ax: Any, times: Array) -> None:
    """Short dates that do not run into each other"""
    if times.dtype.kind == "M":
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator(minticks=3, maxticks=6)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
