"""What is computed from many entries: means of the ratios to torch.nn's layer, the fastest of each device, sweeps along one
size, and fits to them.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .tables import LIBRARY, Entry, Line, Run, Table, grouped, order, parts, times, word

AXES = {"T": "T", "B": "B", "H": "hidden_size"}
SPAN = 8  # a sweep is fitted if its largest size is at least so many times its smallest


class Mean(NamedTuple):
    """The geometric mean of the ratios to torch.nn's layer, over ``n`` of the ``of`` cases which that layer ran."""

    mean: float
    low: float
    high: float
    n: int
    of: int


class Means(NamedTuple):
    """The means of one dtype and device of one file: implementation -> (kind, phase) -> Mean, or why there is none."""

    run: Run
    dtype: str
    device: str
    columns: list[tuple[str, str]]
    lines: dict[str, dict[tuple[str, str], Mean | str]]


class Sweep(NamedTuple):
    """Cases that differ in one axis only: implementation -> its entries, ascending along that axis."""

    axis: str
    fixed: str
    lines: dict[str, list[Entry]]

    def values(self) -> list[int]:
        return sorted({along(e, self.axis) for es in self.lines.values() for e in es})

    def first(self) -> Entry:
        return next(iter(self.lines.values()))[0]


class Fit(NamedTuple):
    """seconds = factor · size^exponent, by least squares in log space; ``off`` is the largest factor between time and fit."""

    entry: Entry
    axis: str
    fixed: str
    points: int
    exponent: float
    factor: float
    off: float


def means(found: Iterable[Entry]) -> list[Means]:
    """Geometric means of the ratio to torch.nn's layer, for each file, device and dtype that has any."""
    made = []
    for group in grouped(sorted(found, key=order), lambda e: (e.run.number, e.device, e.dtype)).values():
        columns = list(dict.fromkeys((e.kind, e.phase) for e in group if e.ratio))
        lines = {name: {c: mean([e for e in es if (e.kind, e.phase) == c], group) for c in columns}
                 for name, es in grouped(group, lambda e: e.implementation).items()}
        if columns:
            made.append(Means(group[0].run, group[0].dtype, group[0].device, columns, lines))
    return made


def mean(own: Sequence[Entry], everybody: Iterable[Entry]) -> Mean | str:
    """One implementation in one cell and phase; ``everybody`` has the rows of torch.nn's layer to count."""
    ratios = [e.ratio for e in own if e.ratio]
    if not ratios:
        return ", ".join(dict.fromkeys(word(e) for e in own if e.status != "ok")) or "–"
    of = sum(e.implementation == LIBRARY and e.ratio is not None and (e.kind, e.phase) == (own[0].kind, own[0].phase)
             for e in everybody)
    return Mean(geometric(ratios), min(ratios), max(ratios), len(ratios), of)


def geometric(values: Iterable[float]) -> float:
    return float(np.exp(np.mean(np.log(list(values)))))


def extremes(m: Mean) -> str:
    return f"{times(m.low)[:-1]} – {times(m.high)[:-1]}"


def covered(m: Mean) -> str:
    """How many cases a mean is over: '8', or '7 of 8'."""
    return str(m.n) if m.n == m.of else f"{m.n} of {m.of}"


def failing(words: str) -> bool:
    """Whether the place of a mean says more than that there is nothing to be had."""
    return words not in ("–", "declined")


def fastest(found: Iterable[Entry]) -> list[Table]:
    """Devices side by side: for each cell, phase and dtype the fastest entry of each, on the cases that two or more ran.

    The preset crossover is left out: its plot says the same of many more cases.
    """
    made, mixed = [], (e for e in found if e.run.preset != "crossover")
    for group in grouped(sorted(mixed, key=lambda e: order(e)[2:]), lambda e: (e.kind, e.phase, e.dtype)).values():
        best = {place: {s: quickest(es) for s, es in grouped(own, lambda e: e.size).items()}
                for place, own in grouped([e for e in group if e.median], lambda e: e.where).items()}
        sizes = [s for s in dict.fromkeys(e.size for e in group) if sum(s in own for own in best.values()) > 1]
        lines = [Line(place, "", None, None, [own.get(s) for s in sizes]) for place, own in best.items()
                 if own.keys() & set(sizes)]
        if sizes:
            made.append(Table(group[0].run, group[0].kind, group[0].phase, group[0].dtype, "fastest of each", sizes, lines))
    return made


def quickest(group: Iterable[Entry]) -> Entry:
    return min(group, key=lambda e: e.median or math.inf)


def along(e: Entry, axis: str) -> int:
    return int(e.case[AXES[axis]])


def held(case: Mapping[str, Any], axis: str) -> list[str]:
    """Everything but one axis, once for each way to see it: where I = H, a sweep over H may hold I, or move it with H."""
    if axis != "H":
        return [" ".join(p for p in parts(case) if not re.fullmatch(rf"{axis}\d+", p))]
    rest = " ".join(p for p in parts(case) if p[0] not in "HI")
    return [f"{rest} I{case['input_size']}"] + [f"{rest} I=H"] * (case["input_size"] == case["hidden_size"])


def sweeps(found: Iterable[Entry], axis: str, enough: Callable[[list[int]], int]) -> list[Sweep]:
    """For each file, device, dtype, cell and phase the sweep along an axis that ``enough`` values most, if above 0."""
    made = []
    for group in grouped(sorted(found, key=order), order).values():
        candidates: dict[str, list[Entry]] = {}
        for e in group:
            for fixed in held(e.case, axis):
                candidates.setdefault(fixed, []).append(e)
        chosen = max((sweep(axis, fixed, es) for fixed, es in candidates.items()), key=lambda s: enough(s.values()))
        if enough(chosen.values()):
            made.append(chosen)
    return made


def sweep(axis: str, fixed: str, group: Sequence[Entry]) -> Sweep:
    return Sweep(axis, fixed, {name: sorted(es, key=lambda e: along(e, axis))
                               for name, es in grouped(group, lambda e: e.implementation).items()})


def wide(values: list[int]) -> int:
    """How good a sweep is for a fit: the number of its sizes, if they are three or more, span enough, and do not look at
    a cliff."""
    return len(values) if len(values) > 2 and values[-1] >= SPAN * values[0] and not neighbours(values) else 0


def neighbours(values: list[int]) -> list[list[int]]:
    """Runs of three or more consecutive integers, as 127, 128, 129."""
    runs: list[list[int]] = []
    for v in values:
        if runs and v == runs[-1][-1] + 1:
            runs[-1].append(v)
        else:
            runs.append([v])
    return [r for r in runs if len(r) > 2]


def fits(found: Sequence[Entry]) -> list[Fit]:
    """The exponent of time along T, B and H, where a file sweeps it widely and an implementation has three times or more."""
    made = (fit(s, es) for axis in AXES for s in sweeps(found, axis, wide) for es in s.lines.values())
    return [f for f in made if f]


def fit(s: Sweep, own: Sequence[Entry]) -> Fit | None:
    timed = [(along(e, s.axis), e.median) for e in own if e.median]
    if not wide([x for x, _ in timed]):
        return None
    x, t = np.log(np.array(timed)).T
    k, c = np.polyfit(x, t, 1)
    off = float(np.exp(np.abs(t - k * x - c).max()))
    return Fit(own[0], s.axis, s.fixed, len(timed), float(k), float(np.exp(c)), off)
