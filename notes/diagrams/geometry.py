"""Points, the shapes that arrows join, and the paths between them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

Point = tuple[float, float]


class Shape(NamedTuple):
    """A box or a node, by its middle."""

    x: float
    y: float
    width: float
    height: float
    round: bool = False

    def edge(self, toward: Point, beside: float = 0) -> Point:
        """Where a line from ``toward`` that runs level or upright ends; ``beside`` is how far off the middle of a node."""
        x, y = toward
        far = (self.width**2 / 4 - beside**2) ** 0.5 if self.round else 0
        if abs(x - self.x) <= self.width / 2:
            reach = far or self.height / 2
            return x, self.y + (reach if y > self.y else -reach)
        reach = far or self.width / 2
        return self.x + (reach if x > self.x else -reach), y


def between(a: Shape, b: Shape, via: Sequence[Point], beside: float = 0) -> list[Point]:
    """From the edge of a to that of b; without ``via`` in one line through the middle of the smaller."""
    if via:
        return [a.edge(via[0], beside), *via, b.edge(via[-1], beside)]
    level = abs(a.x - b.x) > (a.width + b.width) / 2
    small = min(a, b, key=lambda shape: shape.height if level else shape.width)
    ends = ((a.x, small.y), (b.x, small.y)) if level else ((small.x, a.y), (small.x, b.y))
    return [a.edge(ends[1], beside), b.edge(ends[0], beside)]


def lane(points: Sequence[Point], left: float) -> list[Point]:
    """The same level and upright path, ``left`` to the left of it."""
    normals = [towards((0, 0), (v - y, x - u), left) for (x, y), (u, v) in pairwise(points)]
    around = zip([normals[0], *normals], [*normals, normals[-1]], strict=True)
    return [
        (x + p[0] + (q[0] if q != p else 0), y + p[1] + (q[1] if q != p else 0))
        for (x, y), (p, q) in zip(points, around, strict=True)
    ]


def far(start: Point, end: Point) -> float:
    return ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5


def towards(start: Point, end: Point, length: float) -> Point:
    """The point on the way from start to end that lies ``length`` from start."""
    part = length / far(start, end)
    return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part


def rounded(points: Sequence[Point], radius: float) -> str:
    """The path through the points, with corners of at most this radius."""
    if not radius:
        return "M" + "L".join("{:.4g} {:.4g}".format(*point) for point in points)
    path = ["M{:.4g} {:.4g}".format(*points[0])]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        r = min(radius, far(before, corner) / 2, far(corner, after) / 2)
        path.append("L{:.4g} {:.4g}".format(*towards(corner, before, r)))
        path.append("Q{:.4g} {:.4g} {:.4g} {:.4g}".format(*corner, *towards(corner, after, r)))
    return "".join([*path, "L{:.4g} {:.4g}".format(*points[-1])])


def tip(at: Point, before: Point) -> str:
    """A triangle with its point at ``at``, that comes from ``before``."""
    x, y = towards(at, before, 9)
    u, v = (x - at[0]) * 0.45, (y - at[1]) * 0.45
    return f"M{at[0]:.4g} {at[1]:.4g}L{x - v:.4g} {y + u:.4g}L{x + v:.4g} {y - u:.4g}Z"
