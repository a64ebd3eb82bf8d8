"""``python -m benchmarks targets FILE...``: what was asked of reference/fast/, what was measured, met or not.

Everything is of `numpy.fast` on the CPU: of the preset grid over its eight sizes, of the preset models its models and the
training of char_lm.  Files of one machine with the same number of threads are runs of one place, and stand in one table.
Each file is judged by itself; a target is met if it is met in each file that has all of its rows, and one has.

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

from parity_tests.judge.terminal import console, grid

from .report.ratios import geometric
from .report.tables import LIBRARY, Entry, Run, grouped, load, size_of, times, where
from .run.results import ResultError, read
from .what.presets import GRID

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
    preset: str = "grid"

    @property
    def asked(self) -> str:
        return f"{self.cell} {self.phase} {self.dtype}: {self.what} ≤ {self.limit:.2f}"


class Verdict(NamedTuple):
    """A target, and what each file of one place says of it: None where rows are missing."""

    target: Target
    found: list[Measured | None]
    place: str = ""

    @property
    def known(self) -> list[Measured]:
        return [f for f in self.found if f]

    @property
    def times_met(self) -> int:
        return sum(f.value <= self.target.limit for f in self.known)

    @property
    def met(self) -> bool:
        return bool(self.known) and self.times_met == len(self.known)

    @property
    def word(self) -> str:
        if not self.known:
            return "NOT MEASURED"
        runs = f"met in {self.times_met} of {len(self.known)}" if len(self.known) > 1 else ""
        return runs or "met" if self.met else f"NOT MET, {runs}".rstrip(", ")


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


def alone(own: Sequence[Entry], library: Sequence[Entry]) -> Measured | None:
    """The ratio of a case that there is once."""
    ratios = [(e.ratio, e.size) for e in own if e.ratio]
    return Measured(ratios[0][0], f"{ratios[0][0]:.2f} at {ratios[0][1]}") if len(ratios) == 1 else None


RATIO, WORST, PRODUCTS, PEAK, STEP = "mean ratio", "largest ratio", "over the products", "peak memory", "training step"
MEANING = (
    f"{RATIO}: geometric mean over the eight sizes of the time over that of {LIBRARY}, (smallest – largest).",
    f"{WORST}: of these eight.",
    f"{PRODUCTS}: largest time, where H is {LARGE} or more, over that of the matrix products alone at the rate of a square "
    "product measured in the same run.",
    f"{STEP}: of a model, or of char_lm with clipping and optimiser, over that of {LIBRARY}; at most 1/0.9 is at least 0.9 "
    "of its characters a second.",
    f"{PEAK}: of a training step, the largest ratio to {LIBRARY}; how it is measured: notes/benchmarks.md.",
)
TARGETS = (
    *(Target(RATIO, cell, "train", "float32", limit, mean) for cell, limit in zip(CELLS, (0.40, 0.55, 0.90), strict=True)),
    *(Target(WORST, cell, "train", "float32", 1.25, largest) for cell in CELLS),
    *(Target(RATIO, cell, "forward", "float32", limit, mean) for cell, limit in zip(CELLS, (0.5, 0.6, 1.0), strict=True)),
    *(Target(RATIO, cell, "train", "float64", 0.8, mean) for cell in CELLS),
    *(Target(PRODUCTS, cell, "train", "float32", FLOOR, floor) for cell in CELLS),
    *(Target(PEAK, cell, "train", "float32", 1.0, memory) for cell in CELLS),
    *(Target(STEP, f"{name} {cell}", "train", "float32", 1.3 if cell == "lstm" else 1.0, alone, "models")
      for name in ("classifier", "generator", "tagger", "seq2seq") for cell in CELLS),
    *(Target(STEP, f"char_lm {cell}", "train", "float32", 1 / 0.9 if cell == "lstm" else 1.0, alone, "models")
      for cell in CELLS),
)


def verdicts(found: Sequence[Entry], runs: Sequence[Run]) -> list[Verdict]:
    """Every target of the presets that a place has files of, place by place, judged file by file."""
    here = [e for e in found if e.device == "cpu" and (e.run.preset == "models" or in_grid(e))]
    made = []
    for name, own in grouped(runs, place).items():
        made += [Verdict(t, [of_file(t, [e for e in here if e.run.number == run.number]) for run in of], name)
                 for t in TARGETS if (of := [run for run in own if (run.preset == "models") == (t.preset == "models")])]
    return made


def place(run: Run) -> str:
    """Where a file was measured, and on how many threads."""
    return where(run, "cpu")


def in_grid(e: Entry) -> bool:
    return (e.case["T"], e.case["B"], e.case["hidden_size"]) in GRID and "model" not in e.case and plain(e)


def plain(e: Entry) -> bool:
    """Whether a case is as in the grid: one layer, one direction, I = H, nothing packed or projected."""
    c = e.case
    return (c["input_size"] == c["hidden_size"] and c["num_layers"] == 1 and not c["bidirectional"] and not c["proj_size"]
            and c["fill"] is None and c["reset_after"] and c["nonlinearity"] == "tanh")


def of_file(target: Target, found: Sequence[Entry]) -> Measured | None:
    rows = [e for e in found if (e.kind, e.phase, e.dtype) == (target.cell, target.phase, target.dtype)]
    measured = target.measure(*([e for e in rows if e.implementation == name] for name in (OURS, LIBRARY)))
    return measured if measured and math.isfinite(measured.value) else None


def arguments() -> argparse.ArgumentParser:
    first, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(prog="python -m benchmarks targets", description=first.partition(": ")[2], epilog=rest,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE", help="result files of presets grid and models; for all of the "
                                                                 "targets in float32 and float64, on all cores and on one")
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
    """A table for each place, a line of a cell for each file that has a figure."""
    for name, verdicts_here in grouped(judged, lambda v: v.place).items():
        made = grid(escape(f"what was asked of {OURS}, {name}"))
        made.caption, made.caption_justify = Text(", ".join(run.name for run in runs if place(run) == name)), "left"
        for column in ("asked", "measured", "verdict"):
            made.add_column(column, overflow="fold")
        for v in verdicts_here:
            found = [Text(f.text, style="" if f.value <= v.target.limit else "bold red") for f in v.known]
            made.add_row(v.target.asked, Text("\n").join(found) if found else Text("–", style="dim"),
                         Text(v.word, style="green" if v.met else "bold red"))
        out.print(made)
        out.print(Text(f"{sum(v.met for v in verdicts_here)} of {len(verdicts_here)} met"))
    for text in MEANING:
        out.print(Text(text, style="dim"))


if __name__ == "__main__":
    sys.exit(main())
