"""NumPy and PyTorch on real data from the same weights, every output and gradient; then one line of the LSTM is broken."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..cells import lstm
from ..judge import report, terminal
from ..judge.definition import check_all
from ..judge.implementations import BUILTIN
from ..judge.suite import Result, run_case
from ..mutation.catalogue import Fault, faults_of
from ..mutation.command import implementation
from .real import CELLS, DTYPES, TITLES, cases

SIDES = ("numpy", "torch.library")
PLANTED = "forget gate's gradient from the new cell state"


class Line(NamedTuple):
    """One tensor of one cell."""

    cell: str
    tensor: str
    figures: list[float | None]  # of each dtype: error of NumPy, error of PyTorch, what is allowed
    ok: bool


def compare(console: Console) -> tuple[terminal.Json, dict[str, list[Line]], int]:
    """The report; for each source a line for each tensor; how many runs were wrong."""
    with console.status("the definition against autograd and torch.nn"):
        definition = check_all()
    tables, results = {}, []
    for source, title in TITLES.items():
        with console.status(title):
            here = [run_case(BUILTIN[side], case) for case in cases(source) for side in SIDES]
        tables[title] = lines(here)
        console.print(every_tensor(title, tables[title]))
        results += [r._replace(implementation=f"{r.implementation} · {source}") for r in here]
    summary = report.build(results, definition, "cpu")
    console.print(terminal.definition(summary))
    console.print(Text(report.RULE, style="dim"))
    return summary, tables, sum(not r.ok for r in results)


def lines(results: Sequence[Result]) -> list[Line]:
    """A line for each cell and tensor: the error of both sides in both dtypes, and what is allowed."""
    by_name = {(r.case.spec.cell, r.case.spec.dtype, r.implementation, v.tensor): v for r in results for v in r.verdicts}
    table = []
    for cell in CELLS:
        for name in dict.fromkeys(name for c, _, _, name in by_name if c == cell):
            verdicts = [by_name[cell, dtype, side, name] for dtype in DTYPES for side in SIDES]
            figures = [x for v, w in zip(verdicts[::2], verdicts[1::2], strict=True) for x in (v.error, w.error, w.allowed)]
            table.append(Line(cell, name, figures, all(v.ok for v in verdicts)))
    return table


def every_tensor(title: str, tensors: list[Line]) -> Table:
    numbers = [c for d in DTYPES for c in (f"{d} NumPy", "PyTorch", "allowed")]
    table = terminal.grid(title, ("cell", "tensor", *numbers, "verdict"), right=numbers)
    for cell, of_cell in groupby(tensors, key=lambda line: line.cell):
        for k, line in enumerate(of_cell):
            table.add_row("" if k else cell.upper(), line.tensor, *map(terminal.figure, line.figures), terminal.mark(line.ok))
        table.add_section()
    return table


def planted() -> Fault:
    return next(f for f in faults_of(lstm) if f.name == PLANTED)


def plant(console: Console, definition: list[dict[str, str]]) -> terminal.Json:
    """Break one line of a copy of ``reference`` and print how the report names it."""
    fault = planted()
    said = f"{fault.function} of reference/{fault.room}.py, {fault.name}\n- {fault.old}\n+ {fault.new}"
    console.print(Panel(Text(said), title="one line broken", title_align="left"))
    culprit = implementation(fault)
    with console.status("the broken copy"):
        broken = [run_case(culprit, case) for case in cases("text") if case.spec.kind in fault.kinds]
    summary = report.build([r._replace(implementation="numpy, one line broken") for r in broken], definition, "cpu")
    console.print(terminal.outcome(summary["implementations"][0]))
    return summary
