"""What the notes' pictures are drawn with: panels of one size, lines that carry their names, small SVG files.

Colours are Okabe and Ito's; line styles differ as well, so that black and white will do.  Text stays text in the file.
"""

import io
import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from benchmarks.report.drawing import BACKGROUND, COLOURS, FOREGROUND, STROKES
from benchmarks.report.drawing import STYLE as OF_PAGES
from reference.common.arrays import Array

from ..labels import NOTES

BLACK = COLOURS[0]
# Of the benchmarks, but in matplotlib's own black and white.
STYLE = {k: v for k, v in OF_PAGES.items() if v not in (FOREGROUND, BACKGROUND)}
STYLE |= {"font.sans-serif": ["DejaVu Sans"], "path.simplify_threshold": 0.3}
LEFT, BOTTOM, HEAD = 0.6, 0.5, 0.3  # inches around each panel


def panels(
    title: str, about: str, headings: Sequence[str], columns: int, width: float, height: float, right: float
) -> tuple[Figure, list[Axes]]:
    """A figure with axes of one size (inches) in so many columns, and room for names at their right."""
    across, down = LEFT + width + right, HEAD + height + BOTTOM
    rows, W = math.ceil(len(headings) / columns), columns * across
    about = textwrap.fill(about, int(15 * W))
    H = 0.35 + rows * down + 0.16 * (1 + about.count("\n"))
    with rc_context(STYLE):
        figure = Figure(figsize=(W, H))
        figure.text(0.1 / W, 1 - 0.08 / H, title, va="top", weight="bold", size=11)
        figure.text(0.1 / W, 1 - 0.3 / H, about, va="top", size=8)
        axes = []
        for i, heading in enumerate(headings):
            x, y = i % columns * across + LEFT, (rows - 1 - i // columns) * down + BOTTOM
            axes.append(figure.add_axes((x / W, y / H, width / W, height / H), title=heading))
            axes[-1].grid(alpha=0.25, linewidth=0.5, color=BLACK)
    return figure, axes


def stroke(i: int) -> dict[str, Any]:
    """Colour, style and width of the i-th line"""
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": STROKES[i % len(STROKES)], "linewidth": 1.3}


def save(figure: Figure, name: str) -> Path:
    """As notes/figures/NAME.svg: the same bytes for the same data."""
    written = io.BytesIO()
    with rc_context({**STYLE, "svg.hashsalt": name}):
        figure.savefig(written, format="svg", metadata={"Date": None})
    file = NOTES / "figures" / f"{name}.svg"
    file.write_text(smaller(written.getvalue().decode()), encoding="utf-8")
    return file


def smaller(svg: str) -> str:
    """Coordinates to a tenth of a point, each style written once; no metadata, no name that nothing refers to."""
    svg = re.sub(r"<!--.*?-->\s*|<metadata>.*?</metadata>\s*|^ +", "", svg, flags=re.DOTALL | re.MULTILINE)
    places = re.compile(r'\b(?:d|x|y|transform)="[^"]*"')
    svg = places.sub(lambda m: re.sub(r"\d+\.\d{2,}", lambda number: f"{float(number[0]):.1f}", m[0]), svg)
    svg = re.sub(r'd="([^"C]*)"', lambda m: 'd="' + re.sub(r"\s+L ", " ", m[1]).strip() + '"', svg)  # L after M goes without
    svg = re.sub(r' transform="rotate\(-0 [^"]*"', "", svg)
    svg = re.sub(r' id="([^"]*)"', lambda m: m[0] if f"#{m[1]}" in svg else "", svg)
    while (flatter := re.sub(r"<g>\n((?:(?!</?g[ >]).)*)</g>\n", r"\1", svg, flags=re.DOTALL)) != svg:
        svg = flatter
    names = {style: f"s{i}" for i, style in enumerate(dict.fromkeys(re.findall(r'(?<= style=")[^"]*', svg)))}
    rules = "".join(f".{name} {{{style}}}\n" for style, name in names.items())
    svg = re.sub(r' style="([^"]*)"', lambda m: f' class="{names[m[1]]}"', svg)
    return svg.replace("</style>", f"\n{rules}</style>", 1)


def power_of_ten(v: float, _: float) -> str:
    k = round(math.log10(v))
    return f"{v:g}" if abs(k) <= 2 else f"1e{k}"


def lines(
    ax: Axes, data: Mapping[str, Array], lowest: float, highest: float, label: str = "steps back from the end", each: int = 1
) -> None:
    """A line for each name, its name at its end; a logarithmic axis between the two; a point is ``each`` steps."""
    ax.set_yscale("log")
    ax.set_ylim(lowest, highest)
    ax.yaxis.set_major_formatter(power_of_ten)
    ax.yaxis.set_minor_locator(NullLocator())
    steps = (max(map(len, data.values())) - 1) * each
    ends = {}
    for i, (name, v) in enumerate(data.items()):
        shown = np.flatnonzero(np.isfinite(v) & (v >= lowest) & (v <= highest))
        ax.plot(np.arange(len(v)) * each, v, **stroke(i))
        last = int(shown[-1]) if len(shown) else 0
        ends[name] = (last * each / steps, float(np.log(v[last] / lowest) / np.log(highest / lowest)), stroke(i)["color"])
    ax.set_xlim(0, steps)
    ax.set_xlabel(label)
    for name, at in apart({k: height for k, (_, height, _) in ends.items()}, 0.055).items():
        x, height, colour = ends[name]
        face = "white" if x < 1 else colour
        ax.plot([x], [height], transform=ax.transAxes, color=colour, marker="o", markersize=3, clip_on=False, markerfacecolor=face)
        name_at(ax, name, x, height, at, colour)


def name_at(ax: Axes, name: str, x: float, height: float, at: float, colour: str) -> None:
    """A name at the right of the axes, and a thin line to it from a point; all in parts of the axes."""
    ax.plot([x, 1.04], [height, at], transform=ax.transAxes, color=colour, linewidth=0.4, clip_on=False)
    ax.text(1.05, at, name, transform=ax.transAxes, va="center", size=7.5, color=colour)


def apart(heights: Mapping[str, float], gap: float) -> dict[str, float]:
    """Move names apart to at least ``gap``, keeping their order, as little as the room between 0 and 1 allows."""
    names = sorted(heights, key=lambda name: heights[name])
    y = [heights[name] for name in names]
    for _ in range(200):
        for i in range(1, len(y)):
            lack = gap - (y[i] - y[i - 1])
            if lack > 1e-6:
                y[i - 1], y[i] = y[i - 1] - lack / 2, y[i] + lack / 2
        over, under = max(0.0, y[-1] - 1), max(0.0, -y[0])
        if not (over and under):
            y = [v - over + under for v in y]
    return dict(zip(names, y, strict=True))
