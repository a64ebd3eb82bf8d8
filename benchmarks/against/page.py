"""The page: the ratios, the same drawn, every case, and the machine."""

from collections.abc import Iterator

import pandas as pd

from ..report.blocks import Block, Lines, Table
from ..report.command import machine
from ..report.drawing import FOREGROUND, STYLE, WIDTH, Plot
from ..report.frame import said, times
from ..report.plots import logarithmic
from ..run.results import Result
from .comparison import Comparison, between

MOST = 60  # cases in a figure
RULES = (
    "A time is the median of one call, the input product inside; forward is inference; train is forward and backward from scratch.",
    "Both take turns in one process, in rounds. A ratio is the geometric mean over rounds of the first's time over the second's; "
    "below 1 the first is faster.",
    "In brackets is the interval at 95%, by a bootstrap of rounds in which both turns of a round stay together. It tells how well "
    "this ratio is known on this machine in this hour, not what another machine would say.",
    "Nothing is timed that has not passed: parity is the worst error over what is allowed.",
)


def blocks(c: Comparison, result: Result) -> Iterator[Block]:
    """All of it, but for the title."""
    yield Lines(RULES)
    yield Table("By cell and phase", "Geometric mean over sizes.", pd.DataFrame([{"": g.name, "ratio": g.text} for g in c.groups]))
    if c.cases:
        yield from (forest(c, k) for k in range(0, len(c.cases), MOST))
        lines = [
            {
                "case": f"{case.group}, {case.size}",
                c.own: said(case.own["seconds"]["median"]),
                c.other: said(case.other["seconds"]["median"]),
                "ratio": between(case.ratio),
                "": case.ratio.verdict,
                "rounds": str(case.ratio.rounds),
                "parity": f"{case.own['parity']:.2f}" if case.own["parity"] is not None else "",
                "memory": memory(case.own["peak_bytes"], case.other["peak_bytes"]),
            }
            for case in c.cases
        ]
        caption = "Memory: the most that a call holds, over the other's, where both can be seen."
        yield Table("Case by case", caption, pd.DataFrame(lines))
    yield Lines([f"{result['started']}: {result['command']}", *machine(result, list(result["limits"]))])


def memory(own: int | None, other: int | None) -> str:
    return times(own / other) if own and other else ""


def forest(c: Comparison, start: int) -> Plot:
    """A line for each case from this one on, with its interval, so many as do not make the figure too tall."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        cases = c.cases[start : start + MOST]
        figure = Figure(figsize=(WIDTH, 1.0 + 0.24 * len(cases)), layout="constrained")
        FigureCanvasAgg(figure)
        ax = figure.subplots()
        for i, case in enumerate(cases):
            low, value, high = case.ratio.low, case.ratio.value, case.ratio.high
            ax.plot([low or value, value if high == float("inf") else high], [i, i], color=FOREGROUND, linewidth=1.4)
            ax.plot([value], [i], marker="o", color=FOREGROUND, markersize=4)
        ax.axvline(1, color=FOREGROUND, linewidth=0.8)
        ax.set_yticks(range(len(cases)), [f"{case.group}, {case.size}" for case in cases], size=7.5)
        ax.invert_yaxis()
        logarithmic(ax, "x", "{x:g}×")
        ax.grid(axis="x", alpha=0.25, linewidth=0.5, color=FOREGROUND)
        ax.set_xlabel(f"time of {c.own} over {c.other}")
    caption = "Logarithmic; left of 1 the first is faster. A dot is the ratio, the line its interval."
    return Plot("against", f"against-{start}" if start else "against", "Ratios with their intervals", caption, figure)
