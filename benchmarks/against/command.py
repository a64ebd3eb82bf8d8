"""``bptt-bench --impl my_lib.adapter --against torch.library``: Time one implementation against another, and say how sure that is.

Both are judged first; what is wrong is not timed.  Then they take turns in one process.  A ratio is the geometric mean over
rounds of the one's time over the other's; below 1 the first is faster.  Its interval is a bootstrap of the rounds, in
which both turns of a round stay together: within it the ratio lies in 95 of 100 such measurements on this machine.

Written into the folder: against.html, against.json, and result.json, which `report` and `compare` read.

Exit status: 0 all that was measured was right; 1 something was wrong or raised an error, or nothing could be compared;
2 something was asked for that is not there.  `python -m benchmarks --impl ...` is the same.
"""

import argparse
import json
import shlex
import warnings
from collections.abc import Sequence
from pathlib import Path

import rich.progress
from rich.console import Console

from parity_tests.judge import terminal
from reference.common.command import above_zero, guarded, parser
from reference.common.output import put_text

from ..report.blocks import to_html
from ..run import clock, machine, results
from ..run.command import Work, finish_limits, introduce, planned
from ..run.measure import Setting, measure
from ..what.config import PHASES
from ..what.precision import PRECISIONS
from ..what.presets import CELLS, PRESETS
from .comparison import Comparison, compared
from .page import blocks

ROUNDS, FEWEST = 15, 8  # of which an interval is made; the fewest where a round takes longer than all of the time


def arguments() -> argparse.ArgumentParser:
    options = parser("bptt-bench", __doc__ or "")
    options.add_argument("--impl", required=True, metavar="NAME", help="a module with load(spec, weights), or a built-in name")
    options.add_argument("--against", default="torch.library", metavar="NAME", help="likewise (default: torch.library)")
    options.add_argument("--preset", choices=PRESETS, default="quick", help="which sizes (default: quick)")
    options.add_argument("--cell", action="append", choices=CELLS, help="may be repeated (default: all)")
    options.add_argument("--phase", action="append", choices=PHASES, help="may be repeated (default: both)")
    options.add_argument("--dtype", choices=PRECISIONS, default="float32", help="default: float32")
    options.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="default: cpu")
    options.add_argument("--threads", type=int, metavar="N", help="compute on N processors (default: all there are)")
    seconds = f"of measuring, for each of the two in each case, once there are {ROUNDS} rounds (default: 1)"
    options.add_argument("--seconds", type=above_zero, default=1.0, metavar="S", help=seconds)
    options.add_argument("--out", type=Path, default=Path("out/against"), metavar="FOLDER", help="default: out/against")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    args = arguments().parse_args(argv)
    warnings.filterwarnings("ignore", "TF32 acceleration on top of oneDNN")
    warnings.filterwarnings("ignore", "LSTM with projections is not supported with oneDNN")
    return guarded(lambda: run(args), args.out, "interrupted; nothing was written")


def run(args: argparse.Namespace) -> int:
    """The exit status.  ValueError: somebody or something was asked for that is not there."""
    if args.impl == args.against:
        raise ValueError(f"{args.impl} against itself: name another with --against")
    out, here = terminal.console(highlight=False, markup=False), machine.machine()
    with machine.threads(args.threads):
        asked = {"impl": [args.impl, args.against], "device": [args.device], "dtype": [args.dtype]}
        works = planned(argparse.Namespace(**(vars(args) | asked)))
        result = results.new(args.preset, command(args), here, machine.environment())
        introduce(result, works)
        finish_limits(result, works, out)
        result["rows"], doubtful = measured(works, result, args.seconds, out)
    about = {name: result["environment"]["strangers"].get(name, "") for name in (args.impl, args.against)}
    comparison = compared(result["rows"], args.impl, args.against)
    threads = result["environment"]["torch_threads"]
    for text in said(comparison, args, about, threads, doubtful, len(works)):
        terminal.say(out, text, style="bold red" if "✗" in text else "")
    write(args.out, comparison, result)
    terminal.say(out, f"{args.out}: against.html, against.json, result.json")
    bad = any(row["status"] in ("wrong", "error") for row in result["rows"])
    return int(bad or not comparison.cases)


def command(args: argparse.Namespace) -> str:
    """How to do it again."""
    words = ["bptt-bench", "--impl", args.impl, "--against", args.against, "--preset", args.preset]
    words += [word for name in ("cell", "phase") for value in getattr(args, name) or () for word in (f"--{name}", value)]
    words += ["--dtype", args.dtype, "--device", args.device, "--seconds", f"{args.seconds:g}"]
    return shlex.join([*words, *(["--threads", str(args.threads)] if args.threads else [])])


def measured(works: Sequence[Work], result: results.Result, seconds: float, out: Console) -> tuple[list[results.Row], list[str]]:
    """(rows, what was doubtful in how many cases); many short turns, since a round counts as one."""
    plan = clock.Plan(seconds=seconds, rounds=ROUNDS, fewest=FEWEST, most=4 * ROUNDS, stable=0.002, turn=4, turn_s=0.02)
    rows: list[results.Row] = []
    doubtful: list[str] = []
    columns = ("{task.description}", rich.progress.BarColumn(), rich.progress.TimeElapsedColumn())
    with rich.progress.Progress(*columns, console=out, transient=True) as progress:
        task = progress.add_task("", total=sum(w.weight for w in works))
        note, warn = (lambda text: progress.update(task, description=text)), doubtful.append
        setting = Setting(result["limits"], plan, note=note, warn=warn)
        for w in works:
            declining = [i for i in w.implementations if w.config.reason_to_decline(i)]  # the other alone is no pair
            rows += measure(w.config, w.phase, declining or w.implementations, setting)
            progress.advance(task, w.weight)
    return rows, doubtful


def said(
    c: Comparison, args: argparse.Namespace, about: dict[str, str], threads: int, doubtful: Sequence[str], number: int
) -> list[str]:
    """About ten lines."""
    own, other = (f"{name} ({text})" if text else name for name, text in about.items())
    many = f" on {threads} thread{'s' * (threads != 1)}" if args.device == "cpu" else ""
    where = f"preset {args.preset}, {args.dtype}, {args.device}{many}"
    lines = [f"{own} over {other}: time, {where}; below 1 it is faster"]
    width = max(len(group.name) for group in c.groups)
    lines += [f"  {group.name:{width}}  {group.text}" for group in c.groups]
    if c.cases:
        rounds = min(case.ratio.rounds for case in c.cases)
        lines.append(
            f"in brackets: 95% by paired bootstrap over the rounds of each case, {rounds} at least; (smallest – largest size)"
        )
        lines.append(f"both were judged first: worst error {c.parity:.2f} of what is allowed")
    else:
        lines.append("nothing could be compared")
    if doubtful and c.cases:
        lines.append(f"others kept the processors busy in {len(doubtful)} of {number} cases: measure again when nothing else runs")
    return lines


def write(folder: Path, comparison: Comparison, result: results.Result) -> None:
    """The page and the two files, in a folder that need not be there."""
    folder.mkdir(parents=True, exist_ok=True)
    results.write(folder / "result.json", result)
    head = {k: result[k] for k in ("command", "started", "preset", "machine", "environment")}
    text = json.dumps({"format": "bptt-against", "version": 1} | head | comparison.as_json(), indent=1, allow_nan=False)
    put_text(folder / "against.json", text + "\n")
    title = f"{comparison.own} over {comparison.other}"
    put_text(folder / "against.html", to_html(title, list(blocks(comparison, result))))
