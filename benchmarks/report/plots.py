"""The plots of a report: time over torch.nn's layer, time against work, work along one size, share of the machine.

Each is small panels, a kind of cell in a column and a phase in a row, with one line for each implementation.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .drawing import FOREGROUND, STYLE, Plot, look
from .frame import LIBRARY, File
from .tables import AXES, groups, sweeps

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.ticker import EngFormatter

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
                    yield ratio(group[group.ratio.notna()])
                several = group[group.groupby(["kind", "phase"]).flops.transform("nunique") > 1]
                if len(several):
                    limits = files[first.run][1]["limits"].get(first.device, {"gemm_gflops": {}})
                    yield time(several, limits["gemm_gflops"].get(first["dtype"]))
                    yield share(several)
            for axis in AXES:
                if swept := list(sweeps(group[group.flops > 0], axis)):
                    yield along(pd.concat(swept), axis)


def ratio(rows: pd.DataFrame) -> Plot:
    room = 0.35
    if rows.model.notna().any():  # many models at a size or two: side by side
        room = 0.5
        rows = rows.assign(kind=rows.cell.replace("none", "no cell"), size=rows.model.str.replace("_", " ") + " " + rows["size"])

    def panel(ax: "Axes", own: pd.DataFrame) -> None:
        sizes = own.sort_values("flops", kind="stable")["size"].unique().tolist()
        ax.axhline(1, color=FOREGROUND, linewidth=0.8)
        lines(ax, own.assign(x=own["size"].map(sizes.index), y=own.ratio), rows)
        ax.set_xticks(range(len(sizes)), [s.replace(" ", "\n") for s in sizes], size=6)
        logarithmic(ax, "y", "{x:g}×")

    width = max(2.6, room * rows.groupby(["kind", "phase"])["size"].nunique().max())
    return plotted(rows, "ratio", f"Time over that of {LIBRARY}", RATIO, panel, "", width)


def time(rows: pd.DataFrame, gflops: float | None) -> Plot:
    def panel(ax: "Axes", own: pd.DataFrame) -> None:
        lines(ax, own.assign(x=own.flops, y=own["median"]), rows, apart=True)
        logarithmic(ax, "x", in_units(""))
        logarithmic(ax, "y", in_units("s"))
        if gflops:
            ends = np.array([max(own.flops.min(), own["median"].min() * gflops * 1e9), own.flops.max()])
            ax.plot(ends, ends / gflops / 1e9, color=FOREGROUND, linewidth=0.8, alpha=0.6)
        ax.set_xlabel("work, FLOP")

    return plotted(rows, "time", "Time against size", TIME, panel, "")


def along(rows: pd.DataFrame, axis: str) -> Plot:
    def panel(ax: "Axes", own: pd.DataFrame) -> None:
        sizes = sorted(own.x.unique())
        lines(ax, own.assign(x=own.x.map(sizes.index), y=1e12 * own["median"] / own.flops), rows)
        ax.set_xticks(range(len(sizes)), [str(size) for size in sizes], size=6.5, rotation=90 if len(sizes) > 9 else 0)
        logarithmic(ax, "y", "{x:g}")
        ax.set_xlabel(f"{axis} ({own.held.iloc[0]})")

    return plotted(rows, f"along-{axis.lower()}", f"Time per unit of work along {axis}", ALONG, panel, "ps per FLOP", 3.2)


def share(rows: pd.DataFrame) -> Plot:
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


def plotted(rows: pd.DataFrame, what: str, title: str, caption: str, panel: Draw, unit: str, width: float = 2.6) -> Plot:
    """Panels by kind of cell and phase, and one legend for all."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    kinds, phases = rows.kind.unique().tolist(), rows.phase.unique().tolist()
    across = min(len(kinds), max(1, int(13.5 // width)))
    panels = [(phase, kinds[i : i + across]) for i in range(0, len(kinds), across) for phase in phases]
    figure = Figure(figsize=(max(0.6 + width * across, 6.5), 0.9 + 2.5 * len(panels)), layout="constrained")
    FigureCanvasAgg(figure)
    named: dict[str, Artist] = {}
    for (row, column), ax in np.ndenumerate(figure.subplots(len(panels), across, sharey="row", squeeze=False)):
        phase, beside = panels[row]
        own = rows[(rows.kind == "".join(beside[column : column + 1])) & (rows.phase == phase)]
        if own.empty:
            figure.delaxes(ax)
            continue
        ax.set_title(f"{beside[column]} · {phase}")
        ax.set_ylabel(unit if column == 0 else "")
        ax.tick_params(bottom=False, left=False)
        ax.grid(alpha=0.25, linewidth=0.5, color=FOREGROUND, clip_on=False)
        panel(ax, own)
        named |= {line.get_label(): line for line in ax.get_lines() if not line.get_label().startswith("_")}
    figure.legend(named.values(), named.keys(), loc="outside lower left", ncols=int(figure.get_figwidth() / 1.5), frameon=False)
    first = rows.iloc[0]
    threads = f", {first.threads} threads" if first.device == "cpu" else ""
    heading = f"{title} · {first['dtype']} · preset {first.preset} · {first.started[:10]}\n{first['where']}{threads}"
    figure.suptitle(heading, x=0.01, ha="left", size=9)
    return Plot(first["name"], f"{first['name']}-{first.device}-{first['dtype']}-{what}", title, caption, figure)
