"""``python -m benchmarks targets FILE...``: what was asked of reference/fast/, what was measured, met or not.

Everything is of `numpy.fast` on the CPU, over the grid's eight sizes, each file by itself: three files of one machine are
three runs.  A target is met if it is met in each file that has all of its rows, and one has.

Exit status: 0 every target is met; 1 one is not, or was not measured; 2 a file is unusable.
"""

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from parity_tests.terminal import console, grid

from .presets import GRID
from .ratios import geometric
from .results import ResultError, read
from .tables import LIBRARY, Entry, Run, load, size_of, times

USAGE_ERROR = 2
OURS = "numpy.fast"
CELLS = ("rnn", "gru", "lstm")
LARGE = 512  # hidden units from which on the products must dominate
FLOOR = 1.2  # times what the products alone take


class Measured(NamedTuple):
    """A figure, how it reads, and whether all the rows that it needs are there."""

    value: float
    text: str


class Target(NamedTuple):
    """One thing that was asked: at most ``limit`` of what ``measure`` finds in the rows of one cell, phase and dtype."""

    what: str
    cell: str
    phase: str
    dtype: str
    limit: float
    measure: Callable[[Sequence[Entry], Sequence[Entry]], Measured | None]

    @property
    def asked(self) -> str:
        return f"{self.cell} {self.phase} {self.dtype}: {self.what} ≤ {self.limit:.2f}"


class Verdict(NamedTuple):
    """A target, and what each file says of it: None where rows are missing."""

    target: Target
    found: list[Measured | None]

    @property
    def met(self) -> bool:
        known = [f for f in self.found if f]
        return bool(known) and all(f.value <= self.target.limit for f in known)

    @property
    def word(self) -> str:
        return "met" if self.met else "NOT MET" if any(self.found) else "NOT MEASURED"


def mean(own: Sequence[Entry], library: Sequence[Entry]) -> Measured | None:
    """The geometric mean of the ratios to torch.nn's layer, over all eight sizes."""
    ratios = [e.ratio for e in own if e.ratio]
    if len(ratios) < len(GRID):
        return None
    value = geometric(ratios)
    return Measured(value, f"{value:.2f} ({min(ratios):.2f} – {max(ratios):.2f})")


def largest(own: Sequence[Entry], library: Sequence[Entry]) -> Measured | None:
    """The largest of the ratios."""
    ratios = {e.size: e.ratio for e in own if e.ratio}
    if len(ratios) < len(GRID):
        return None
    worst = max(ratios, key=lambda size: ratios[size])
    return Measured(ratios[worst], f"{ratios[worst]:.2f} at {worst}")


def floor(own: Sequence[Entry], library: Sequence[Entry]) -> Measured | None:
    """The largest time over that of the products alone at the square-GEMM rate of the same run, where H is large."""
    wanted = sum(H >= LARGE for _, _, H in GRID)
    over = {e.size: e.median * 1e9 * e.run.limits["cpu"]["gemm_gflops"][e.dtype] / e.flops
            for e in own if e.median and e.case["hidden_size"] >= LARGE}
    if len(over) < wanted:
        return None
    worst = max(over, key=lambda size: over[size])
    return Measured(over[worst], f"{over[worst]:.2f} at {worst}")


def memory(own: Sequence[Entry], library: Sequence[Entry]) -> Measured | None:
    """The largest ratio of the peaks of memory."""
    theirs = {e.size: e.peak_bytes for e in library if e.peak_bytes}
    both = {e.size: (e.peak_bytes, theirs[e.size]) for e in own if e.peak_bytes and e.size in theirs}
    if len(both) < len(GRID):
        return None
    worst = max(both, key=lambda size: both[size][0] / both[size][1])
    a, b = both[worst]
    return Measured(a / b, f"{times(a / b)} at {worst}: {size_of(a)} over {size_of(b)}")


