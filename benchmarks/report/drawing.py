"""What the plots are drawn with: colours, markers, axes, labels, and figures as files.

Colours are Okabe and Ito's; markers and line styles differ as well, and lines carry their names, so that black and white
will do.  FOREGROUND and BACKGROUND are colours that nothing else has: in a page they become the page's own.  Matplotlib is
loaded only when something is drawn.
"""

import io
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .tables import LIBRARY, Entry, grouped, order

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOREIGN = r"<!--.*?-->|<metadata>.*?</metadata>| xmlns(:\w+)?=\"[^\"]*\""  # in matplotlib's SVG: what a page has no use for
FOREGROUND, BACKGROUND = "#010203", "#fefdfc"
COLOURS = (FOREGROUND, "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
FILLED, HOLLOW = "osD^vX", "os^vD*p"
STROKES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))
KNOWN = (LIBRARY, "numpy.fast", "numpy", "torch.native", "torch.compiled", "torch.loop", "torch.hoisted", "torch.cell",
         "torch.bptt", "torch.graphed", "jax.scan", "onnxruntime")
COLOURED = ("text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color", "hatch.color")
STYLE: dict[Any, Any] = {"font.size": 8.5, "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 9,
         "axes.titlelocation": "left", "axes.titleweight": "bold", "text.parse_math": False, "svg.fonttype": "path",
         "axes.linewidth": 0.7, "xtick.major.width": 0.7, "ytick.major.width": 0.7, "hatch.linewidth": 0.6,
         **dict.fromkeys(COLOURED, FOREGROUND),
         **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), BACKGROUND)}

Points = tuple[list[float], list[float]]  # x, y


class Plot(NamedTuple):
    """A figure: the file that it belongs to, a name for its own file, and what it shows."""

    run: str
    name: str
    title: str
    caption: str
    figure: "Figure"

    def save(self, form: str) -> bytes:
        """The figure as "png" or "svg", the same bytes for the same data."""
        import matplotlib

        target = io.BytesIO()
        metadata: dict[str, Any] = {"Date": None} if form == "svg" else {"Software": None}
        with matplotlib.rc_context({**STYLE, "svg.hashsalt": self.name}):
            self.figure.savefig(target, format=form, dpi=150, metadata=metadata)
        return target.getvalue()

    def inline(self) -> str:
        """The figure as an <svg> element for a page: its own element names, the page's colours, nothing from outside."""
        text = self.save("svg").decode()
        text = re.sub(FOREIGN, "", text[text.index("<svg"):], flags=re.S)
        text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{self.name}-", text)
        text = text.replace(FOREGROUND, "currentColor").replace(BACKGROUND, "none")
        opening = f'<svg role="img" style="max-width: {self.figure.get_figwidth():.1f}in"'
        return re.sub(r'<svg width="[^"]*" height="[^"]*"', opening, text, count=1)


class Spot(NamedTuple):
    """A place for axes: heading, and the entries that belong there."""

    heading: str
    entries: list[Entry]


