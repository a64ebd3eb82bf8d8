"""CPU against CUDA as a picture: how many times as fast the GPU is, over width and batch."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from ..report.drawing import FOREGROUND, STYLE, Plot, look
from ..report.plots import logarithmic, plotted
from ..report.tables import groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Time on the CPU over time on the GPU"
CAPTION = "The fastest implementation of each device, T = 50, I = H, both axes logarithmic; above 1 the GPU is faster."
LEAST = 3  # widths on a line


def crossed(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each case that both devices of a machine were timed on, with the gain of CUDA over the CPU."""
    own = rows[rows["median"].notna() & (rows.input_size == rows.hidden_size) & (rows.preset == "crossover")]
    same = ["run", "name", "dtype", "kind", "order", "phase", "T", "B", "hidden_size"]
    best = own.groupby([*same, "device"], sort=False)["median"].min().unstack("device").reindex(columns=["cpu", "cuda"]).dropna()
    frame = best.assign(gain=best.cpu / best.cuda).reset_index()
    about = own[own.device == "cuda"].drop_duplicates("run").set_index("run")
    where = own.groupby("run")["where"].unique().map(" against ".join)
    more = {name: frame.run.map(about[name]) for name in ("preset", "started", "threads")}
    return frame.assign(device="cuda", where=frame.run.map(where), **more)


def draw(rows: pd.DataFrame) -> Iterator[Plot]:
    """A picture for each file with both devices."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        for own in groups(crossed(rows), ["run", "dtype"]) if len(rows) else ():
            if own.groupby(["kind", "phase", "B"]).hidden_size.nunique().max() >= LEAST:
                yield from pictured(own.sort_values(["phase", "order", "kind"], ascending=[False, True, True], kind="stable"))


def pictured(rows: pd.DataFrame) -> Iterator[Plot]:
    names = [f"B = {B}" for B in sorted(rows.B.unique())]

    def panel(ax: "Axes", own: pd.DataFrame) -> None:
        ax.axhline(1, color=FOREGROUND, linewidth=0.8)
        for B in sorted(own.B.unique()):
            line = own[own.B == B].sort_values("hidden_size")
            how = look(f"B = {B}", names)
            ax.plot(line.hidden_size, line.gain, **how, linewidth=1.1, markersize=3.5, clip_on=False, label=f"B = {B}")
        ax.set_xscale("log", base=2)
        ax.set_xticks(sorted(own.hidden_size.unique()), [str(H) for H in sorted(own.hidden_size.unique())])
        logarithmic(ax, "y", "{x:g}×")
        ax.set_xlabel("H")

    return plotted(rows, "crossover", TITLE, CAPTION, panel, "CPU / GPU")
