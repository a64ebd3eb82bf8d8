"""What README.md, notes/benchmarks.md, the course and the site show of the files in benchmarks/results: cog fills in the
tables, and notes/studies/measured.py draws the pictures."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from ..gpu.pages import gpus
from ..run.results import read
from ..what.config import PHASES
from . import plots, tables
from .blocks import in_markdown, markdown_table, to_html
from .command import every_plot, gemm, report
from .drawing import Plot
from .frame import LIBRARY, File, load, percent, spread, times
from .sizes.tables import short, threads_help

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
MACHINES = tuple(sorted(path.name for path in RESULTS.glob("*") if (path / f"{path.name}.json.gz").is_file()))
SHOWN = "xeon-2"  # in README.md
NATIVE, FAST, COMPILED = "torch.native", "numpy.fast", "numba"
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@cache
def measured(name: str) -> tuple[list[File], pd.DataFrame]:
    """The files of a machine, its grid first: (files, rows)."""
    paths = sorted((RESULTS / name).glob("*.json*"), key=lambda path: (len(path.name), path.name))
    files: list[File] = [(path.relative_to(ROOT).as_posix(), read(path)) for path in paths]
    return files, load(files)


def grid(name: str) -> pd.DataFrame:
    """The rows of a machine's grid in float32 on all processors."""
    rows = measured(name)[1]
    return rows[rows.run == 0]


def ratios(name: str) -> str:
    """The tables of mean ratios of a machine, with a paragraph above each: who was timed on the whole grid, and then, if there
    are others, everybody on the sizes of preset quick, which are three of the grid's."""
    rows = everybody(name)
    few = rows[rows.preset == "quick"]["size"].unique().tolist()
    text = whole(name, rows)
    if set(rows.implementation) - set(on(rows, sizes_of(rows)).implementation):
        text += f"The same over {count(few)} of these sizes, {', '.join(few)}, at which others were timed too:\n\n"
        text += f"{table(on(rows, few))}\n\n"
    return text + strangers(name, rows)


def whole(name: str, rows: pd.DataFrame) -> str:
    """The table of who was timed on the whole grid, with a paragraph above it."""
    sizes = sizes_of(rows)
    first = rows.iloc[0]
    every = "" if first.threads == 1 else "s"
    about = (
        f"**{name}**: {first['where']}, {first.threads} thread{every}, {first['dtype']}, {day(rows)}. Time over that of {LIBRARY}"
    )
    text = f"{about}: geometric mean over {count(sizes)} sizes, (smallest – largest); below 1 is faster.\n\n"
    return f"{text}{table(on(rows, sizes))}\n\n"


def sizes_of(rows: pd.DataFrame) -> list[str]:
    """The sizes of the grid."""
    return rows[rows.preset == "grid"]["size"].unique().tolist()


def everybody(name: str) -> pd.DataFrame:
    """Layers in float32 on the CPU on all processors, of files that have torch.nn's layer too; each implementation once in
    each case, by the file of the grid before others."""
    files, rows = measured(name)
    cores = [content["machine"]["cores"] for _, content in files]
    here = rows.preset.isin(("grid", "quick")) & (rows["dtype"] == "float32") & (rows.device == "cpu") & rows.model.isna()
    rows = rows[here & (rows.threads == rows.run.map(dict(enumerate(cores))))]
    beside = rows[rows.implementation == LIBRARY].run.unique()
    return rows[rows.run.isin(beside)].drop_duplicates(["implementation", "key"])


def on(rows: pd.DataFrame, sizes: Sequence[str]) -> pd.DataFrame:
    """The rows at some sizes, of implementations that were timed at all of them for some cell and phase."""
    own = rows[rows["size"].isin(sizes)]
    timed = own[own.ratio.notna()].groupby(["implementation", "kind", "phase"])["size"].nunique()
    whole = timed[timed == len(sizes)].index.get_level_values("implementation")
    return own[own.implementation.isin(whole)]


def table(rows: pd.DataFrame) -> str:
    """Everybody but the library that all are held against."""
    frame = tables.mean_ratios(rows)
    return markdown_table(frame[frame.implementation != LIBRARY])


def strangers(name: str, rows: pd.DataFrame) -> str:
    """A line of what libraries by others said of themselves, version and threads, when these rows were made."""
    files = [measured(name)[0][run][1] for run in rows.run.unique()]
    said = {k: v for content in files for k, v in content["environment"].get("strangers", {}).items()}
    return f"{'; '.join(f'{k}: {v}' for k, v in said.items())}.\n\n" if said else ""


