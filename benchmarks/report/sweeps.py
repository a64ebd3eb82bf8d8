"""The plots of what varies one thing at a time: cliffs, layers and directions, scaling, and CPU against CUDA."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .drawing import (
    FOREGROUND,
    TIME,
    Plot,
    Points,
    brief,
    canvas,
    curves,
    implementations,
    margin,
    named,
    panels,
    place,
    points,
    sized_ticks,
)
from .ratios import AXES, Sweep, along, fits, held, neighbours, sweeps, wide
from .tables import LIBRARY, Entry, grouped, order, parts, times

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FASTEST = "the fastest of each"

Times = dict[tuple[int, int], dict[str, float]]  # (B, H) -> device -> seconds


def cliffs(found: Sequence[Entry]) -> Iterator[Plot]:
    """Time per unit of work where H or B passes a size at which kernels change."""
    for axis, name in (("H", "hidden size H"), ("B", "batch size B")):
        found_ = sweeps(found, axis, lambda values: sum(map(len, neighbours(values))))
        timed = [s for s in found_ if any(e.median for es in s.lines.values() for e in es)]
        if timed:
            yield cliff(timed, axis, name)


def cliff(found: Sequence[Sweep], axis: str, name: str) -> Plot:
    e, title = found[0].first(), f"Cliffs along {axis}: time per unit of work"
    most = max(sum(map(len, neighbours(s.values()))) for s in found)
    width = max(2.45, 0.3 * most)
    right = margin((n for s in found for n in s.lines), width)
    figure, axes = canvas([heading(s) for s in found], width, title, place(e), right=right)
    for ax, s in zip(axes, found, strict=True):
        neighbourhoods(ax, s)
        ax.set_xlabel(f"{name} ({s.fixed})")
    return Plot(e.run.name, named(e, f"cliffs-{axis.lower()}"), title, "Median time over floating-point operations, "
                "logarithmic; a level line has no cliff. Neighbouring sizes are joined.", figure)


def neighbourhoods(ax: "Axes", s: Sweep) -> None:
    """Time per unit of work at neighbouring sizes, with a gap between one neighbourhood and the next."""
    runs = neighbours(s.values())
    at = {v: i + 0.7 * r for i, (r, v) in enumerate((r, v) for r, run in enumerate(runs) for v in run)}
    near = [e for es in s.lines.values() for e in es if along(e, s.axis) in at]
    data = points(near, lambda e: at[along(e, s.axis)], per_work)
    curves(ax, {name: broken(*line) for name, line in data.items()}, None, plain_number)
    ax.set_xticks(list(at.values()), [str(v) for v in at], size=6.5)
    ax.set_ylabel("ps per FLOP")


def broken(x: list[float], y: list[float]) -> Points:
    """A line with a gap wherever x jumps by more than 1."""
    for i in reversed([i for i in range(1, len(x)) if x[i] - x[i - 1] > 1.01]):
        x, y = [*x[:i], x[i], *x[i:]], [*y[:i], math.nan, *y[i:]]
    return x, y


def heading(s: Sweep) -> str:
    return f"{s.first().kind} · {s.first().phase}"


def structure(found: Sequence[Entry]) -> Plot | None:
    """Time per unit of work by number of layers and directions."""
    made = {}
    for spot in panels(found):
        rest = grouped(spot.entries, lambda e: " ".join(p for p in parts(e.case) if p != "bi" and p[0] != "L"))
        fixed, own = max(rest.items(), key=lambda item: len(set(map(shape, item[1]))))
        if len(set(map(shape, own))) > 1:
            made[spot.heading] = fixed, own
    if not made:
        return None
    e, title = next(iter(made.values()))[1][0], "Layers and directions: time per unit of work"
    figure, axes = canvas(list(made), 2.45, title, place(e), right=margin(implementations(found), 2.45))
    for ax, (fixed, own) in zip(axes, made.values(), strict=True):
        shapes(ax, own)
        ax.set_xlabel(fixed)
    return Plot(e.run.name, named(e, "layers"), title, "Median time over floating-point operations, logarithmic.", figure)


def shapes(ax: "Axes", found: Sequence[Entry]) -> None:
    """Time per unit of work at each number of layers and directions."""
    there = sorted(set(map(shape, found)))
    curves(ax, points(found, lambda e: there.index(shape(e)), per_work), None, plain_number)
    ax.set_xticks(range(len(there)), [f"{n} layer{'s' * (n > 1)}" + "\nboth ways" * both for n, both in there], size=6.5)
    ax.set_ylabel("ps per FLOP")


def shape(e: Entry) -> tuple[int, bool]:
    return int(e.case["num_layers"]), bool(e.case["bidirectional"])


def per_work(e: Entry) -> float | None:
    """Picoseconds per floating-point operation."""
    return None if e.median is None or not e.flops else 1e12 * e.median / e.flops


def plain_number(v: float) -> str:
    return f"{v:g}"


def scaling(found: Sequence[Entry]) -> Iterator[Plot]:
    """Time along T, B and H, with the fitted exponents."""
    exponents = {(f.axis, f.entry.kind, f.entry.phase, f.entry.implementation): f.exponent for f in fits(found)}
    for axis in AXES:
        made = [s for s in sweeps(found, axis, wide) if any(e.median for es in s.lines.values() for e in es)]
        if not made:
            continue
        e, title = made[0].first(), f"Scaling along {axis}: time ~ {axis}^k"
        figure, axes = canvas([heading(s) for s in made], 2.45, title, place(e),
                              right=margin((n for s in made for n in s.lines), 2.45, len("  k = 0.00")))
        for ax, s in zip(axes, made, strict=True):
            sizes_and_times(ax, s, {n: exponents.get((axis, s.first().kind, s.first().phase, n)) for n in s.lines})
            ax.set_xlabel(f"{axis} ({s.fixed})")
        yield Plot(e.run.name, named(e, f"scaling-{axis.lower()}"), title, "Median time, both axes logarithmic; k by least "
                   "squares over all sizes shown.", figure)


def sizes_and_times(ax: "Axes", s: Sweep, exponents: dict[str, float | None]) -> None:
    data = points([e for es in s.lines.values() for e in es], lambda e: along(e, s.axis), lambda e: e.median)
    curves(ax, data, plain_number, TIME, lambda n: brief(n) + ("" if exponents[n] is None else f"  k = {exponents[n]:.2f}"))
    sized_ticks(ax, s.values())


class Map(NamedTuple):
    """CPU against CUDA: what is held, the times, and an entry of the device that is not the CPU."""

    fixed: str
    at: Times
    cuda: Entry

    def sides(self) -> tuple[list[int], list[int]]:
        """Every B, every H."""
        return sorted({b for b, _ in self.at}), sorted({h for _, h in self.at})


def crossovers(found: Iterable[Entry]) -> Iterator[Plot]:
    """CPU against CUDA over B and H, where one machine measured both in one preset."""
    machines = grouped(sorted(found, key=order), lambda e: (
        e.run.preset, e.run.machine["processor"], e.run.where("cuda"), e.dtype, e.phase))
    for group in machines.values():
        maps = {}
        for way in (FASTEST, LIBRARY):
            for kind, own in grouped(group, lambda e: e.kind).items():
                if made := crossover_map([e for e in own if way in (e.implementation, FASTEST)]):
                    maps[f"{kind} · {way}"] = made
        if maps:
            yield crossover(maps)


def crossover_map(found: Sequence[Entry]) -> Map | None:
    """The largest map that has two B and two H timed on both devices, and half of all its squares, if there is one."""
    groups: dict[str, list[Entry]] = {}
    for e in found:
        for fixed in held(e.case, "H"):
            groups.setdefault(re.sub(r"\bB\d+ ", "", fixed), []).append(e)
    maps = []
    for fixed, group in groups.items():
        at = least(group)
        both = [place for place, cell in at.items() if len(cell) > 1]
        bs, hs = ({p[i] for p in both} for i in (0, 1))
        if min(len(bs), len(hs)) > 1 and len(both) >= max(4, len(bs) * len(hs) / 2):
            maps.append(Map(fixed, at, next(e for e in group if e.device == "cuda")))
    return max(maps, key=lambda m: len(m.at), default=None)


def least(group: Iterable[Entry]) -> Times:
    """(B, H) -> device -> its least median."""
    at: Times = {}
    for e in group:
        if e.median:
            cell = at.setdefault((along(e, "B"), along(e, "H")), {})
            cell[e.device] = min(e.median, cell.get(e.device, math.inf))
    return at


def crossover(maps: dict[str, Map]) -> Plot:
    e = next(iter(maps.values())).cuda
    title, about = f"CPU or CUDA: {e.phase}", f"CPU: {e.run.where('cpu')}; CUDA: {place(e)}"
    tall, across = (max(len(m.sides()[i]) for m in maps.values()) for i in (0, 1))
    figure, axes = canvas(list(maps), max(2.45, 0.55 * across), title, about, right=0.3, height=max(1.2, 0.42 * tall))
    for ax, made in zip(axes, maps.values(), strict=True):
        chart(ax, made)
        ax.set_xlabel(f"hidden size H ({made.fixed})")
        ax.set_ylabel("batch size B")
    return Plot(e.run.name, named(e, f"crossover-{e.phase}"), title, "Each square names the faster device and by what "
                "factor. The heavy line is the crossover.", figure)


def chart(ax: "Axes", made: Map) -> None:
    """The map itself: a square for each B and H, and a line between squares with different winners."""
    bs, hs = made.sides()
    gain = np.full((len(bs), len(hs)), math.nan)
    for (b, h), cell in made.at.items():
        if len(cell) > 1:
            gain[bs.index(b), hs.index(h)] = math.log2(cell["cpu"] / cell["cuda"])
    reach = max(1.0, float(np.nanmax(np.abs(gain))))
    x_edges, y_edges = (np.arange(len(sizes) + 1) - 0.5 for sizes in (hs, bs))
    ax.pcolormesh(x_edges, y_edges, gain, cmap="PuOr", vmin=-reach, vmax=reach, linewidth=0)
    for i, j in np.ndindex(*gain.shape):
        g = float(gain[i, j])
        ax.text(j, i, square(g, made.at.get((bs[i], hs[j]), {})), ha="center", va="center", size=6.5, color=ink(g / reach))
        for di, dj, x, y in ((0, 1, [j + 0.5] * 2, [i - 0.5, i + 0.5]), (1, 0, [j - 0.5, j + 0.5], [i + 0.5] * 2)):
            if i + di < len(bs) and j + dj < len(hs) and gain[i + di, j + dj] * g < 0:
                ax.plot(x, y, color="#000000", linewidth=2.5)
    ax.set_xticks(range(len(hs)), [str(h) for h in hs])
    ax.set_yticks(range(len(bs)), [str(b) for b in bs])
    ax.grid(False)


def square(gain: float, cell: dict[str, float]) -> str:
    """The faster device and by what factor, or which device alone has a time."""
    if math.isfinite(gain):
        return f"{'CUDA' if gain > 0 else 'CPU'}\n{times(2 ** abs(gain))}"
    return "\n".join(["only", *(d.upper() for d in cell)]) if cell else "–"


def ink(gain: float) -> str:
    """A colour that can be read on the map's colour for a gain from -1 to 1; the page's own where there is none."""
    return FOREGROUND if math.isnan(gain) else "#ffffff" if abs(gain) > 0.62 else "#000000"
