"""The plots of a report: time over torch.nn's layer, time against work, work along one size, share of the machine.

Each is panels one under another, one for each phase and kind of cell, with one line for each implementation.
"""

import math
import textwrap
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .drawing import FOREGROUND, STYLE, WIDTH, Plot, look
from .frame import LIBRARY, File
from .tables import AXES, groups, sweeps

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

TALLEST = 16  # inches of panels in a figure
SWEPT = ("cliffs", "scaling", "crossover")  # presets that vary one thing at a time have plots along it
WORK = "the floating-point operations of the case"
RATIO = (
    f"Median over the median of {LIBRARY} in the same case, phase and file, logarithmic; below 1 is faster. "
    "Cases by ascending work."
)
TIME = (
    f"Median time against {WORK}, both logarithmic; B = 1 and more are lines apart. The line without markers is the time at "
    "this machine's own measured GEMM rate."
)
ALONG = "Median time over floating-point operations, logarithmic; a level line has no cliff, and scales with the work."
SHARE = f"Share of the nearer limit that the machine itself was measured to have, GEMM rate or copy bandwidth, against {WORK}."

Draw = Callable[["Axes", pd.DataFrame], None]  # one panel


def draw(files: list[File], rows: pd.DataFrame) -> Iterator[Plot]:
    """Every plot that the rows allow, file by file."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        for group in groups(rows[rows["median"].notna()], ["run", "device", "dtype"]):
            first = group.iloc[0]
            if first.preset not in SWEPT:
                if group.ratio.notna().any():
                    yield from ratio(group[group.ratio.notna()])
                several = group[group.groupby(["kind", "phase"]).flops.transform("nunique") > 1]
                if len(several):
                    limits = files[first.run][1]["limits"].get(first.device, {"gemm_gflops": {}})
                    yield from time(several, limits["gemm_gflops"].get(first["dtype"]))
                    yield from share(several)
            for axis in AXES:
                if swept := list(sweeps(group[group.flops > 0], axis)):
                    yield from along(pd.concat(swept), axis)


def ratio(rows: pd.DataFrame) -> Iterator[Plot]:
    if rows.model.notna().any():  # many models at a size or two: side by side
        rows = rows.assign(kind=rows.cell.replace("none", "no cell"), size=rows.model.str.replace("_", " ") + "\n" + rows["size"])
    upright = bool(rows["size"].str.contains("\n").any() or rows.groupby(["kind", "phase"])["size"].nunique().max() > 8)

    def panel(ax: "Axes", own: pd.DataFrame) -> None:
        sizes = own.sort_values("flops", kind="stable")["size"].unique().tolist()
        ax.axhline(1, color=FOREGROUND, linewidth=0.8)
        lines(ax, own.assign(x=own["size"].map(sizes.index), y=own.ratio), rows)
        named = sizes if upright else [s.replace(" ", "\n") for s in sizes]
        ax.set_xticks(range(len(sizes)), named, size=7.2, rotation=90 * upright)
        logarithmic(ax, "y", "{x:g}×")

    return plotted(rows, "ratio", f"Time over that of {LIBRARY}", RATIO, panel, "", 3.2 if upright else 2.15)


def time(rows: pd.DataFrame, gflops: float | None) -> Iterator[Plot]:
    def panel(ax: "Axes", own: pd.DataFrame) -> None:
        lines(ax, own.assign(x=own.flops, y=own["median"]), rows, apart=True)
        logarithmic(ax, "x", in_units(""))
        logarithmic(ax, "y", in_units("s"))
        if gflops:
            ends = np.array([max(own.flops.min(), own["median"].min() * gflops * 1e9), own.flops.max()])
            ax.plot(ends, ends / gflops / 1e9, color=FOREGROUND, linewidth=0.8, alpha=0.6)
        ax.set_xlabel("work, FLOP")

    return plotted(rows, "time", "Time against size", TIME, panel, "")


def along(rows: pd.DataFrame, axis: str) -> Iterator[Plot]:
    def panel(ax: "Axes", own: pd.DataFrame) -> None:
        sizes = sorted(own.x.unique())
        lines(ax, own.assign(x=own.x.map(sizes.index), y=1e12 * own["median"] / own.flops), rows)
        ax.set_xticks(range(len(sizes)), [str(size) for size in sizes], size=7.2, rotation=90 if len(sizes) > 9 else 0)
        logarithmic(ax, "y", "{x:g}")
        ax.set_xlabel(f"{axis} ({own.held.iloc[0]})")

    return plotted(rows, f"along-{axis.lower()}", f"Time per unit of work along {axis}", ALONG, panel, "ps per FLOP")


def share(rows: pd.DataFrame) -> Iterator[Plot]:
    def panel(ax: "Axes", own: pd.DataFrame) -> None:
        lines(ax, own.assign(x=own.flops, y=100 * own.fraction), rows, apart=True)
        logarithmic(ax, "x", in_units(""))
        ax.set_xlabel("work, FLOP")

    return plotted(rows, "share", "Share of the machine", SHARE, panel, "% of the nearer limit")


def lines(ax: "Axes", own: pd.DataFrame, everybody: pd.DataFrame, apart: bool = False) -> None:
    """A line for each implementation, from columns x and y; ``apart``: one for B = 1, and one for more."""
    names = everybody.implementation.unique()
    for name in own.implementation.unique():
        points = own[own.implementation == name].sort_values("x", kind="stable")
        parts = [points[points.B == 1], points[points.B > 1]] if apart else [points]
        for part in (part for part in parts if len(part)):
            ax.plot(part.x, part.y, **look(name, names), linewidth=1.1, markersize=3.5, clip_on=False, label=name)


def logarithmic(ax: "Axes", which: str, form: "str | EngFormatter") -> None:
    """A logarithmic axis with plain labels: powers of ten, and what is between them if there are few."""
    from matplotlib.ticker import LogLocator, NullLocator

    axis = getattr(ax, f"{which}axis")
    getattr(ax, f"set_{which}scale")("log")
    low, high = getattr(ax, f"get_{which}lim")()
    axis.set_major_locator(LogLocator(subs=(1.0,) if high / low > 50 else (1.0, 2.0, 5.0), numticks=30))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(form)


def in_units(unit: str) -> "EngFormatter":
    """'10 ms', '100 M'"""
    from matplotlib.ticker import EngFormatter

    return EngFormatter(unit=unit)


def plotted(rows: pd.DataFrame, what: str, title: str, caption: str, panel: Draw, unit: str, height: float = 1.9) -> Iterator[Plot]:
    """A panel for each phase and kind of cell, one under another, as many to a figure as do not make it too tall."""
    first = rows.iloc[0]
    threads = f", {first.threads} threads" if first.device == "cpu" else ""
    about = f"{first['dtype']}, preset {first.preset}, {first.started[:10]}. {first['where']}{threads}"
    heading = f"{title}\n{textwrap.fill(about, 68)}"
    places = [(phase, kind) for phase in rows.phase.unique() for kind in rows[rows.phase == phase].kind.unique()]
    figures = math.ceil(len(places) / (TALLEST // height))
    for k in range(figures):
        some = places[math.ceil(k * len(places) / figures) : math.ceil((k + 1) * len(places) / figures)]
        name = f"{first['name']}-{first.device}-{first['dtype']}-{what}" + f"-{k + 1}" * (figures > 1)
        yield Plot(first["name"], name, title, caption, stacked(rows, some, heading, panel, unit, height))


def stacked(rows: pd.DataFrame, places: list[tuple[str, str]], heading: str, panel: Draw, unit: str, height: float) -> "Figure":
    """The panels of these phases and kinds under one legend; those of a phase have the same limits."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, 1.0 + height * len(places)), layout="constrained")
    FigureCanvasAgg(figure)
    named: dict[str, Artist] = {}
    first: dict[str, Axes] = {}
    for (phase, kind), ax in zip(places, figure.subplots(len(places), squeeze=False).flat, strict=True):
        if first.setdefault(phase, ax) is not ax:
            ax.sharey(first[phase])
        ax.set_title(f"{kind} · {phase}")
        ax.set_ylabel(unit)
        ax.tick_params(bottom=False, left=False)
        ax.grid(alpha=0.25, linewidth=0.5, color=FOREGROUND, clip_on=False)
        panel(ax, rows[(rows.kind == kind) & (rows.phase == phase)])
        named |= {line.get_label(): line for line in ax.get_lines() if not line.get_label().startswith("_")}
    look = {"frameon": False, "fontsize": 7.8, "title_fontsize": 8, "alignment": "left", "borderpad": 0.0}
    figure.legend(named.values(), named.keys(), loc="outside upper left", ncols=3, title=heading, **look)
    return figure
