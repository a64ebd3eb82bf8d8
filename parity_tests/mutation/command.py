"""Importing ``reference`` with a fault in it, and asking which cases catch it."""

import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from importlib.util import find_spec
from types import ModuleType

from rich.console import Console
from rich.progress import track
from rich.text import Text

from reference.common.checks import ENGINES
from reference.common.command import Parser, guarded

from ..judge import terminal
from ..judge.cases import Case, table
from ..judge.causes.address import changed
from ..judge.causes.patching import copied
from ..judge.diagnosis import AGREES
from ..judge.implementations import Implementation, numpy_implementation
from ..judge.suite import Result, run_case
from ..judge.tolerance import NUMBERS, Verdict
from ..rooms import RoomCase, by_numpy
from .catalogue import Fault, catalogue, faults_of, rooms


@cache
def with_fault(fault: Fault) -> ModuleType:
    """A copy of ``reference`` with the fault in it.

    LookupError: the room, function or code that it changes is not there, or not only once.  The catalogue must follow the code.
    """
    alias = f"reference_with_fault_{zlib.crc32(repr(fault).encode())}"
    try:
        with uncompiled():
            also = ("compiled",) if engine_of(fault) == "compiled" else ()
            copy = copied(alias, fault.room, lambda text: changed(text, fault.function, fault.old, fault.new), also)
    except LookupError as e:
        raise LookupError(f"fault {fault.name!r}: in reference/{fault.room}.py, {e}") from e
    if f"{alias}.{fault.room.replace('/', '.')}" not in sys.modules:
        raise LookupError(f"fault {fault.name!r}: reference/{fault.room}.py is not there, or is not imported by reference")
    return copy


def implementation(fault: Fault) -> Implementation:
    """The broken copy as an implementation to be judged."""
    return numpy_implementation(fault.name, with_fault(fault), engine_of(fault))


def engine_of(fault: Fault) -> str:
    """The engine in whose rooms the fault is."""
    chapter = fault.room.partition("/")[0]
    return chapter if chapter in ENGINES else "definition"


@contextmanager
def uncompiled() -> Iterator[None]:
    """What of ``reference.compiled`` is imported inside runs as Python: to compile it takes longer than the cases."""
    if find_spec("numba") is None:
        yield
        return
    from numba import config

    before, config.DISABLE_JIT = config.DISABLE_JIT, 1
    try:
        yield
    finally:
        config.DISABLE_JIT = before


def candidates(fault: Fault) -> list[Case]:
    """The named cases in which the fault could show, in float64."""
    return [case for case in table(("float64",)) if case.spec.kind in fault.kinds]


def catches(fault: Fault, result: Result) -> bool:
    """Whether a result convicts the fault by what it is: a wrong number for instance, not a crash or a shape."""
    return any(not v.ok and v.why in convicting(fault) for v in result.verdicts)


def convicting(fault: Fault) -> tuple[str, ...]:
    """What of a verdict convicts a fault."""
    return NUMBERS if fault.shows == "number" else (fault.shows,)


def caught_by(fault: Fault) -> list[Result]:
    """The results of every case that catches the fault."""
    culprit = implementation(fault)
    return [r for r in (run_case(culprit, case) for case in candidates(fault)) if catches(fault, r)]


def cases_that_catch(fault: Fault, package: ModuleType, cases: Sequence[RoomCase]) -> dict[RoomCase, list[Verdict]]:
    """The cases of a room that convict a broken package by what the fault is, and their wrong verdicts."""
    wrong = {case: [v for v in by_numpy(case, "float64", package) if not v.ok] for case in cases}
    return {case: verdicts for case, verdicts in wrong.items() if any(v.why in convicting(fault) for v in verdicts)}


def main() -> int:
    """Print, for each fault, how many cases catch it and what the diagnosis says; 1 if one survives."""
    Parser(prog="python -m parity_tests.mutation", description=main.__doc__).parse_args()
    return guarded(report)


def report() -> int:
    out = terminal.console()
    cells = [(fault, in_cells) for fault in catalogue()]
    parts = [(fault, partial(in_room, room.CASES)) for room in rooms().values() for fault in faults_of(room)]
    survivors = show(out, "faults", ("caught by", "first case", "tensor", "diagnosis"), cells)
    survivors += show(out, "faults in parts", ("caught by", "first case", "wrong there"), parts)
    out.print(Text(f"survivors: {', '.join(survivors) or 'none'}", style="bold red" if survivors else "bold green"))
    return int(bool(survivors))


def in_cells(fault: Fault) -> list[str]:
    """What a line of the table says of a fault in cells and layers; nothing where none of the named cases catches it."""
    results = caught_by(fault)
    if not results:
        return []
    first = results[0]
    verdict = next(v for v in first.verdicts if not v.ok)
    where = "outside the rooms" if AGREES in first.diagnosis else first.diagnosis.partition(": ")[2]
    return [f"{len(results)}/{len(candidates(fault))}", first.case.name, verdict.tensor, where]


def in_room(cases: Sequence[RoomCase], fault: Fault) -> list[str]:
    """The same of a fault in a room that has cases of its own."""
    wrong = cases_that_catch(fault, with_fault(fault), cases)
    if not wrong:
        return []
    case, verdicts = next(iter(wrong.items()))
    return [f"{len(wrong)}/{len(cases)}", str(case), ", ".join(v.tensor for v in verdicts)]


def show(
    out: Console, heading: str, columns: Sequence[str], faults: Sequence[tuple[Fault, Callable[[Fault], list[str]]]]
) -> list[str]:
    """Print a table of faults, the line of each being empty where nothing catches it; the names of those."""
    table = terminal.grid(f"{len(faults)} {heading}", ("fault", "room", *columns))
    survivors = []
    for fault, line in track(faults, heading, console=out, transient=True):
        figures = line(fault)
        if not figures:
            survivors.append(fault.name)
        title = Text(fault.name).append(f"\n{fault.source}" if fault.source else "", style="dim")
        table.add_row(title, fault.room, *(figures or (Text("SURVIVES", style="bold red"),)))
    out.print(table)
    return survivors
