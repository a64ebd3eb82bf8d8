"""``python -m parity_tests.demo.models``: parity of the parts and models, and of whole training runs, both sides, every cell.

Prints two tables, the largest error over allowed in each cell of them, and writes them to out/models.html.  Exit status 1
if anything is wrong.
"""

import sys
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from reference.common.command import entered, guarded, parser
from reference.common.output import put_text

from ..judge import terminal
from ..judge.suite import worst_of
from ..judge.tolerance import Verdict
from ..mutation.catalogue import rooms
from ..rooms import DTYPES, RoomCase, by_numpy, by_torch
from ..training.trajectory import CELLS, STEPS, TASKS, follow, judged

OUT = Path("out") / "models.html"
WIDTH = 190  # of the page, so that no name is broken
OPTIMIZER = "Adam"
SIDES: dict[str, dict] = {"NumPy, fast": {"engine": "fast"}, "PyTorch": {"side": "torch"}}


def part(cases: list[RoomCase]) -> list[list[Verdict]]:
    """The verdicts on one room: NumPy and PyTorch, in each dtype."""
    return [[v for case in cases for v in judge(case, dtype)] for judge in (by_numpy, by_torch) for dtype in DTYPES]


def by_cell(cases: list[RoomCase]) -> dict[str, list[RoomCase]]:
    """The cases of a room, those of each cell together; "" where a room has no cells."""
    by_kind: dict[str, list[RoomCase]] = {}
    for case in cases:
        kind = case.name.partition("-")[0]
        by_kind.setdefault(kind if kind in CELLS else "", []).append(case)
    return by_kind


def cell(verdicts: Iterable[Verdict]) -> Text:
    """The verdict nearest to its limit, or furthest past it."""
    worst = worst_of(verdicts)
    if worst is None:
        return Text("nothing was compared", style="bold red")
    text = f"{terminal.figure(worst.ratio)}  {worst.tensor}"
    return Text(f"✓ {text}", style="green") if worst.ok else Text(f"✗ {text} {worst.detail}", style="bold red")


def parts() -> tuple[Table, list[Verdict]]:
    """A row for each room, and each cell of it."""
    sides = (f"{side} {dtype}" for side in ("NumPy", "PyTorch") for dtype in DTYPES)
    title = "parts and models: largest error / allowed, over all outputs and gradients"
    table, all_verdicts = terminal.grid(title, ("room", "cell", "cases", *sides), right=("cases",)), []
    for name, room in track(rooms().items(), "parts", console=terminal.console(stderr=True), transient=True):
        for kind, cases in by_cell(room.CASES).items():
            columns = part(cases)
            table.add_row(name, kind, str(len(cases)), *map(cell, columns))
            all_verdicts += [v for column in columns for v in column]
    return table, all_verdicts


def trajectories() -> tuple[Table, list[Verdict]]:
    """A row for each model and cell: a hundred steps of training on each side against the definition in longdouble."""
    all_verdicts: list[Verdict] = []
    title = f"{STEPS} steps of {OPTIMIZER} in float64: largest error / allowed (T3), over all steps"
    quantities = (f"{side}: {q}" for side in SIDES for q in ("loss", "norm", "parameters"))
    table = terminal.grid(title, ("model", "cell", *quantities))
    rows = [(task, kind) for task in TASKS for kind in CELLS]
    for task, kind in track(rows, "trajectories", console=terminal.console(stderr=True), transient=True):
        columns = []
        for side in SIDES.values():
            verdicts = judged(task, kind, OPTIMIZER, follow(task, kind, OPTIMIZER, **side))
            loss, norm, *weights = verdicts
            columns += [[loss], [norm], weights]
            all_verdicts += verdicts
        table.add_row(str(task), kind, *map(cell, columns))
    return table, all_verdicts


def main() -> int:
    parser("python -m parity_tests.demo.models", __doc__ or "").parse_args()
    return guarded(report, OUT)


def report() -> int:
    console, page = terminal.console(), Console(record=True, width=WIDTH, file=StringIO())
    all_verdicts: list[Verdict] = []
    for judge in (parts, trajectories):
        table, verdicts = judge()
        console.print(table)
        page.print(table)
        all_verdicts += verdicts
    wrong = sum(not v.ok for v in all_verdicts)
    said = Text(f"{len(all_verdicts)} tensors, {wrong} wrong", style="bold red" if wrong else "bold green")
    console.print(said)
    page.print(said)
    OUT.parent.mkdir(exist_ok=True)
    put_text(OUT, page.export_html())
    console.print(f"wrote {OUT}", highlight=False)
    return int(bool(wrong) or not all_verdicts)


if __name__ == "__main__":
    sys.exit(entered(main))