def canvas(spots: Sequence[str], width: float, title: str, about: str, left: float = 0.65, right: float = 1.25,
           height: float = 2.5, bottom: float = 0.55) -> tuple["Figure", list["Axes"]]:
    """A figure with axes of one size (inches) for each spot, as many in a row as a page holds; what it is about on top."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    cell, tall, top = left + width + right, bottom + height + 0.35, 0.5
    at = arranged(spots, max(1, int(13.5 // cell)))
    rows, columns = (1 + max(p[i] for p in at) for i in (0, 1))
    wide_ = max(columns * cell, 6.5)
    about = textwrap.fill(about, int(15 * wide_))
    top += 0.13 * about.count("\n")
    size = wide_, top + rows * tall
    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)
    figure.text(0.1 / size[0], 1 - 0.08 / size[1], title, va="top", weight="bold", size=11)
    figure.text(0.1 / size[0], 1 - 0.3 / size[1], about, va="top", size=8)
    axes = []
    for heading, (row, column) in zip(spots, at, strict=True):
        x, y = column * cell + left, size[1] - top - (row + 1) * tall + bottom
        ax = figure.add_axes((x / size[0], y / size[1], width / size[0], height / size[1]), title=heading)
        ax.grid(alpha=0.25, linewidth=0.5, color=FOREGROUND)
        ax.set_axisbelow(True)
        axes.append(ax)
    return figure, axes


def arranged(spots: Sequence[str], fitting: int) -> list[tuple[int, int]]:
    """(row, column) of each spot: cells beside each other and phases below, or the other way round if that fits better."""
    kinds, phases = ([s.partition(" · ")[i] for s in spots] for i in (0, 2))
    for down, across in ((phases, kinds), (kinds, phases))[::1 if len(set(kinds)) > 1 else -1]:
        rows, columns = list(dict.fromkeys(down)), list(dict.fromkeys(across))
        if len(columns) <= fitting:
            return [(rows.index(d), columns.index(a)) for d, a in zip(down, across, strict=True)]
    return [divmod(i, fitting) for i in range(len(spots))]


def place(e: Entry) -> str:
    threads = f", {e.run.environment['torch_threads']} threads" if e.device == "cpu" else ""
    return f"{e.where}{threads} · {e.dtype} · preset {e.run.preset} · {e.run.started[:10]}"


def margin(names: Iterable[str], width: float, more: int = 0) -> float:
    """Inches that the names at the lines' ends need, with ``more`` letters after each."""
    return 0.1 * width + 0.15 + 0.064 * (more + max(len(brief(n)) for n in names))


def brief(name: str) -> str:
    """A name that leaves room for the plot."""
    return name if len(name) <= 24 else "…" + name[-23:]


def implementations(found: Iterable[Entry]) -> list[str]:
    return list(dict.fromkeys(e.implementation for e in found))


def named(e: Entry, what: str) -> str:
    return f"{e.run.name}-{e.device}-{e.dtype}-{what}"


def panels(found: Iterable[Entry]) -> list[Spot]:
    """A spot for each phase and kind of cell that has a time."""
    groups = grouped(sorted(found, key=lambda e: (e.phase, order(e))), lambda e: f"{e.kind} · {e.phase}")
    return [Spot(heading, es) for heading, es in groups.items() if any(e.median for e in es)]


def look(name: str, names: Iterable[str]) -> dict[str, Any]:
    """Colour, marker and line style of an implementation: always the same for ours, the next ones for strangers."""
    markers = [(m, None) for m in FILLED] + [(m, BACKGROUND) for m in HOLLOW]
    i = KNOWN.index(name) if name in KNOWN else len(KNOWN) + sorted(set(names) - set(KNOWN)).index(name)
    colour, (marker, inside) = COLOURS[i % len(COLOURS)], markers[i % len(markers)]
    return {"color": colour, "marker": marker, "markerfacecolor": inside or colour, "linestyle": STROKES[i % len(STROKES)]}


def curves(ax: "Axes", data: dict[str, Points], x_tick: Callable[[float], str] | None, y_tick: Callable[[float], str],
           label: Callable[[str], str] = brief) -> None:
    """A line for each implementation, with its name at its right end; a tick's text makes its axis logarithmic."""
    for name, (x, y) in data.items():
        ax.plot(x, y, **look(name, data), linewidth=1.3, markersize=4.5)
    if x_tick:
        logarithmic(ax, "x", x_tick)
    logarithmic(ax, "y", y_tick)
    to_axes = ax.transData + ax.transAxes.inverted()
    ends = {name: to_axes.transform(last) for name, (x, y) in data.items() if (last := end(x, y))}
    inches = ax.bbox.height / ax.figure.dpi
    for name, at in spread({n: float(p[1]) for n, p in ends.items()}, 0.135 / inches).items():
        style = look(name, data)
        ax.plot([ends[name][0], 1.07], [ends[name][1], at], transform=ax.transAxes, color=style["color"], linewidth=0.5,
                clip_on=False)
        ax.plot([1.07], [at], transform=ax.transAxes, clip_on=False, **style, markersize=4.5)
        ax.text(1.1, at, label(name), transform=ax.transAxes, va="center", size=7.5)


