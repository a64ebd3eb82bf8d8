"""What the notes' pictures are drawn with: panels in a column or two, as wide as a phone can show, and small SVG files.

Matplotlib draws in the light colours of the palette; in a file they are its names, so that a picture is dark where its reader
is.  Line styles differ as well, so that black and white will do.  Text stays text, in the colour of ink.
"""

import io
import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from benchmarks.report.drawing import BACKGROUND, COLOURS, FOREGROUND, STROKES, WIDTH
from benchmarks.report.drawing import STYLE as OF_PAGES
from reference.common.arrays import Array
from reference.common.output import put_text

from ..diagrams import palette
from ..labels import NOTES

FIGURES = NOTES / "figures"
STYLE = OF_PAGES | {"path.simplify_threshold": 0.3}
LEFT, BOTTOM, HEAD = 0.52, 0.48, 0.28  # inches around each panel
SMALL = 7.8  # points, of the names of lines
LEGEND: dict[str, Any] = {
    **dict.fromkeys(("borderpad", "borderaxespad"), 0.0),
    **{"frameon": False, "fontsize": SMALL, "labelspacing": 0.35, "columnspacing": 1.2, "handlelength": 2.4},
}
NAMES = {FOREGROUND: "ink", BACKGROUND: "card"} | {light: name for name, (light, _) in palette.COLOURS.items() if light in COLOURS}


def panels(
    title: str,
    about: str,
    headings: Sequence[str],
    height: float,
    columns: int = 1,
    right: float = 0.15,
    key: Mapping[str, Mapping[str, Any]] = {},
) -> tuple[Figure, list[Axes]]:
    """A figure with axes of one size, so high (inches) and with so much room at their right, under a key to the lines."""
    title, about = textwrap.fill(title, 48), textwrap.fill(about, 76)
    beside = min(len(key), 85 // (7 + max(map(len, key), default=0)))
    heights = (0.19 * (1 + title.count("\n")), 0.155 * (1 + about.count("\n")), 0.165 * math.ceil(len(key) / beside) if key else 0)
    rows, across, down = math.ceil(len(headings) / columns), WIDTH / columns, HEAD + height + BOTTOM
    H = 0.15 + sum(heights) + rows * down
    figure = Figure(figsize=(WIDTH, H))
    figure.text(0.1 / WIDTH, 1 - 0.08 / H, title, va="top", weight="bold", size=10)
    figure.text(0.1 / WIDTH, 1 - (0.1 + heights[0]) / H, about, va="top", size=8)
    if key:
        samples = [Line2D([], [], **how) for how in key.values()]
        corner = 0.1 / WIDTH, 1 - (0.14 + sum(heights[:2])) / H
        figure.legend(samples, list(key), loc="upper left", bbox_to_anchor=corner, ncols=beside, **LEGEND)
    axes = []
    for i, heading in enumerate(headings):
        x, y = i % columns * across + LEFT, (rows - 1 - i // columns) * down + BOTTOM
        place = x / WIDTH, y / H, (across - LEFT - right) / WIDTH, height / H
        axes.append(figure.add_axes(place, title=heading))
        axes[-1].grid(alpha=0.25, linewidth=0.5, color=FOREGROUND)
    return figure, axes


def stroke(i: int, style: int | None = None) -> dict[str, Any]:
    """Colour, style and width of the i-th line"""
    strokes = STROKES[(i if style is None else style) % len(STROKES)]
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": strokes, "linewidth": 1.3}


def save(figure: Figure, name: str) -> None:
    """As notes/figures/NAME.svg: the same bytes for the same data."""
    written = io.BytesIO()
    with rc_context({**STYLE, "svg.hashsalt": name}):
        figure.savefig(written, format="svg", metadata={"Date": None})
    put_text(FIGURES / f"{name}.svg", themed(smaller(written.getvalue().decode()), name))
    print(f"wrote notes/figures/{name}.svg")


def themed(svg: str, name: str) -> str:
    """Colours by the palette's names; rules that hold in this picture only, wherever it is put."""
    for colour, of_palette in NAMES.items():
        svg = svg.replace(colour, f"var(--{of_palette})")
    head, rules, rest = re.split(r"<style[^>]*>|</style>", svg, maxsplit=2)
    rules = re.sub(r"^(?=[.*])", f".{name} ", rules.strip(), flags=re.MULTILINE)
    head = head.replace("<svg ", f'<svg class="figure {name}" ', 1)
    return f"{head}<style>\n{palette.style('svg.figure')}{rules}\n</style>{rest}"


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
    ax: Axes,
    data: Mapping[str, Array],
    lowest: float,
    highest: float,
    label: str = "steps back from the end",
    each: int = 1,
    how: Mapping[str, Mapping[str, Any]] = {},
) -> None:
    """A line for each name; a logarithmic axis between the two; a point is ``each`` steps.

    ``how`` says how a line looks that the key of the figure names; without it a line's name stands at its end.
    """
    ax.set_yscale("log")
    ax.set_ylim(lowest, highest)
    ax.yaxis.set_major_formatter(power_of_ten)
    ax.yaxis.set_minor_locator(NullLocator())
    steps = (max(map(len, data.values())) - 1) * each
    ax.set_xlim(0, steps)
    ax.set_xlabel(label)
    ends = {}
    for i, (name, v) in enumerate(data.items()):
        ax.plot(np.arange(len(v)) * each, v, **(how[name] if how else stroke(i)))
        shown = np.flatnonzero(np.isfinite(v) & (v >= lowest) & (v <= highest))
        last = int(shown[-1]) if len(shown) else 0
        ends[name] = (last * each / steps, float(np.log(v[last] / lowest) / np.log(highest / lowest)), stroke(i))
    for name, at in apart({k: height for k, (_, height, _) in ends.items()}, 0.085).items() if not how else ():
        x, height, drawn = ends[name]
        face = BACKGROUND if x < 1 else drawn["color"]
        dot = {"marker": "o", "markersize": 3, "markerfacecolor": face, "color": drawn["color"]}
        ax.plot([x], [height], transform=ax.transAxes, clip_on=False, **dot)
        name_at(ax, name, x, height, at, drawn)


def name_at(ax: Axes, name: str, x: float, height: float, at: float, how: dict[str, Any]) -> None:
    """A name at the right of the axes behind a piece of its line, and a thin line to it from a point; in parts of the axes."""
    ax.plot([x, 1.04], [height, at], transform=ax.transAxes, color=how["color"], linewidth=0.5, clip_on=False)
    ax.plot([1.04, 1.11], [at, at], transform=ax.transAxes, clip_on=False, **how)
    ax.text(1.13, at, name, transform=ax.transAxes, va="center_baseline", size=SMALL)


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
