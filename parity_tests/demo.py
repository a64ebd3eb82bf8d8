"""``python -m parity_tests.demo``: real text and a real series through NumPy and PyTorch from the same weights.

Every output and every gradient is compared, the table printed; then one line of the NumPy LSTM is broken, and the
report says which.  The reports go to ``out/``.
"""

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from reference import data as corpora

from . import files, report, terminal
from .broken import implementation
from .cases import Case, Data, Spec
from .definition import check_all
from .faults import FAULTS
from .implementations import BUILTIN, Implementation
from .suite import Result, run_case

OUT = Path("out")
CELLS, DTYPES, SIDES = ("rnn", "lstm", "gru"), ("float32", "float64"), ("numpy", "torch.library")
PLANTED = "forget gate's gradient from the new cell state"


@dataclass(frozen=True)
class RealCase(Case):
    """A case whose input is real, and whose upstream gradients are those of a real loss: predict what comes next."""

    source: str = ""

    def data(self) -> Data:
        """Random weights and states; x, and dy from the cross-entropy or squared error of a random linear readout."""
        drawn = super().data()
        x, target = SOURCES[self.source](self.T, self.B)
        readout = np.random.default_rng(1).normal(0, 0.3, (self.spec.hidden_size, target.shape[-1]))
        layer = BUILTIN["numpy"].load(self.spec, drawn.weights)
        y, _ = layer.forward(x.astype(self.spec.dtype), drawn.state)
        output = y @ readout
        if self.source == "text":
            e = np.exp(output - output.max(-1, keepdims=True))
            output = e / e.sum(-1, keepdims=True)
        dy = (output - target) @ readout.T / (self.T * self.B)
        return drawn._replace(x=x.astype(self.spec.dtype), dy=dy.astype(self.spec.dtype))


@cache
def text(T: int, B: int) -> tuple[np.ndarray, np.ndarray]:
    """B passages of Shakespeare of T characters, one-hot, and the same one character later: two (T, B, V)."""
    plays = corpora.shakespeare()
    letters = {c: k for k, c in enumerate(sorted(set(plays)))}
    starts = np.linspace(0, len(plays) - T - 2, B).astype(int)
    index = np.array([[letters[c] for c in plays[s : s + T + 1]] for s in starts]).T
    one_hot = np.eye(len(letters))[index]
    return one_hot[:-1], one_hot[1:]


@cache
def series(T: int, B: int) -> tuple[np.ndarray, np.ndarray]:
    """B windows of T months of sunspots, standardised, and the same one month later: two (T, B, 1)."""
    values = corpora.sunspots()
    values = (values - values.mean()) / values.std()
    starts = np.linspace(0, len(values) - T - 1, B).astype(int)
    windows = np.stack([values[s : s + T + 1] for s in starts], axis=1)[..., None]
    return windows[:-1], windows[1:]


SOURCES = {"text": text, "sunspots": series}
TITLES = {"text": "Shakespeare: 16 passages of 64 characters, H = 48",
          "sunspots": "Sunspots: 12 windows of 132 months, H = 32"}


def cases(source: str, vocabulary: int) -> list[RealCase]:
    """RNN, LSTM and GRU on one source, in both dtypes."""
    I, H, T, B = {"text": (vocabulary, 48, 64, 16), "sunspots": (1, 32, 132, 12)}[source]
    return [RealCase(Spec(cell, I, H, dtype=dtype), T=T, B=B, gain=0.15, label=source, source=source)
            for cell in CELLS for dtype in DTYPES]


def main() -> int:
    console = terminal.console()
    try:
        vocabulary = len(set(corpora.shakespeare()))
        corpora.sunspots()
    except FileNotFoundError as e:
        console.print(f"error: {e}", style="bold red", markup=False)
        return 2
    results: list[Result] = []
    with console.status("the definition against autograd and torch.nn"):
        definition = [check._asdict() for check in check_all()]
    for source, title in TITLES.items():
        with console.status(title):
            here = [run_case(BUILTIN[side], case) for case in cases(source, vocabulary) for side in SIDES]
        console.print(every_tensor(title, here))
        results += [r._replace(implementation=f"{r.implementation} · {source}") for r in here]
    made = report.build(results, definition, "cpu")
    console.print(terminal.definition(made))
    console.print(Text(report.RULE, style="dim"))
    planted = plant(console, vocabulary, definition)
    save(console, made, "parity")
    save(console, planted, "planted_fault")
    wrong = sum(not r.ok for r in results)
    console.print(Text(f"{len(results)} runs, {wrong} wrong; the planted fault was "
                       + ("caught" if planted["implementations"][0]["failed"] else "NOT caught"),
                       style="bold red" if wrong else "bold green"))
    return int(bool(wrong) or not planted["implementations"][0]["failed"])


def every_tensor(title: str, results: list[Result]) -> Table:
    """A row for each cell and tensor: the error of both sides in both dtypes, and what is allowed."""
    table = terminal.grid(title)
    for name in ("cell", "tensor", *(c for d in DTYPES for c in (f"{d} NumPy", "PyTorch", "allowed")), "verdict"):
        table.add_column(name, justify="left" if name in ("cell", "tensor", "verdict") else "right")
    found = {(r.case.spec.cell, r.case.spec.dtype, r.implementation, v.tensor): v for r in results for v in r.verdicts}
    for cell in CELLS:
        names = list(dict.fromkeys(name for c, _, _, name in found if c == cell))
        for k, name in enumerate(names):
            verdicts = [found[cell, dtype, side, name] for dtype in DTYPES for side in SIDES]
            cells = [terminal.figure(x) for v, w in zip(verdicts[::2], verdicts[1::2], strict=True)
                     for x in (v.error, w.error, w.allowed)]
            table.add_row("" if k else cell.upper(), name, *cells, terminal.mark(all(v.ok for v in verdicts)),
                          end_section=k == len(names) - 1)
    return table


def plant(console: Console, vocabulary: int, definition: list[dict]) -> dict[str, Any]:
    """Break one line of a copy of ``reference`` and print how the report names it."""
    fault = next(f for f in FAULTS if f.name == PLANTED)
    console.print(Panel(Text(f"{fault.file}, {fault.name}\n- {fault.old}\n+ {fault.new}"), title="one line broken",
                        title_align="left"))
    culprit: Implementation = implementation(fault)
    with console.status("the broken copy"):
        broken = [run_case(culprit, case) for case in cases("text", vocabulary) if case.spec.kind in fault.kinds]
    made = report.build([r._replace(implementation="numpy, one line broken") for r in broken], definition, "cpu")
    console.print(terminal.outcome(made["implementations"][0]))
    return made


def save(console: Console, made: dict[str, Any], name: str) -> None:
    for suffix in (".html", ".md"):
        files.write(made, OUT / f"{name}{suffix}")
        console.print(f"wrote {OUT / name}{suffix}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
