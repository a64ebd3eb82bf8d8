"""``python -m benchmarks claims``: Hold every claim of README.md and the notes against the result files.

The claims are in benchmarks/claims/claims.toml.  A claim that no file supports has failed, and so has one whose file has
fewer cases than it speaks of.

Exit status: 0 all hold; 1 one does not, or the files of a machine do not belong together; 2 a file is unusable.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.text import Text

from parity_tests.judge.terminal import console, say
from reference.common.command import guarded, parser

from ..report.blocks import Table, print_table
from ..run.clock import three
from ..run.facts.code import code
from .claim import FIGURES, FILE, ClaimError, Claims, read
from .evidence import Found, Measured, Verdict, judged, measured, of_one_kind

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"


def main(argv: Sequence[str] | None = None) -> int:
    options = parser("python -m benchmarks claims", __doc__ or "")
    options.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="a folder for each machine")
    options.add_argument("--claims", type=Path, default=FILE, metavar="FILE", help="other claims than this project's")
    args = options.parse_args(argv)
    return guarded(lambda: run(read(args.claims), args.results, console()))


def run(claims: Claims, folder: Path, out: Console) -> int:
    """The exit status.  ClaimError, ResultError: a file is unusable."""
    machines = measured(folder)
    if not machines:
        raise ClaimError(f"{folder} holds no result files: run this in a checkout, or name a folder with --results")
    verdicts = [judged(claim, machines) for claim in claims.claims]
    print_table(out, table(verdicts))
    wrong = list(of_one_kind(claims.files, machines))
    failed = sum(not v.holds for v in verdicts)
    for text in wrong:
        say(out, text, style="bold red")
    for text in of_other_code(machines):
        say(out, text, style="yellow")
    silent = [e for e in claims.exempt if e.heading]
    for e in silent:
        say(out, f"{e.file}, {e.heading!r}: its numbers are in no file: {e.why}", style="yellow")
    style = "bold red" if failed or wrong else "green"
    out.print(Text(f"{len(verdicts) - failed} of {len(verdicts)} claims hold", style=style))
    return int(bool(failed or wrong))


def table(verdicts: Sequence[Verdict]) -> Table:
    """A line for each claim and file."""
    lines = []
    for v in verdicts:
        c = v.claim
        figure = f"{c.statistic} of {FIGURES[c.figure]}" + ("" if c.figure == "fraction" else f" {c.over}")
        said = f"{c.sentence}\n{figure}, {c.cases} case{'s' * (c.cases != 1)}; {', '.join(c.where) or 'a target'}"
        for i, f in enumerate(v.found or [Found("–", None, "nothing")]):
            verdict = "holds" if f.value is not None and c.admits(f.value) else f"✗ error: {v.word}"
            measured = f.lacking if f.value is None else three(f.value)
            lines.append(["" if i else said, f.file.removesuffix(".gz").removesuffix(".json"), measured, c.bound(), verdict])
    return Table("claims", "", pd.DataFrame(lines, columns=["claim", "file", "measured", "bound", "verdict"]), 2)


def of_other_code(machines: Sequence[Measured]) -> list[str]:
    """Files that say that they are of other code than what is here."""
    here, lines = code(), []
    for m in machines:
        known = [content["environment"].get("code") for _, content in m.files]
        changed = sorted({part for of in known if of for part in of if of[part] != here.get(part)})
        if changed:
            lines.append(f"{m.machine} was measured with another {', '.join(changed)} than this checkout has")
    return lines
