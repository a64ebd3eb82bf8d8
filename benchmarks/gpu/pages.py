"""What README.md and notes/benchmarks.md say of GPUs, by the files in benchmarks/results: nothing, where there are none.

cog fills in the text, and notes/studies/measured.py draws the figures.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from ..report import command, plots, tables
from ..report.blocks import in_markdown, markdown_table
from ..report.drawing import Plot
from ..report.frame import LIBRARY, File, load, spread
from ..run import results
from . import crossing, rows
from .crew import FINE

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
JUDGED = "judged"  # the folder of the pieces that judge, beside a machine's times
NONE = (
    "No figure from a GPU exists yet: nobody has run this on one. `python3 -m benchmarks gpu` is the command for whoever has one."
)
LOOPED, GRAPHED = "torch.hoisted", "torch.graphed"
MEANS = "geometric mean over the sizes, (smallest – largest); below 1 is faster"


def gpus() -> list[str]:
    """The folders of machines that have a GPU: the file named as its folder says so."""
    found = []
    for folder in sorted(RESULTS.iterdir()) if RESULTS.is_dir() else ():
        files = list(folder.glob(f"{folder.name}.json*"))
        if files and results.read(files[0])["machine"]["gpu"]:
            found.append(folder.name)
    return found


@cache
def measured(folder: Path) -> tuple[list[File], pd.DataFrame]:
    """The files of a machine, its grid first: (files, rows)."""
    paths = sorted(folder.glob("*.json*"), key=lambda path: (len(path.name), path.name))
    files: list[File] = [(path.name, results.read(path)) for path in paths]
    return files, load(files)


def on_cuda(name: str) -> pd.DataFrame:
    """The rows of a machine's grid on its GPU."""
    every = measured(RESULTS / name)[1]
    return every[(every.run == 0) & (every.device == "cuda")]


def said() -> str:
    """A sentence of the note's beginning."""
    names = gpus()
    return (f"Figures from a GPU, {', '.join(names)}: [below](#on-a-gpu)." if names else NONE) + "\n"


def readme() -> str:
    """The part of README.md; empty where there is no figure."""
    parts = []
    for name in gpus():
        float32 = on_cuda(name)
        parts += [compared(name, float32[float32["dtype"] == "float32"]), *pictures(name, "notes/figures", "crossover")]
    return joined(parts)


def sections() -> str:
    """The part of the note; empty where there is no figure."""
    names = gpus()
    return joined(["## On a GPU", *(part for name in names for part in section(name))] if names else [])


def joined(parts: list[str]) -> str:
    return "".join(f"{part}\n\n" for part in parts if part)


def section(name: str) -> Iterator[str]:
    """Everything of one machine."""
    files, every = measured(RESULTS / name)
    yield f"### {name}"
    yield "\n".join(f"- {in_markdown(line)}" for line in command.machine(files[0][1], ["cuda"]))
    yield judged(name)
    trained = every[every.phase == "train"]  # the picture has both phases, the page of the site every table
    if against := [table for table in tables.crossover(trained) if table.title.endswith("the fastest of each")]:
        yield "#### CPU against CUDA"
        yield from (f"{table.title}. {table.caption}\n\n{markdown_table(table.frame)}" for table in against)
        yield from pictures(name, "figures", "crossover")
    yield "#### cuDNN against loops"
    for own in tables.groups(on_cuda(name), ["dtype"]):
        yield compared(name, own)
    yield from pictures(name, "figures", "ratio")
    if graphs := graphed(on_cuda(name)):
        yield "#### Record a graph"
        yield graphs
        yield "[The ladder](from_equations_to_gemms.md#what-each-step-saves) has it beside the other steps."


def compared(name: str, own: pd.DataFrame) -> str:
    """Every way over cuDNN, in one precision; what the library's kernel was."""
    if own.empty or own.ratio.isna().all():
        return ""
    first, frame = own.iloc[0], tables.mean_ratios(own)
    kernels = ", ".join(filter(None, own[own.implementation == LIBRARY].kernel.unique()))
    about = f"**{name}**: {first['where']}, {first['dtype']}. Time over that of {LIBRARY} ({kernels or 'kernel unknown'}): {MEANS}."
    return f"{about}\n\n{markdown_table(frame[frame.implementation != LIBRARY])}"


def graphed(own: pd.DataFrame) -> str:
    """The loop as a graph over the loop, by cell, phase and precision."""
    same = ["dtype", "kind", "phase", "key"]
    before = own[own.implementation == LOOPED][[*same, "median"]]
    both = (
        own[own.implementation == GRAPHED]
        .merge(before, on=same, suffixes=("", "_before"))
        .dropna(subset=["median", "median_before"])
    )
    if both.empty:
        return ""
    saved = (
        both.assign(saved=both["median"] / both.median_before).groupby(["dtype", "kind", "phase"], sort=False).saved.apply(spread)
    )
    frame = tables.texts(saved.reset_index(name="text"), ["dtype"], ["kind", "phase"])
    return f"Time of {GRAPHED} over that of {LOOPED}: {MEANS}.\n\n{markdown_table(frame)}"


def judged(name: str) -> str:
    """How many cases were right, and the largest error over allowed, by way and precision."""
    found: list[dict[str, Any]] = []
    for piece in ("parity", "low"):
        file = RESULTS / name / JUDGED / f"{piece}.json"
        found += rows.read(file)["rows"] if file.exists() else []
    if not found:
        return ""
    frame = pd.DataFrame(found)
    cells = pd.DataFrame(
        [group.iloc[0].to_dict() | {"text": outcome(group)} for group in tables.groups(frame, ["implementation", "dtype"])]
    )
    table = markdown_table(tables.texts(cells, ["implementation"], ["dtype"]))
    return f"Parity, TF32 off in all but its own column: right of judged, and the largest error over allowed.\n\n{table}"


def outcome(group: pd.DataFrame) -> str:
    """'222 of 222, 0.41'"""
    judged = group[group.status != "declined"]
    right = judged[judged.status.isin(FINE)]
    worst = "" if right.empty or right.parity.isna().all() else f", {right.parity.max():.2f}"
    return f"{len(right)} of {len(judged)}{worst}" if len(judged) else "declined"


def figures(name: str) -> Iterator[tuple[str, Plot]]:
    """(what it shows, picture) of those that README.md and the note have."""
    files, every = measured(RESULTS / name)
    grid = on_cuda(name)
    for plot in plots.draw(files, grid[grid["dtype"] == "float32"]):
        if plot.name.endswith("-ratio"):
            yield "ratio", plot
    yield from (("crossover", plot) for plot in crossing.draw(every))


def pictures(name: str, folder: str, what: str) -> Iterator[str]:
    """The links to a machine's pictures of a kind."""
    yield from (f"![{plot.title}, {name}]({folder}/{plot.name}.svg)" for kind, plot in figures(name) if kind == what)


def drawn() -> Iterator[Plot]:
    """The pictures of each GPU."""
    yield from (plot for name in gpus() for _, plot in figures(name))
