"""What README.md, notes/benchmarks.md and the site show of the files in benchmarks/results.

python -m benchmarks.report.published    draws the figures of the note; cog fills in the tables
"""

import argparse
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pandas as pd

from ..gpu import crossing
from ..gpu.pages import gpus
from ..run.results import read
from . import plots, tables
from .blocks import in_markdown, markdown_table, to_html
from .command import gemm, report
from .frame import LIBRARY, File, load

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "notes" / "figures"
MACHINES = ("epyc-2", "epyc-milan-2", "xeon-2")
SHOWN = "xeon-2"  # in README.md: all of its files are of one engine


@cache
def measured(name: str) -> tuple[list[File], pd.DataFrame]:
    """The files of a machine, its grid first: (files, rows)."""
    paths = sorted((ROOT / "benchmarks" / "results" / name).glob("*.json*"), key=lambda path: len(path.name))
    files: list[File] = [(path.relative_to(ROOT).as_posix(), read(path)) for path in paths]
    return files, load(files)


def grid(name: str) -> pd.DataFrame:
    """The rows of a machine's grid in float32 on all processors."""
    rows = measured(name)[1]
    return rows[rows.run == 0]


def ratios(name: str) -> str:
    """The table of mean ratios of a machine's grid."""
    rows = grid(name)
    frame, first = tables.mean_ratios(rows), rows.iloc[0]
    about = (
        f"**{name}**: {first['where']}, {first.threads} threads, {first['dtype']}. Time over that of {LIBRARY}: geometric "
        "mean over eight sizes, (smallest – largest); below 1 is faster."
    )
    return f"{about}\n\n{markdown_table(frame[frame.implementation != LIBRARY])}\n\n"


def readme() -> str:
    """The one table of figures in README.md."""
    return ratios(SHOWN)


def limits() -> str:
    """What each machine itself reached, in the run of its grid."""
    lines = []
    for name in MACHINES:
        of = measured(name)[0][0][1]["limits"]["cpu"]
        lines.append(f"- {name}: {in_markdown(gemm(of))}; copy {of['copy_gbs']:.1f} GB/s")
    return "\n".join(lines) + "\n\n"


def pages() -> Iterator[tuple[str, str]]:
    """(name, HTML) of a page with every table and plot of each machine."""
    for name in (*MACHINES, *(name for name in gpus() if name not in MACHINES)):
        files, rows = measured(name)
        drawn = [*plots.draw(files, rows), *crossing.draw(rows)]
        yield f"measured-{name}", to_html(f"Measured on {name}", report(files, rows, drawn))


def main() -> None:
    """One plot for each machine: the ratios of its grid."""
    argparse.ArgumentParser(prog="python -m benchmarks.report.published", description=main.__doc__).parse_args()
    for name in MACHINES:
        for plot in plots.draw(measured(name)[0], grid(name)):
            if plot.name.endswith("-ratio"):
                (FIGURES / f"{plot.name}.svg").write_bytes(plot.save("svg"))


if __name__ == "__main__":
    main()