RATIO, WORST, PRODUCTS, PEAK = "mean ratio", "largest ratio", "over the products", "peak memory"
MEANING = (
    f"{RATIO}: geometric mean over the eight sizes of the time over that of {LIBRARY}, (smallest – largest).",
    f"{WORST}: of these eight.",
    f"{PRODUCTS}: largest time, where H is {LARGE} or more, over that of the matrix products alone at the rate of a square "
    "product measured in the same run.",
    f"{PEAK}: of a training step, the largest ratio to {LIBRARY}; how it is measured: notes/benchmarks.md.",
)
TARGETS = (
    *(Target(RATIO, cell, "train", "float32", limit, mean) for cell, limit in zip(CELLS, (0.40, 0.55, 0.90), strict=True)),
    *(Target(WORST, cell, "train", "float32", 1.25, largest) for cell in CELLS),
    *(Target(RATIO, cell, "forward", "float32", limit, mean) for cell, limit in zip(CELLS, (0.5, 0.6, 1.0), strict=True)),
    *(Target(RATIO, cell, "train", "float64", 0.8, mean) for cell in CELLS),
    *(Target(PRODUCTS, cell, "train", "float32", FLOOR, floor) for cell in CELLS),
    *(Target(PEAK, cell, "train", "float32", 1.0, memory) for cell in CELLS),
)


def verdicts(found: Sequence[Entry], runs: Sequence[Run]) -> list[Verdict]:
    """Every target, judged file by file."""
    sizes = set(GRID)
    here = [e for e in found if e.device == "cpu" and plain(e) and (
        e.case["T"], e.case["B"], e.case["hidden_size"]) in sizes]
    return [Verdict(t, [of_file(t, [e for e in here if e.run.number == run.number]) for run in runs]) for t in TARGETS]


def plain(e: Entry) -> bool:
    """Whether a case is as in the grid: one layer, one direction, I = H, nothing packed or projected."""
    c = e.case
    return (c["input_size"] == c["hidden_size"] and c["num_layers"] == 1 and not c["bidirectional"] and not c["proj_size"]
            and c["fill"] is None and c["reset_after"] and c["nonlinearity"] == "tanh")


def of_file(target: Target, found: Sequence[Entry]) -> Measured | None:
    rows = [e for e in found if (e.kind, e.phase, e.dtype) == (target.cell, target.phase, target.dtype)]
    measured = target.measure(*([e for e in rows if e.implementation == name] for name in (OURS, LIBRARY)))
    return measured if measured and math.isfinite(measured.value) else None


def name_of(run: Run) -> str:
    """A file in a column's head: what it is, and on how many threads."""
    n = run.environment["torch_threads"]
    return f"{run.name}, {n} thread{'s' * (n != 1)}"


def arguments() -> argparse.ArgumentParser:
    first, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(prog="python -m benchmarks targets", description=first.partition(": ")[2], epilog=rest,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE", help="a result file of preset grid, with --dtype float32 and "
                                                                 "--dtype float64 for all of the targets")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    args, error = arguments().parse_args(argv), console(stderr=True)
    try:
        found = load([(name, read(Path(name))) for name in args.files])
    except (ResultError, OSError) as e:
        error.print(f"error: {e}", style="bold red", markup=False, soft_wrap=True)
        return USAGE_ERROR
    runs = list({e.run.number: e.run for e in found}.values())
    judged = verdicts(found, runs)
    show(console(), judged, runs)
    return int(not all(v.met for v in judged))


def show(out: Console, judged: Sequence[Verdict], runs: Sequence[Run]) -> None:
    made = grid(escape(f"what was asked of {OURS}, on the CPU"))
    made.add_column("asked", overflow="fold")
    for run in runs:
        made.add_column(name_of(run), overflow="fold")
    made.add_column("verdict")
    for v in judged:
        cells = [Text(f.text, style="" if f.value <= v.target.limit else "bold red") if f else Text("–", style="dim")
                 for f in v.found]
        made.add_row(v.target.asked, *cells, Text(v.word, style="green" if v.met else "bold red"))
    out.print(made)
    for text in MEANING:
        out.print(Text(text, style="dim"))
    out.print(Text(f"{sum(v.met for v in judged)} of {len(judged)} met"))


if __name__ == "__main__":
    sys.exit(main())
