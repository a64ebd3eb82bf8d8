"""What became of one library, short enough to be kept: counts, a matrix of options, what failed and why.

parity_tests/strangers/results has one file for each; notes/judge/frameworks.md shows them all.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from ...judge.cases import KINDS, Case
from ...judge.strangers import Stranger

Json = dict[str, Any]
PLACE = Path(__file__).parents[1] / "results"
OUTCOMES = ("passed", "wrong", "error", "declined")

# What a case asks for beyond one layer, one direction and usual numbers; a case counts for each that it has.
OPTIONS: dict[str, Callable[[Case], bool]] = {
    "layers": lambda case: case.spec.num_layers > 1,
    "bidirectional": lambda case: case.spec.bidirectional,
    "no bias": lambda case: not case.spec.bias,
    "batch first": lambda case: case.spec.batch_first,
    "no state": lambda case: not case.state,
    "lengths": lambda case: bool(case.lengths),
    "dropout": lambda case: bool(case.spec.dropout),
    "numbers": lambda case: bool(case.values) or case.gain > 1,
    "memory": lambda case: bool(case.memory) or case.lengths_dtype != "int64",
    "calls": lambda case: bool(case.contract),
}
PLAIN, ALL = "plain", "all"
MOST_CHANGES = 20


class Ran(NamedTuple):
    """How a library was judged."""

    name: str
    about: str  # its version, in its adapter's words
    seconds: float
    findings: Mapping[str, str]  # of each "there", "gone", or what went wrong
    printed: Mapping[str, str]  # what each said
    converters: str  # what the tests of its converters came to, empty if it has none
    day: date


def result(stranger: Stranger, ran: Ran, report: Json, cases: Iterable[Case]) -> Json:
    """The short form of a report on one implementation."""
    (judged,) = report["implementations"]
    counts = counted(judged["cases"], cases)
    return {
        "name": ran.name,
        "library": stranger.library,
        "about": ran.about,
        "date": ran.day.isoformat(),
        "seconds": round(ran.seconds),
        "environment": report["environment"],
        "rule": report["rule"],
        "needs": list(stranger.needs),
        "cases": list(stranger.cases),
        "counts": {outcome: judged["counts"][outcome] for outcome in OUTCOMES},
        "declined": judged["declined"],
        "forward_only": judged["forward_only"],
        "computes": judged["computes"],
        "totals": {kind: row[ALL] for kind, row in counts.items()},
        "matrix": {kind: {o: row[o] for o in (PLAIN, *OPTIONS) if o in row} for kind, row in counts.items()},
        "causes": [
            {k: c[k] for k in ("cases", "kinds", "shared", "example")} | {"text": plain(c["text"])} for c in judged["causes"]
        ],
        "failures": [[f["case"], f["dtype"], f["status"], f["causes"]] for f in judged["failures"]],
        "converters": ran.converters,
        "findings": {name: {"status": status, "printed": ran.printed[name]} for name, status in ran.findings.items()},
    }


def plain(text: str) -> str:
    """A message on one line, without colours and addresses, and with places as they are in any installation."""
    text = re.sub(r"\x1b\[[0-9;]*m| at 0x[0-9a-f]+", "", text)
    return " ".join(re.sub(r"(?<![\w.])/\S*?/(?:site-packages/|(?=parity_tests/))", "", text).split())


def counted(entries: Sequence[Json], cases: Iterable[Case]) -> Json:
    """kind -> option -> dtype -> how many cases came to each of OUTCOMES"""
    status = {(e["case"], e["dtype"]): e["status"] for e in entries}
    counts: Json = {kind: {ALL: {}} for kind in KINDS}
    for case in cases:
        if (key := (case.name, case.spec.dtype)) in status:
            for option in (ALL, *options(case)):
                by_dtype = counts[case.spec.kind].setdefault(option, {})
                by_dtype.setdefault(case.spec.dtype, [0] * len(OUTCOMES))[OUTCOMES.index(status[key])] += 1
    return counts


def options(case: Case) -> list[str]:
    """What a case asks for."""
    return [name for name, has in OPTIONS.items() if has(case)] or [PLAIN]


def write(result: Json, place: Path = PLACE) -> Path:
    """Keep a result: a line for each thing, so that a difference can be read."""
    path = place / f"{result['name']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {spread(v)}" for k, v in result.items()) + "\n}\n", encoding="utf-8")
    return path


def spread(value: Any) -> str:
    """JSON with a line for each member of a list of lists or a dictionary of dictionaries."""
    if isinstance(value, dict) and any(isinstance(v, dict) for v in value.values()):
        return "{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in value.items()) + "\n}"
    if isinstance(value, list) and any(isinstance(v, (list, dict)) for v in value):
        return "[\n" + ",\n".join(f"  {json.dumps(v, ensure_ascii=False)}" for v in value) + "\n]"
    return json.dumps(value, ensure_ascii=False)


def kept(place: Path = PLACE) -> dict[str, Json]:
    """Every result that is kept, by name."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(place.glob("*.json"))}


def changes(before: Json | None, after: Json) -> list[str]:
    """What a library fails that it did not when it was last judged, and the other way round, a sentence each."""
    if before is None:
        return ["judged for the first time"]
    said = failing_otherwise(before, after) if before["cases"] == after["cases"] else ["judged on other cases than before"]
    if len(said) > MOST_CHANGES:
        said[MOST_CHANGES:] = [f"and {len(said) - MOST_CHANGES} more"]
    was, now = ({name: f["status"] for name, f in r["findings"].items()} for r in (before, after))
    return said + [f"finding {name}: {now[name]}" for name in now if was.get(name) != now[name]]


def failing_otherwise(before: Json, after: Json) -> list[str]:
    """A sentence for each case that fails in one of two results only."""
    old, new = ({(f[0], f[1]): f[2] for f in r["failures"]} for r in (before, after))
    said = [f"{case} {dtype}: now {new[case, dtype]}" for case, dtype in new if (case, dtype) not in old]
    return said + [f"{case} {dtype}: no longer {old[case, dtype]}" for case, dtype in old if (case, dtype) not in new]
