"""What the rows of two implementations say of each other."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..report.frame import kind_of, parts, word
from ..run.clock import three
from ..run.results import Row
from .interval import LEVEL, Ratio, ratio, rounds


class CaseOf(NamedTuple):
    """One case in one phase, in which both have a time."""

    group: str  # cell and phase
    size: str
    ratio: Ratio
    own: Row
    other: Row
    logs: np.ndarray  # of the rounds


class Group(NamedTuple):
    """All cases of a cell and phase."""

    name: str
    ratio: Ratio | None  # None: nothing could be compared
    cases: tuple[CaseOf, ...]
    missing: str = ""  # why a case has none

    @property
    def text(self) -> str:
        """'0.85× [0.83 – 0.88]  faster  (3 sizes: 0.70 – 1.02)'; or why there is none."""
        if self.ratio is None:
            return self.missing
        values = [case.ratio.value for case in self.cases]
        sizes = "1 size" if len(values) == 1 else f"{len(values)} sizes: {three(min(values))} – {three(max(values))}"
        return f"{between(self.ratio)}  {self.ratio.verdict}  ({sizes})" + (f"; {self.missing}" if self.missing else "")


class Comparison(NamedTuple):
    """One implementation against another."""

    own: str
    other: str
    groups: tuple[Group, ...]

    @property
    def cases(self) -> list[CaseOf]:
        return [case for group in self.groups for case in group.cases]

    @property
    def parity(self) -> float:
        """The worst error over allowed, of both."""
        known = [row["parity"] for case in self.cases for row in (case.own, case.other) if row["parity"] is not None]
        return max(known, default=math.nan)

    def as_json(self) -> dict[str, Any]:
        """What is computed, as data; ratios and intervals, and of each case both medians."""
        method = "geometric mean over rounds of the ratio of medians; bootstrap of rounds, turns of a round together"
        groups = [{"name": g.name, "ratio": numbers(g.ratio), "cases": len(g.cases), "missing": g.missing} for g in self.groups]
        cases = [
            {"case": c.own["case"], "phase": c.own["phase"], "ratio": numbers(c.ratio)}
            | {
                k: {"median_s": row["seconds"]["median"], "parity": row["parity"]}
                for k, row in (("own", c.own), ("other", c.other))
            }
            for c in self.cases
        ]
        names = {"implementation": self.own, "against": self.other}
        return names | {"level": LEVEL, "method": method, "groups": groups, "cases": cases}


def compared(rows: Sequence[Row], own: str, other: str) -> Comparison:
    """By cell and phase, in the order in which they come."""
    pairs: dict[tuple[str, str, str], dict[str, Row]] = {}
    for row in rows:
        key = kind_of(row["case"]), row["phase"], " ".join(parts(row["case"]))
        pairs.setdefault(key, {})[row["implementation"]] = row
    names = dict.fromkeys(f"{kind}, {phase}" for kind, phase, _ in pairs)
    groups = []
    for name in names:
        inside = {size: both for (kind, phase, size), both in pairs.items() if f"{kind}, {phase}" == name}
        cases = tuple(case_of(name, size, both[own], both[other]) for size, both in inside.items() if timed(both, own, other))
        without = [both for both in inside.values() if not timed(both, own, other)]
        missing = dict.fromkeys(reason(row) for both in without for row in both.values() if row["status"] != "ok")
        groups.append(Group(name, ratio([c.logs for c in cases]) if cases else None, cases, "; ".join(missing)))
    return Comparison(own, other, tuple(groups))


def timed(both: dict[str, Row], own: str, other: str) -> bool:
    return all(who in both and both[who]["status"] == "ok" and both[who]["seconds"] for who in (own, other))


def case_of(group: str, size: str, own: Row, other: Row) -> CaseOf:
    logs = rounds(own["seconds"]["samples"], other["seconds"]["samples"], own["rounds"], other["rounds"])
    return CaseOf(group, size, ratio([logs]), own, other, logs)


def reason(row: Row) -> str:
    """'my_lib.adapter declined: only LSTM', '✗ WRONG ...'"""
    return f"{row['implementation']} {word(row['status'])}: {row['reason']}"


def between(of: Ratio) -> str:
    """'0.85× [0.83 – 0.88]'"""
    high = "∞" if math.isinf(of.high) else three(of.high)
    return f"{three(of.value)}× [{three(of.low)} – {high}]"


def numbers(of: Ratio | None) -> dict[str, float | int | str | None] | None:
    """For JSON, which has no infinity."""
    high = None if of is None or math.isinf(of.high) else of.high
    return of and {"value": of.value, "low": of.low, "high": high, "rounds": of.rounds, "verdict": of.verdict}
