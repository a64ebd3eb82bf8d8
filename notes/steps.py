"""The generated tables of notes/from_equations_to_gemms.md: what each step of the ladder saves, by the result files.

Nothing is measured here.  The figures are those of benchmarks/results; a step whose two ends no file has has none.
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from benchmarks import ratios, results, tables
from benchmarks.tables import Entry

from .labels import ROOT

CELLS, PHASES = ("rnn", "lstm", "gru"), ("forward", "train")
NONE = "no figure yet"


class Step(NamedTuple):
    """From one implementation to the next."""

    name: str
    before: str
    after: str


LADDER = (
    Step("hoist the input product", "torch.loop", "torch.hoisted"),
    Step("write the backward by hand", "torch.hoisted", "torch.bptt"),
    Step("from autograd's loop to NumPy by hand", "torch.hoisted", "numpy"),
    Step("in place, contiguous gates, chunks", "numpy", "numpy.fast"),
    Step("a kernel for each cell", "torch.loop", "torch.cell"),
    Step("the loop in compiled code", "torch.hoisted", "torch.native"),
    Step("compile the step", "torch.hoisted", "torch.compiled"),
    Step("record a graph", "torch.hoisted", "torch.graphed"),
    Step("a fused library: oneDNN or cuDNN", "torch.native", "torch.library"),
)


@cache
def measured() -> tuple[Entry, ...]:
    """Every timed float32 row of one layer in the result files."""
    files = sorted((ROOT / "benchmarks" / "results").glob("*.json"))
    found = tables.load([(f"benchmarks/results/{file.name}", results.read(file)) for file in files])
    return tuple(e for e in found if e.median and e.dtype == "float32" and "model" not in e.case)


def seconds(e: Entry) -> float:
    """The median; ``measured`` has none without."""
    assert e.median
    return e.median


def key(e: Entry) -> tuple:
    """What two rows must share to be compared."""
    return e.run.number, e.phase, tuple(sorted((name, str(v)) for name, v in e.case.items()))


def pairs(step: Step, kind: str, phase: str, device: str, of: Iterable[Entry]) -> list[tuple[Entry, Entry]]:
    """(before, after) of every case that one file has both of"""
    some = [e for e in of if (e.kind, e.phase, e.device) == (kind, phase, device)]
    before = {key(e): e for e in some if e.implementation == step.before}
    return [(before[key(e)], e) for e in some if e.implementation == step.after and key(e) in before]


def quotients(step: Step, kind: str, phase: str, device: str, of: Iterable[Entry]) -> list[float]:
    """after over before, in every such case"""
    return [seconds(after) / seconds(before) for before, after in pairs(step, kind, phase, device, of)]


def saved(values: list[float]) -> str:
    """'0.57× (0.31 – 0.92)': geometric mean, smallest and largest"""
    return f"{tables.times(ratios.geometric(values))} ({min(values):.2f} – {max(values):.2f})" if values else NONE


def ladder(of: Iterable[Entry] | None = None) -> str:
    """Steps by cells and phases, a table for each device that was measured."""
    found = measured() if of is None else tuple(of)
    made = []
    for device in dict.fromkeys(e.device for e in found):
        columns = [(cell, phase) for cell in CELLS for phase in PHASES]
        used = [[after for column in columns for _, after in pairs(step, *column, device, found)] for step in LADDER]
        sources = ", ".join(dict.fromkeys(f"{e.run.name} ({e.where})" for es in used for e in es))
        lines = [f"Measured on {sources}, {device}, float32. Time after the step over time before it: geometric mean "
                 "over the cases, (smallest – largest); below 1 it saves.", "",
                 f"| step | from | to | {' | '.join(f'{cell}, {phase}' for cell, phase in columns)} | measured on |",
                 f"|---|---|---|{'--:|' * len(columns)}---|"]
        for step, es in zip(LADDER, used, strict=True):
            cells = [saved(quotients(step, *column, device, found)) for column in columns]
            where = ", ".join(dict.fromkeys(e.run.name for e in es))
            lines.append(f"| {step.name} | {step.before} | {step.after} | {' | '.join([*cells, where])} |")
        made.append("\n".join(lines))
    return "\n\n".join(made)


def floor() -> str:
    """One LSTM forward: what a step costs, from the smallest product of a step to the largest."""
    shown = ("numpy.fast", tables.LIBRARY)
    some = [e for e in measured()
            if (e.kind, e.phase, e.run.preset) == ("lstm", "forward", "grid") and e.implementation in shown]
    by_case = tables.grouped(some, key)
    lines = ["| measured on | size | multiplications and additions in one step | numpy.fast, one step "
             "| of the machine's rate | torch.library, one step | of the machine's rate |", "|---|---|--:|--:|--:|--:|--:|"]
    for es in sorted(by_case.values(), key=lambda es: (es[0].device, es[0].flops / es[0].case["T"])):
        named = {e.implementation: e for e in es}
        if len(named) == len(shown):
            both = [f"{tables.duration(seconds(named[name]) / es[0].case['T'])} | {rate(named[name])}" for name in shown]
            lines.append(f"| {es[0].run.name}, {es[0].device} | {es[0].size} | {es[0].flops / es[0].case['T']:,.0f} "
                         f"| {' | '.join(both)} |")
    return "\n".join(lines)


def rate(e: Entry) -> str:
    """The rate over that of the machine's own large product, measured in the same run."""
    return tables.percent(e.flops / seconds(e) / 1e9 / e.run.limits[e.device]["gemm_gflops"][e.dtype])
