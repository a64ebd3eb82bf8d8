"""What plots are drawn with, here and in the notes: colours, markers, line styles, and figures as files.

Colours are Okabe and Ito's, darker where they would be pale on white; markers and line styles differ as well, so that black
and white will do.  FOREGROUND and BACKGROUND are colours that nothing else has: in a page they become the page's own.  Text
stays text.  Matplotlib is loaded only when something is drawn.
"""

import io
import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from .frame import LIBRARY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOREIGN = r"<!--.*?-->|<metadata>.*?</metadata>| xmlns(:\w+)?=\"[^\"]*\""  # in matplotlib's SVG: what a page has no use for
FOREGROUND, BACKGROUND = "#010203", "#fefdfc"
COLOURS = (FOREGROUND, "#0072b2", "#d55e00", "#009e73", "#b0568a", "#b97c00", "#3b93c4")
WIDTH = 4.6  # inches of a figure, so that a phone shows its letters large enough
FILLED, HOLLOW = "osD^vX", "os^vD*p"
STROKES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))
KNOWN = (
    *(LIBRARY, "numpy.fast", "numpy", "torch.native", "numba", "torch.loop"),
    *("torch.hoisted", "torch.compiled", "torch.cell", "torch.bptt", "torch.graphed", "jax.scan", "onnxruntime"),
)
COLOURED = ("text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color", "hatch.color")
STYLE: dict[Any, Any] = {
    "font.size": 8.5,
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    **dict.fromkeys(("axes.spines.top", "axes.spines.right", "text.parse_math"), False),
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "svg.fonttype": "none",
    **dict.fromkeys(("axes.linewidth", "xtick.major.width", "ytick.major.width"), 0.7),
    "hatch.linewidth": 0.6,
    **dict.fromkeys(COLOURED, FOREGROUND),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), BACKGROUND),
}


class Plot(NamedTuple):
    """A figure: the file that it belongs to, a name for its own file, and what it shows."""

    run: str
    name: str
    title: str
    caption: str
    figure: "Figure"

    def save(self, form: str) -> bytes:
        """The figure as "png" or "svg", the same bytes for the same data."""
        return compact(self._drawn("svg").decode()).encode() if form == "svg" else self._drawn(form)

    def _drawn(self, form: str) -> bytes:
        import matplotlib

        target = io.BytesIO()
        metadata: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type") if form == "svg" else ("Software",))
        with matplotlib.rc_context({**STYLE, "svg.hashsalt": self.name}):
            self.figure.savefig(target, format=form, dpi=150, metadata=metadata)
        return target.getvalue()

    def inline(self) -> str:
        """The figure as an <svg> element for a page: its own element names, the page's colours, nothing from outside."""
        text = self._drawn("svg").decode()
        text = re.sub(FOREIGN, "", text[text.index("<svg") :], flags=re.S)
        text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{self.name}-", text)
        text = text.replace(FOREGROUND, "currentColor").replace(BACKGROUND, "none")
        opening = f'<svg role="img" style="max-width: {self.figure.get_figwidth():.1f}in"'
        return re.sub(r'<svg width="[^"]*" height="[^"]*"', opening, text, count=1)


def compact(svg: str) -> str:
    """The same picture in fewer letters: every style once, as a class, and a hundredth of a point is enough."""
    svg = re.sub(r"(\d\.\d\d)\d+", r"\1", re.sub(r"\n +", "\n", svg))
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)
    rules: list[str] = []
    for style, count in Counter(re.findall(r' style="([^"]*)"', svg)).items():
        if count > 1:
            rules.append(f".s{len(rules)}{{{style}}}")
            svg = svg.replace(f' style="{style}"', f' class="s{len(rules) - 1}"')
    return svg.replace("</style>", "\n".join(["", *rules, "</style>"]), 1)


def look(name: str, names: Iterable[str]) -> dict[str, Any]:
    """Colour, marker and line style of an implementation: always the same for ours, the next ones for strangers."""
    markers = [(m, None) for m in FILLED] + [(m, BACKGROUND) for m in HOLLOW]
    i = KNOWN.index(name) if name in KNOWN else len(KNOWN) + sorted(set(names) - set(KNOWN)).index(name)
    colour, (marker, inside) = COLOURS[i % len(COLOURS)], markers[i % len(markers)]
    return {"color": colour, "marker": marker, "markerfacecolor": inside or colour, "linestyle": STROKES[i % len(STROKES)]}