def count(things: Sequence[str]) -> str:
    """In a word, if there is one."""
    return NUMBERS[len(things)] if len(things) < len(NUMBERS) else str(len(things))


def day(rows: pd.DataFrame) -> str:
    """'2026-11-26', or the first and the last day."""
    return " to ".join(sorted({min(days := rows.started.str[:10]), max(days)}))


def readme() -> str:
    """The table of figures in README.md: who was timed on the whole grid."""
    rows = everybody(SHOWN)
    return whole(SHOWN, rows) + strangers(SHOWN, on(rows, sizes_of(rows)))


def machines() -> str:
    """In the note: a part for each machine, with its page on the site."""
    parts = []
    for name in MACHINES:
        file = f"../benchmarks/results/{name}/{name}.json.gz"
        page = f"Every time, its quartiles, kernel, parity and memory, and the other presets: [{name}]({file}) on the site."
        figure = f"![Time over that of {LIBRARY} on {name}, case by case](figures/{name}-cpu-float32-ratio.svg)"
        parts.append(f"### {name}\n\n{ratios(name)}{figure}\n\n{page}\n\n")
    return "".join(parts)


def limits() -> str:
    """What each machine itself reached, in the run of its grid."""
    lines = []
    for name in MACHINES:
        of = measured(name)[0][0][1]["limits"]["cpu"]
        lines.append(f"- {name}: {in_markdown(gemm(of))}; copy {of['copy_gbs']:.1f} GB/s")
    return "\n".join(lines) + "\n\n"


def reached() -> str:
    """How near the compiled LSTM and torch.nn's come to the machine's own limit, size by size, and to each other."""
    rows = grid(SHOWN)
    rows = rows[(rows.kind == "lstm") & rows.implementation.isin((COMPILED, LIBRARY))]
    sizes = list(dict.fromkeys(rows["size"]))
    frame = pd.DataFrame({"size": sizes})
    for phase in PHASES:
        own = rows[rows.phase == phase].set_index(["implementation", "size"])
        frame[f"{phase}: time over {LIBRARY}'s"] = [times(own.ratio[COMPILED, size]) for size in sizes]
        for name in (COMPILED, LIBRARY):
            frame[f"{phase}: {name}, of the machine's limit"] = [percent(own.fraction[name, size]) for size in sizes]
    return f"{markdown_table(frame)}\n\n"


def exponents() -> str:
    """The exponents of the machine that is shown, from its preset scaling; and where two threads begin to help."""
    rows = measured(SHOWN)[1]
    swept = rows[(rows.preset == "scaling") & (rows["dtype"] == "float32") & (rows.device == "cpu")]
    if swept.empty:
        return f"{SHOWN} has no file of preset scaling.\n\n"
    text = f"{SHOWN}, {swept.threads.iloc[0]} threads, float32, {day(swept)}.\n\n{markdown_table(short(swept), 2)}\n\n"
    for block in threads_help(rows[rows["dtype"] == "float32"]):
        text += f"{in_markdown(block.title.split(' · ')[0])}: {block.caption}\n\n{markdown_table(block.frame)}\n\n"
    return text


def cells(who: str = "implementation", forward: str = "forward", train: str = "train") -> str:
    """In the course: the times of GRU and RNN over that of the LSTM, by who computes them; the words are those of its languages."""
    rows = grid(SHOWN)
    times_of = rows.set_index(["implementation", "kind", "phase", "size"])["median"].sort_index()
    frame = pd.DataFrame({who: [LIBRARY, NATIVE, FAST, COMPILED]})
    for kind in ("gru", "rnn"):
        for phase, said in zip(PHASES, (forward, train), strict=True):
            ratios_of = (times_of[name, kind, phase] / times_of[name, "lstm", phase] for name in frame[who])
            frame[f"{kind} / lstm, {said}"] = [spread(ratio) for ratio in ratios_of]
    return f"{markdown_table(frame)}\n\n"


def pages() -> Iterator[tuple[str, str]]:
    """(name, HTML) of a page with every table and plot of each machine."""
    for name in (*MACHINES, *(name for name in gpus() if name not in MACHINES)):
        files, rows = measured(name)
        yield f"measured-{name}", to_html(f"Measured on {name}", report(files, rows, every_plot(files, rows)))


def pictures() -> Iterator[Plot]:
    """One plot for each machine: the ratios of its grid."""
    for name in MACHINES:
        yield from (plot for plot in plots.draw(measured(name)[0], grid(name)) if plot.name.endswith("-ratio"))
