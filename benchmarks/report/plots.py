"""The plots of a report, only those that the data allows: here time, ratio to torch.nn's layer, packed over padded, and the
forward's share; those that vary one size at a time are in ``sweeps``.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .drawing import (
    FOREGROUND,
    STYLE,
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
    ratio_tick,
    scaled,
)
from .sweeps import cliffs, crossovers, scaling, structure
from .tables import LIBRARY, Entry, grouped, order, parts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SWEPT = ("cliffs", "scaling", "crossover")  # presets that vary one thing at a time have plots of their own
MISSING = "plots need matplotlib, which is not installed: pip install 'bptt[bench]'"
WORK = scaled((("T", 1e-12), ("G", 1e-9), ("M", 1e-6), ("k", 1e-3)))


class NoPlotsError(Exception):
    """Matplotlib is not installed."""


def draw(found: Sequence[Entry]) -> Iterator[Plot]:
    """Every plot that the entries allow, file by file.

    Raises
    ------
    NoPlotsError
        Matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as e:
        raise NoPlotsError(MISSING) from e
    with matplotlib.rc_context(STYLE):
        for group in grouped(found, lambda e: (e.run.number, e.device, e.dtype)).values():
            mixed = [e for e in group if e.run.preset not in SWEPT]
            yield from filter(None, (against_work(mixed), against_library(mixed), *cliffs(group), structure(group),
                                     packed(group), *scaling(group), share(mixed)))
        yield from crossovers(found)


def against_work(found: Sequence[Entry]) -> Plot | None:
    """Time against the work of the case, both logarithmic."""
    spots = [s for s in panels(found) if len({e.flops for e in s.entries if e.median}) > 1]
    if not spots:
        return None
    e, title = spots[0].entries[0], "Time against size"
    figure, axes = canvas([s.heading for s in spots], 2.45, title, place(e), right=margin(implementations(found), 2.45))
    peak = e.run.limits.get(e.device, {}).get("gemm_gflops", {}).get(e.dtype)
    for ax, spot in zip(axes, spots, strict=True):
        alone, together = (points([e for e in spot.entries if (e.case["B"] == 1) == one], lambda e: e.flops,
                                  lambda e: e.median) for one in (True, False))
        curves(ax, joined(alone, together), WORK, TIME)
        if peak:
            rate_line(ax, peak * 1e9)
        ax.set_xlabel("work of the case, FLOP")
    return Plot(e.run.name, named(e, "time"), title, "Median time against the floating-point operations of the case, both "
                "logarithmic. Lines join the cases with B = 1, and those with more. The line without markers is the time at "
                "this machine's own measured GEMM rate.", figure)


def joined(first: dict[str, Points], then: dict[str, Points]) -> dict[str, Points]:
    """Two lines as one with a gap, for every implementation in either."""
    made = {}
    for name in {**first, **then}:
        (x, y), (x2, y2) = first.get(name, ([], [])), then.get(name, ([], []))
        made[name] = [*x, *x2[:1], *x2], [*y, *[math.nan for _ in x2[:1]], *y2]
    return made


def rate_line(ax: "Axes", flops_per_s: float) -> None:
    """The time at a rate, within what the axes show."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    x = np.array([max(left, low * flops_per_s), min(right, high * flops_per_s)])
    ax.plot(x, x / flops_per_s, color=FOREGROUND, linewidth=0.8, alpha=0.6)
    middle = float(np.sqrt(x[0] * x[1]))
    ax.annotate("GEMM rate", (middle, middle / flops_per_s), (5, -2), textcoords="offset points", size=6.5, va="top")
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)


def against_library(found: Sequence[Entry]) -> Plot | None:
    """The ratio to torch.nn's layer, case by case."""
    spots = panels([e for e in found if e.ratio])
    if not spots:
        return None
    e, title = spots[0].entries[0], f"Time over that of {LIBRARY}"
    most = max(len(cases(s.entries)) for s in spots)
    deep = max(len(parts(e.case)) for s in spots for e in s.entries)
    width = max(2.45, 0.35 * most)
    figure, axes = canvas([s.heading for s in spots], width, title, place(e), right=margin(implementations(found), width),
                          bottom=0.2 + 0.13 * deep)
    for ax, spot in zip(axes, spots, strict=True):
        ratios(ax, spot.entries)
    return Plot(e.run.name, named(e, "ratio"), title, f"Median over the median of {LIBRARY} in the same case, phase and "
                "file; below 1 is faster. Cases by ascending work.", figure)


def ratios(ax: "Axes", found: Sequence[Entry]) -> None:
    sizes = cases(found)
    ax.axhline(1, color=FOREGROUND, linewidth=0.8)
    curves(ax, points(found, lambda e: sizes.index(e.size), lambda e: e.ratio), None, ratio_tick)
    ax.set_xticks(range(len(sizes)), [s.replace(" ", "\n") for s in sizes], size=6.5)


