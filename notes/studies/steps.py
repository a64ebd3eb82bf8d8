"""The generated tables of notes/from_equations_to_gemms.md: what each step of the ladder saves, by the result files.

Nothing is measured here.  The figures are those of benchmarks/results; a step whose two ends no file has has none.
"""

from functools import cache
from typing import Any, NamedTuple

import pandas as pd

from benchmarks.report.frame import LIBRARY, load, percent, said, spread
from benchmarks.run import results

from ..generated import markdown
from ..labels import ROOT

CELLS, PHASES = ("rnn", "lstm", "gru"), ("forward", "train")
NONE = "no figure yet"


class Step(NamedTuple):
    """From one implementation to the next."""

    name: str
    before: str
    after: str


SHOWN = ("numpy.fast", "numba", LIBRARY)  # whose steps are set beside each other
LADDER = (
    Step("hoist the input product", "torch.loop", "torch.hoisted"),
    Step("write the backward by hand", "torch.hoisted", "torch.bptt"),
    Step("from autograd's loop to NumPy by hand", "torch.hoisted", "numpy"),
    Step("in place, contiguous gates, derivatives hoisted", "numpy", "numpy.fast"),
    Step("loops in compiled code, weights laid out once", "numpy.fast", "numba"),
    Step("a kernel for each cell", "torch.loop", "torch.cell"),
    Step("the loop in compiled code", "torch.hoisted", "torch.native"),
    Step("compile the step", "torch.hoisted", "torch.compiled"),
    Step("record a graph", "torch.hoisted", "torch.graphed"),
    Step("a fused library: oneDNN or cuDNN", "torch.native", "torch.library"),
    Step("a kernel of our own for each step", "torch.hoisted", "torch.triton.step"),
    Step("one kernel of our own for all steps", "torch.triton.step", "torch.triton"),
)


@cache
def measured() -> pd.DataFrame:
    """Every timed float32 row of one layer in the result files, those of a machine's first grid before others."""
    files = sorted((ROOT / "benchmarks" / "results").glob("*/*.json*"), key=lambda f: (f.parent.name, len(f.name), f.name))
    rows = load([(f"benchmarks/results/{file.parent.name}/{file.name}", results.read(file)) for file in files])
    return rows[rows["median"].notna() & (rows.dtype == "float32") & rows.model.isna()]


def pairs(step: Step, of: pd.DataFrame) -> pd.DataFrame:
    """A line for every case that one file has both ends of; saved is the time after over the time before."""
    before = of[of.implementation == step.before][["run", "key", "median"]]
    both = of[of.implementation == step.after].merge(before, on=["run", "key"], suffixes=("", "_before"))
    return both.assign(saved=both["median"] / both.median_before)


def saved(quotients: pd.Series) -> str:
    """'0.57× (0.31 – 0.92)': geometric mean, smallest and largest"""
    return spread(quotients) if len(quotients) else NONE


def ladder(of: pd.DataFrame | None = None) -> str:
    """Steps by cells and phases, a table for each device that was measured."""
    rows = measured() if of is None else of
    rows = rows[rows.kind.isin(CELLS)]
    columns = [(cell, phase) for cell in CELLS for phase in PHASES]
    head = ["step", "from", "to", *(f"{cell}, {phase}" for cell, phase in columns), "measured on"]
    tables = []
    for device in rows.device.unique():
        ends = {step: pairs(step, rows[rows.device == device]) for step in LADDER}
        sources = pd.concat(ends.values()).drop_duplicates("run").sort_values("run")
        where = ", ".join(f"{r.name} ({r.where})" for r in sources.itertuples(index=False))
        said = (
            f"Measured on {where}, {device}, float32. Time after the step over time before it: geometric mean over the cases, "
            "(smallest – largest); below 1 it saves."
        )
        lines = []
        for step, both in ends.items():
            cells = [saved(both[(both.kind == cell) & (both.phase == phase)].saved) for cell, phase in columns]
            lines.append([*step, *cells, ", ".join(both.sort_values("run").name.unique())])
        tables.append("\n".join([said, "", *markdown(head, lines, (0, 1, 2, len(head) - 1))]))
    return "\n\n".join(tables)


def floor() -> str:
    """One LSTM forward: what a step costs, from the smallest product of a step to the largest; what was measured more than once
    by the first file."""
    rows = measured()[measured().implementation.isin(SHOWN)].drop_duplicates(["where", "threads", "implementation", "key"])
    rows = rows[(rows.kind == "lstm") & (rows.phase == "forward") & (rows.preset == "grid")]
    rows = rows.assign(work=rows.flops / rows["T"]).sort_values(["device", "work"], kind="stable")
    head = ["measured on", "size", "multiplications and additions in one step"]
    head += [text for name in SHOWN for text in (f"{name}, one step", "of the machine's rate")]
    lines = []
    for _, case in rows.groupby(["run", "key"], sort=False):
        by_name, r = {r.implementation: r for r in case.itertuples()}, case.iloc[0]
        lines.append([f"{r['name']}, {r.device}", r["size"], f"{r.work:,.0f}"])
        lines[-1] += [text for name in SHOWN for text in (a_step(by_name[name]) if name in by_name else ("", ""))]
    return "\n".join(markdown(head, lines, (0, 1)))


def a_step(row: Any) -> tuple[str, str]:
    """The time of a step, and its rate over that of the machine's own large product, measured in the same run."""
    peak = results.read(ROOT / row.file)["limits"][row.device]["gemm_gflops"][row.dtype]
    return said(row.median / row.T), percent(row.gflops / peak)
