"""A canvas for the notes' diagrams: boxes, nodes, arrows, and text that stays text, with the colours of palette.py.

Coordinates are pixels at full size.  Nothing has an id and every rule of style begins with ``svg.diagram``, so that several
diagrams can stand in one page.  A name is written as in the code: ``W_ih``, ``h_{t+1}``, ``h⁺``.
"""

import re
from html import escape

from .. import labels
from . import palette
from .geometry import Point, Shape, between, lane, rounded, tip, towards
from .words import CHINESE

STYLE = """\
svg.diagram text { font: italic 16px ui-serif, Georgia, "Times New Roman", "DejaVu Serif", serif; }
svg.diagram text { text-anchor: middle; fill: var(--ink); }
svg.diagram .sub { font-size: 12px; font-style: normal; }
svg.diagram .upright { font-style: normal; }
svg.diagram .words { font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; }
svg.diagram .head { font-weight: 600; }
svg.diagram .label { font: 13px ui-monospace, Menlo, Consolas, monospace; }
svg.diagram .label a { fill: var(--accent); }
svg.diagram .label a.gradient { fill: var(--large); }
svg.diagram .label a:hover { text-decoration: underline; }
svg.diagram .start { text-anchor: start; }
svg.diagram .end { text-anchor: end; }
svg.diagram text.faint { fill: var(--quiet); }
svg.diagram .ground { fill: var(--card); }
svg.diagram .shape { fill: var(--card); stroke: var(--quiet); stroke-width: 1.4; }
svg.diagram .shape.soft { fill: var(--hold); stroke: none; }
svg.diagram .shape.lit { fill: var(--lit); stroke: none; }
svg.diagram .shape.frame { fill: none; stroke: var(--line); }
svg.diagram .shape.bar { fill: var(--blue); stroke: none; }
svg.diagram .shape.out { fill: none; stroke: var(--quiet); stroke-dasharray: 2 3; }
svg.diagram .dotted { stroke-dasharray: 2 3; }
svg.diagram .path { fill: none; stroke: var(--quiet); stroke-width: 1.6; }
svg.diagram .tip { fill: var(--quiet); }
svg.diagram .path.thin { stroke-width: 1.2; }
svg.diagram .path.road { stroke-width: 3.2; }
svg.diagram .path.gradient { stroke: var(--large); stroke-dasharray: 5 3; }
svg.diagram .tip.gradient, svg.diagram text.gradient { fill: var(--large); }
"""
for _name in ("blue", "green", "purple", "orange"):
    STYLE += f"svg.diagram .shape.{_name}, svg.diagram .path.{_name} {{ stroke: var(--{_name}); }}\n"
    STYLE += f"svg.diagram text.{_name}, svg.diagram .tip.{_name} {{ fill: var(--{_name}); }}\n"
LANE = 6  # of an arrow forward from the middle, and of the gradient on the other side


class Canvas:
    """One diagram in one language; ``str`` is the file.

    note: whose labels ``label`` links to their lines of code.
    """

    def __init__(self, width: float, height: float, title: str, *, chinese: bool = False, note: str = ""):
        self.size, self.chinese, self.note = (width, height), chinese, note
        self.title, self.role = self.said(title), "img"
        self.parts: list[str] = []

    def said(self, text: str) -> str:
        """English words in the language of the diagram; a number is one in both."""
        return CHINESE[text] if self.chinese and not text.isdecimal() else text

    def box(self, x: float, y: float, width: float, height: float, text: str = "", kind: str = "", radius: float = 8) -> Shape:
        """A box around (x, y), and a name in it."""
        at = f'x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width:g}" height="{height:g}" rx="{radius:g}"'
        self.parts.append(f'<rect class="{_classes("shape", kind)}" {at}/>')
        self.name(x, y, text, kind)
        return Shape(x, y, width, height)

    def node(self, x: float, y: float, text: str = "", kind: str = "", radius: float = 17) -> Shape:
        self.parts.append(f'<circle class="{_classes("shape", kind)}" cx="{x:g}" cy="{y:g}" r="{radius:g}"/>')
        self.name(x, y, text, kind)
        return Shape(x, y, 2 * radius, 2 * radius, round=True)

    def arrow(self, *points: Point, kind: str = "", tipped: bool = True, radius: float = 10) -> None:
        """A line through the points, its corners rounded, with a tip at the last."""
        end = towards(points[-1], points[-2], 7) if tipped else points[-1]
        self.parts.append(f'<path class="{_classes("path", kind)}" d="{rounded([*points[:-1], end], radius)}"/>')
        if tipped:
            self.parts.append(f'<path class="{_classes("tip", kind)}" d="{tip(points[-1], points[-2])}"/>')

    def flow(self, a: Shape, b: Shape, *via: Point, kind: str = "") -> None:
        """An arrow from a to b, and beside it the gradient's from b to a."""
        points = between(a, b, via, LANE)
        self.arrow(*lane(points, LANE), kind=kind)
        self.arrow(*reversed(lane(points, -LANE)), kind="gradient")

    def name(self, x: float, y: float, text: str, kind: str = "") -> None:
        """A name of the code in italics, its middle at y; what follows _ is lowered."""
        if text:
            self.parts.append(f'<text{_class(kind)} x="{x:g}" y="{y + 5:g}">{_lowered(text)}</text>')

    def words(self, x: float, y: float, text: str, kind: str = "") -> None:
        """English, which the diagram says in its language."""
        classes, language = _classes("words", kind), ' lang="zh-Hans"' if self.chinese else ""
        said = escape(self.said(text), quote=False)
        self.parts.append(f'<text class="{classes}"{language} x="{x:g}" y="{y + 5:g}">{said}</text>')

    def label(self, x: float, y: float, text: str, kind: str = "") -> None:
        """Labels of equations, each a link to the first line of code that carries it."""
        up, lines = "../" * (4 if self.chinese else 3), labels.carried(self.note)
        linked = (
            f'<a{_class("gradient" * one.endswith("*"))} href="{up}{lines[one].file}#L{lines[one].number}">{one}</a>'
            for one in text.split()
        )
        self.parts.append(f'<text class="{_classes("label", kind)}" x="{x:g}" y="{y + 5:g}">{" ".join(linked)}</text>')
        self.role = "group"  # what is in an image cannot be reached by everybody, and a link must be

    def __str__(self) -> str:
        width, height = self.size
        return "\n".join(
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" class="figure diagram" role="{self.role}"'
                f' width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">',
                f"<title>{escape(self.title, quote=False)}</title>",
                f"<style>\n{palette.style('svg.figure')}{STYLE}</style>",
                f'<rect class="ground" width="{width:g}" height="{height:g}" rx="10"/>',
                *self.parts,
                "</svg>\n",
            )
        )


def _classes(*names: str) -> str:
    return " ".join(name for name in names if name)


def _class(names: str) -> str:
    return f' class="{names}"' if names else ""


def _lowered(text: str) -> str:
    """``h_{t+1}`` as tspans.  The one after a lowered one goes up again."""
    found, down = "", False
    for k, part in enumerate(re.split(r"_(\{[^}]*\}|[A-Za-z0-9]+)", text)):
        if k % 2:
            found, down = f'{found}<tspan class="sub" dy="4">{escape(part.strip("{}"))}</tspan>', True
        elif part:
            found, down = found + (f'<tspan dy="-4">{escape(part)}</tspan>' if down else escape(part)), False
    return found