def end(x: Sequence[float], y: Sequence[float]) -> tuple[float, float] | None:
    """The last point of a line that is a number."""
    return next(((a, b) for a, b in zip(reversed(x), reversed(y), strict=True) if np.isfinite(b)), None)


def spread(heights: dict[str, float], gap: float) -> dict[str, float]:
    """Move labels apart to at least ``gap``, keeping their order, as little as the room between 0 and 1 allows."""
    names = sorted(heights, key=lambda n: heights[n])
    y = [heights[n] for n in names]
    for _ in range(200):
        for i in range(1, len(y)):
            lack = gap - (y[i] - y[i - 1])
            if lack > 1e-6:
                y[i - 1], y[i] = y[i - 1] - lack / 2, y[i] + lack / 2
        over, under = max(0.0, y[-1] - 1) if y else 0, max(0.0, -y[0]) if y else 0
        if y and not (over and under):
            y = [v - over + under for v in y]
    return dict(zip(names, y, strict=True))


def points(found: Iterable[Entry], x: Callable[[Entry], float], y: Callable[[Entry], float | None]) -> dict[str, Points]:
    """Implementation -> x and y of its entries, ascending in x; y is NaN where there is none; no line of NaN alone."""
    made: dict[str, Points] = {}
    for name, es in grouped(found, lambda e: e.implementation).items():
        pairs = sorted(((x(e), math.nan if (v := y(e)) is None else v) for e in es), key=lambda p: p[0])
        if any(math.isfinite(v) for _, v in pairs):
            made[name] = [p[0] for p in pairs], [p[1] for p in pairs]
    return made


def logarithmic(ax: "Axes", which: str, form: Callable[[float], str]) -> None:
    """A logarithmic axis with plain labels: at powers of ten, between them too if there are few, evenly if there is none."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

    axis = getattr(ax, f"{which}axis")
    getattr(ax, f"set_{which}scale")("log")
    low, high = sorted(getattr(ax, f"get_{which}lim")())
    decades = math.log10(high / low)
    between = (1.0,) if decades > 2.5 else (1.0, 3.0) if decades > 1.8 else (1.0, 2.0, 5.0)
    if decades < 0.75:
        axis.set_minor_locator(NullLocator())
    axis.set_major_locator(MaxNLocator(6) if decades < 0.75 else LogLocator(subs=between, numticks=30))
    axis.set_major_formatter(FuncFormatter(lambda v, _: form(v)))
    axis.set_minor_formatter(NullFormatter())


def sized_ticks(ax: "Axes", values: Iterable[int]) -> None:
    """Ticks on a logarithmic axis at the sizes themselves."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    kept: list[int] = []
    for v in values:
        if not kept or v >= 1.6 * kept[-1]:
            kept.append(v)
    ax.xaxis.set_major_locator(FixedLocator(kept))
    ax.xaxis.set_major_formatter(FixedFormatter([str(v) for v in kept]))
    ax.xaxis.set_minor_locator(NullLocator())


def scaled(units: Sequence[tuple[str, float]]) -> Callable[[float], str]:
    """A tick's text in the first unit that is not too large."""
    def form(v: float) -> str:
        unit, factor = next((u for u in units if v * u[1] > 0.999), units[-1])
        return f"{v * factor:g} {unit}"
    return form


TIME = scaled((("s", 1.0), ("ms", 1e3), ("µs", 1e6), ("ns", 1e9)))


def ratio_tick(v: float) -> str:
    return f"{v:g}×"
