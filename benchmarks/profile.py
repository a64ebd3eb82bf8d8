"""``python -m benchmarks profile``: what the time of numpy.fast is spent on, at the eight sizes of the grid.

Four rivals take turns on each case: numpy.fast; the same in a copy in which every array operation is timed where it stands
(instrument.py); its matrix products alone, in their order and on their arrays; torch.nn's layer.  The kinds of operation are
medians over calls of the copy, less what the clock costs.  The rest is what is left of the time without a clock: Python,
NumPy's checks of arguments outside of the operations, memory.  The products alone are what a program with these products,
in this layout, cannot go below.  All on one processor: what runs at the same time on several cannot be added up.

Exit status: 0 measured; 1 something was wrong, and nothing was timed on that case; 2 nothing can be measured or written;
130 interrupted, and the file has what was measured.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from rich.progress import track

from parity_tests.judge.implementations import BUILTIN, numpy_implementation
from parity_tests.judge.terminal import console

from . import instrument, study
from .instrument import COPY, ELEMENTWISE, NONLINEAR, PRODUCT
from .report.ratios import geometric
from .report.tables import LIBRARY, duration, grouped, parts, times
from .run import check, grouping, machine, results
from .run import clock as measure
from .what.config import PHASES, Config
from .what.presets import CELLS, GRID, each

USAGE_ERROR, INTERRUPTED = 2, 130
OURS, CLOCKED, PRODUCTS = "numpy.fast", "clocked", "products"
RECURRENT, HOISTED = "recurrent", "hoisted"
SHOWN = {RECURRENT: "products at each step", HOISTED: "products hoisted", NONLINEAR: "tanh, exp",
         ELEMENTWISE: "other elementwise", COPY: "copies", "rest": "rest"}
_SECONDS = {"type": "object", "required": ["median", "q1", "q3"]}
RULE: dict[str, Any] = {
    "type": "object", "required": ["case", "phase", "parity", "seconds", "kinds"],
    "properties": {
        "case": {"type": "object", "required": ["cell", "T", "B", "hidden_size", "dtype"]}, "phase": {"enum": list(PHASES)},
        "parity": {"type": "number", "minimum": 0},
        "seconds": {"type": "object", "required": [OURS, CLOCKED, PRODUCTS, LIBRARY], "additionalProperties": _SECONDS},
        "kinds": {"type": "object", "required": [RECURRENT, HOISTED, NONLINEAR, ELEMENTWISE, COPY, "rest"],
                  "additionalProperties": {"type": "object", "required": ["seconds", "calls", "least"]}}}}


@dataclass
class Rival:
    """What the clock of ``measure`` needs."""

    name: str
    call: Callable[[], Any]
    sync: Callable[[], Any] = lambda: None


class Clock(NamedTuple):
    """What it costs to look: seconds between two readings, and of one call of each kind on one number."""

    cost: float
    least: Mapping[str, float]


def row(config: Config, phase: str, setting: grouping.Setting, clock: Clock) -> dict[str, Any]:
    """Judge and time one case.

    Raises
    ------
    WrongError
        One of them did not pass.
    """
    copy = numpy_implementation(CLOCKED, instrument.timed_reference(), "fast")
    entered = [grouping.enter(i, config, phase, setting) for i in (BUILTIN[OURS], copy, BUILTIN[LIBRARY])]
    ours, clocked, library = (subject for subject, _ in entered)
    with instrument.keeping_products() as products:
        clocked.call()
    calls: list[dict[instrument.Key, instrument.Found]] = []

    def look() -> Any:
        instrument.take()
        out = clocked.call()
        calls.append(instrument.take())
        return out

    def again() -> None:
        for f, args, named in products:
            f(*args, **named)

    rivals: list[Any] = [Rival(OURS, ours.call), Rival(CLOCKED, look), Rival(PRODUCTS, again), Rival(LIBRARY, library.call)]
    tracks = measure.interleave(rivals, setting.plan, setting.clock)
    for failed in filter(None, (t.failure for t in tracks.values())):
        raise failed
    seconds = {name: measure.summary(t.samples) for name, t in tracks.items()}
    return {"case": config.as_dict(), "phase": phase, "parity": max(known["parity"] for _, known in entered),
            "seconds": seconds, "kinds": kinds(calls, config.T, clock, seconds[OURS]["median"])}


def kinds(calls: Sequence[Mapping[instrument.Key, instrument.Found]], T: int, clock: Clock, whole: float) -> dict[str, Any]:
    """What each kind took and how often it was called in one call of the layer, and "rest", what is left of ``whole``.

    A product is recurrent where its place is reached at every step.  "least" is what so many calls cost on one number.
    """
    made: dict[str, Any] = {}
    for wanted in (RECURRENT, HOISTED, NONLINEAR, ELEMENTWISE, COPY):
        some = [[f for (_, kind), f in found.items() if named(kind, f.calls, T) == wanted] for found in calls]
        count = sum(f.calls for f in some[-1])
        kind = PRODUCT if wanted in (RECURRENT, HOISTED) else wanted
        seconds = float(np.median([sum(f.seconds for f in fs) for fs in some])) - count * clock.cost
        made[wanted] = {"seconds": seconds, "calls": count, "least": count * clock.least[kind]}
    made["rest"] = {"seconds": whole - sum(v["seconds"] for v in made.values()), "calls": 0, "least": 0.0}
    return made


def named(kind: str, calls: int, T: int) -> str:
    """The kind, products told apart by how often their place was reached."""
    return kind if kind != PRODUCT else RECURRENT if calls >= T else HOISTED


def arguments() -> argparse.ArgumentParser:
    return study.parser("profile", __doc__, 0.3, "rival and case")


def main(argv: Sequence[str] | None = None) -> int:
    args, error = arguments().parse_args(argv), console(stderr=True)
    try:
        with machine.threads(1):
            found, wrong = measured(args)
    except (ValueError, OSError) as e:
        error.print(f"error: {e}", style="bold red", markup=False, soft_wrap=True)
        return USAGE_ERROR
    except KeyboardInterrupt:
        error.print(f"interrupted; {args.out} has what was measured", markup=False)
        return INTERRUPTED
    print(*section(args.out.stem, found), sep="\n")
    for text in wrong:
        error.print(text, style="bold red", markup=False, soft_wrap=True)
    return int(bool(wrong))


def measured(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """The study, written after each case, and what was wrong."""
    found = study.new("profile", study.command("profile", args))
    clock, wrong = Clock(instrument.cost(), instrument.least()), []
    found |= {"clock": clock._asdict()}
    setting = grouping.Setting(found["limits"], measure.Plan(seconds=args.seconds, rounds=4))
    jobs = [(c, phase) for c in each(*GRID) if c.cell in (args.cell or CELLS) for phase in args.phase or PHASES]
    results.write(args.out, found)
    for config, phase in track(jobs, "profile", console=console(stderr=True), transient=True):
        try:
            found["rows"].append(row(config, phase, setting, clock))
            results.write(args.out, found)
        except check.WrongError as e:
            wrong.append(f"{config.name} {phase}: {e}")
    return found, wrong


def table() -> str:
    """The part of notes/benchmarks.md: what the files in benchmarks/results/profile say."""
    made = [line for name, found in study.files("profile", RULE) for line in section(name, found)]
    return "\n".join(made) or "No machine has been measured yet."


def section(name: str, found: Mapping[str, Any]) -> list[str]:
    """One machine: the means over the sizes, and behind a fold each size."""
    clock, by_cell = found["clock"], grouped(found["rows"], lambda r: (r["case"]["cell"], r["phase"]))
    asking = ", ".join(f"{kind} {duration(seconds)}" for kind, seconds in clock["least"].items())
    lines = [f"**{study.place(name, found)}**: `{found['command']}`. Shares of the time of {OURS}, means over the sizes.", "",
             *head("cell", "phase", "sizes"), *(mean_line(cell, phase, rows) for (cell, phase), rows in by_cell.items())]
    lines += ["", f"The clock costs {duration(clock['cost'])} an operation, which is subtracted. One call on one number: "
              f"{asking}.", "", "<details><summary>Size by size</summary>", ""]
    for (cell, phase), rows in by_cell.items():
        lines += [*head(f"{cell}, {phase}", OURS, LIBRARY), *map(line, rows), ""]
    return [*lines, "</details>", ""]


def head(*first: str) -> list[str]:
    """The head of a table whose first three columns are these."""
    names = (*first, "ratio", *SHOWN.values(), "calls a step", "asking NumPy", "products alone", f"over {LIBRARY}")
    return [f"| {' | '.join(names)} |", f"|---|{'--:|' * (len(names) - 1)}"]


class Figures(NamedTuple):
    """What a line says of one case, all as fractions of the time of numpy.fast but ``ratio``, ``calls`` and ``floor``."""

    ratio: float              # over torch.nn's layer
    shares: dict[str, float]  # of each kind
    calls: float              # of NumPy, a step
    asking: float             # what they would cost on one number
    alone: float              # the products alone
    floor: float              # the same over torch.nn's layer


def figures(r: Mapping[str, Any]) -> Figures:
    ours, alone, library = (r["seconds"][name]["median"] for name in (OURS, PRODUCTS, LIBRARY))
    return Figures(ours / library, {k: r["kinds"][k]["seconds"] / ours for k in SHOWN},
                   sum(v["calls"] for v in r["kinds"].values()) / r["case"]["T"],
                   sum(v["least"] for v in r["kinds"].values()) / ours, alone / ours, alone / library)


def line(r: Mapping[str, Any]) -> str:
    f, seconds = figures(r), r["seconds"]
    return cells(" ".join(parts(r["case"])), duration(seconds[OURS]["median"]), duration(seconds[LIBRARY]["median"]), f)


def mean_line(cell: str, phase: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Ratios as geometric means, shares as plain ones."""
    found = [figures(r) for r in rows]
    shares = {k: float(np.mean([f.shares[k] for f in found])) for k in SHOWN}
    calls, asking, alone = (float(np.mean(v)) for v in zip(*((f.calls, f.asking, f.alone) for f in found), strict=True))
    mean = Figures(geometric(f.ratio for f in found), shares, calls, asking, alone, geometric(f.floor for f in found))
    return cells(cell, phase, str(len(rows)), mean)


def cells(a: str, b: str, c: str, f: Figures) -> str:
    shares = " | ".join(f"{100 * share:.0f}%" for share in f.shares.values())
    return (f"| {a} | {b} | {c} | **{times(f.ratio)}** | {shares} | {f.calls:.1f} | {100 * f.asking:.0f}% "
            f"| {100 * f.alone:.0f}% | {times(f.floor)} |")


if __name__ == "__main__":
    sys.exit(main())