def cases(found: Iterable[Entry]) -> list[str]:
    """The sizes, by ascending work."""
    return list(dict.fromkeys(e.size for e in sorted(found, key=lambda e: e.flops)))


def packed(found: Sequence[Entry]) -> Plot | None:
    """Packed sequences against the padded batch, by fill rate."""
    made = {}
    for spot in panels(found):
        rest = grouped(spot.entries, lambda e: " ".join(p for p in parts(e.case) if not p.startswith("fill")))
        fixed, own = max(rest.items(), key=lambda item: len({e.case["fill"] for e in item[1] if e.median}))
        data = packed_over_padded(own)
        if data:
            made[spot.heading] = fixed, own, data
    if not made:
        return None
    e, title = next(iter(made.values()))[1][0], "Packed over padded, by fill rate"
    figure, axes = canvas(list(made), 2.45, title, place(e), right=margin(implementations(found), 2.45))
    for ax, (fixed, _, data) in zip(axes, made.values(), strict=True):
        fills = np.array(sorted({x for xs, _ in data.values() for x in xs}))
        ax.axhline(1, color=FOREGROUND, linewidth=0.8)
        left = np.linspace(fills[0], fills[-1], 50)
        ax.plot(left, left / 100, color=FOREGROUND, linewidth=0.8, alpha=0.6)
        ax.annotate("work left", (left[12], left[12] / 100), (5, -2), textcoords="offset points", size=6.5, va="top")
        curves(ax, data, None, ratio_tick)
        ax.set_xticks(fills, [f"{f:.3g}" for f in fills])
        ax.set_xlabel(f"mean length over T, % ({fixed})")
    return Plot(e.run.name, named(e, "packed"), title, "Median of the packed batch over that of the padded one. Below 1 "
                "packing pays; on the line without markers it saves all the work that it can.", figure)


def packed_over_padded(found: Sequence[Entry]) -> dict[str, Points]:
    """Implementation -> fill rates in percent, and the time packed over the time padded."""
    padded = {e.implementation: e.median for e in found if e.case["fill"] is None and e.median}
    return points([e for e in found if e.case["fill"] is not None and e.implementation in padded],
                  lambda e: 100 * e.case["fill"], lambda e: e.median / padded[e.implementation] if e.median else None)


def share(found: Sequence[Entry]) -> Plot | None:
    """What part of a training step is its forward."""
    made: dict[str, dict[str, list[float]]] = {}
    first = None
    for (kind, name), group in grouped(sorted(found, key=order), lambda e: (e.kind, e.implementation)).items():
        forward = {e.size: e.median for e in group if e.phase == "forward" and e.median}
        shares = [forward[e.size] / e.median for e in group if e.phase == "train" and e.median and e.size in forward]
        if shares:
            made.setdefault(kind, {})[name] = shares
            first = first or group[0]
    if first is None:
        return None
    title = "Forward and backward in a training step"
    most = max(map(len, made.values()))
    figure, axes = canvas(list(made), 2.6, title, place(first), right=0.35, height=0.3 + 0.24 * most,
                          left=0.2 + 0.075 * max(len(brief(n)) for by_name in made.values() for n in by_name))
    for ax, by_name in zip(axes, made.values(), strict=True):
        bars(ax, by_name)
    return Plot(first.run.name, named(first, "share"), title, "Backward = train - forward. The forward measured alone is "
                "inference, which keeps nothing for the backward, so backward includes what keeping costs. Bars: the median "
                "over the cases; dots: the cases.", figure)


def bars(ax: "Axes", by_name: dict[str, list[float]]) -> None:
    """A bar for each implementation, split into forward and backward."""
    for i, shares in enumerate(by_name.values()):
        middle = min(float(np.median(shares)), 1.0)
        ax.barh(i, middle, color="#56b4e9", edgecolor=FOREGROUND, linewidth=0.6)
        ax.barh(i, 1 - middle, left=middle, color="#e69f00", edgecolor=FOREGROUND, linewidth=0.6, hatch="///")
        ax.plot(shares, np.full(len(shares), i), "o", color="#000000", markersize=2.5, clip_on=False)
        for x, side, part, of in ((0.02, "left", "forward ", middle), (0.98, "right", "backward ", 1 - middle)):
            text = f"{part * (i == 0)}{100 * of:.0f}%"
            ax.text(x, i, text, ha=side, va="center", size=7, color="#000000",
                    bbox={"facecolor": "#ffffff", "alpha": 0.8, "edgecolor": "none", "pad": 0.8})
    ax.set_yticks(range(len(by_name)), [brief(n) for n in by_name])
    ax.set_ylim(len(by_name) - 0.45, -0.55)
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    ax.set_xlabel("share of the time of train")
    ax.grid(False)
