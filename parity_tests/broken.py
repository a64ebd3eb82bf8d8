"""Importing ``reference`` with a fault in it, and asking which cases catch it."""

import sys
import zlib
from functools import cache
from types import ModuleType

from rich.console import Console
from rich.progress import track
from rich.text import Text

from . import terminal
from .cases import Case, table
from .copies import copied
from .faults import FAULTS, Fault
from .implementations import Implementation, numpy_implementation
from .parts import ROOMS
from .parts.harness import catching
from .suite import Result, run_case
from .witness import AGREES


@cache
def broken(fault: Fault) -> ModuleType:
    """A copy of ``reference`` with the fault in it.

    Raises
    ------
    LookupError
        The line that the fault changes is not there, or not only once: the catalogue must follow the code.
    """
    def rewrite(file: str, text: str) -> str:
        if file != fault.file:
            return text
        if text.count(fault.old) != 1:
            raise LookupError(f"fault {fault.name!r}: {fault.file} must contain {fault.old!r} once, "
                              f"but has it {text.count(fault.old)} times")
        return text.replace(fault.old, fault.new)

    return copied(f"reference_with_fault_{zlib.crc32(repr(fault).encode())}", rewrite)


def implementation(fault: Fault) -> Implementation:
    """The broken copy as an implementation to be judged."""
    return numpy_implementation(fault.name, broken(fault), "fast" if fault.file.startswith("fast/") else "definition")


def candidates(fault: Fault) -> list[Case]:
    """The named cases in which the fault could show, in float64."""
    return [case for case in table(("float64",)) if case.spec.kind in fault.kinds]


def catches(fault: Fault, result: Result) -> bool:
    """Whether a result convicts the fault by what it is: a wrong number, not a crash or a shape."""
    return any(not v.ok and v.why == ("changed" if fault.changes else "number") for v in result.verdicts)


def caught_by(fault: Fault) -> list[Result]:
    """The results of every case that catches the fault."""
    culprit = implementation(fault)
    return [r for r in (run_case(culprit, case) for case in candidates(fault)) if catches(fault, r)]


def main() -> int:
    """Print, for each fault, how many cases catch it and what the diagnosis says; 1 if one survives."""
    out = terminal.console()
    survivors = [*cells(out), *parts(out)]
    out.print(Text(f"survivors: {', '.join(survivors) or 'none'}", style="bold red" if survivors else "bold green"))
    return int(bool(survivors))


def cells(out: Console) -> list[str]:
    """The table of the faults in cells and layers; the names of those that survive."""
    table = terminal.grid(f"{len(FAULTS)} faults")
    for name in ("fault", "file", "caught by", "first case", "tensor", "diagnosis"):
        table.add_column(name, overflow="fold")
    survivors: list[str] = []
    for fault in track(FAULTS, "faults", console=out, transient=True):
        found = caught_by(fault)
        if not found:
            survivors.append(fault.name)
            table.add_row(fault.name, fault.file, Text("SURVIVES", style="bold red"))
            continue
        verdict = next(v for v in found[0].verdicts if not v.ok)
        where = "outside the rooms" if AGREES in found[0].diagnosis else found[0].diagnosis.partition(": ")[2]
        table.add_row(_named(fault), fault.file,
                      f"{len(found)}/{len(candidates(fault))}", found[0].case.name, verdict.tensor, where)
    out.print(table)
    return survivors


def parts(out: Console) -> list[str]:
    """The same of the faults in the parts of models."""
    faults = [(fault, ROOMS[room].CASES) for room in ROOMS for fault in ROOMS[room].FAULTS]
    table = terminal.grid(f"{len(faults)} faults in parts")
    for name in ("fault", "file", "caught by", "first case", "wrong there"):
        table.add_column(name, overflow="fold")
    survivors: list[str] = []
    for fault, cases in track(faults, "parts", console=out, transient=True):
        found = catching(fault, broken(fault), cases)
        if not found:
            survivors.append(fault.name)
            table.add_row(fault.name, fault.file, Text("SURVIVES", style="bold red"))
            continue
        case, verdicts = next(iter(found.items()))
        table.add_row(_named(fault), fault.file, f"{len(found)}/{len(cases)}", str(case),
                      ", ".join(v.tensor for v in verdicts))
    out.print(table)
    return survivors


def _named(fault: Fault) -> Text:
    return Text(fault.name).append(f"\n{fault.source}" if fault.source else "", style="dim")


if __name__ == "__main__":
    sys.exit(main())
