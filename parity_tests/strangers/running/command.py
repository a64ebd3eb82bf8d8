"""``python -m parity_tests.strangers [NAME ...]``: judge libraries by others, each in an environment of its own.

What each needs is installed once, into out/strangers; several are judged at a time, each in a process that may crash.  Results
are kept in parity_tests/strangers/results, one file each, and what changed against the last one is said.

Exit status: 0 all were judged; 1 one could not be installed, loaded or judged, a finding is gone, or a converter fails;
2 something was asked for that is not there; 130 Ctrl-C.
"""

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from reference.common.command import UsageError, above_zero, guarded, parser, positive

from ...judge import terminal
from ...judge.strangers import STRANGERS
from . import results
from .environments import InstallError
from .judging import JudgeError, judged

AT_ONCE = os.cpu_count() or 1


def arguments() -> argparse.ArgumentParser:
    p = parser("python -m parity_tests.strangers", __doc__ or "")
    p.add_argument("names", nargs="*", metavar="NAME", help="who is judged (default: all; --list names them)")
    p.add_argument("--list", action="store_true", help="print who there is, and what each needs, and stop")
    p.add_argument("--cases", action="append", default=[], metavar="GLOB", help="only these cases; nothing is kept then")
    p.add_argument("-j", type=positive, default=AT_ONCE, metavar="N", help=f"so many at a time (default: {AT_ONCE})")
    p.add_argument("--timeout", type=above_zero, default=400.0, metavar="SECONDS", help="for each case (default: 400)")
    p.add_argument("--results", type=Path, default=results.PLACE, metavar="DIR", help="where results are kept")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    args = arguments().parse_args(argv)
    return guarded(lambda: run(args, terminal.console(highlight=False, markup=False)))


def run(args: argparse.Namespace, console: Console) -> int:
    """Returns the exit status.  UsageError: somebody was named who is not there."""
    if unknown := [name for name in args.names if name not in STRANGERS]:
        raise UsageError(f"no adapter is named {unknown[0]!r}; there are {', '.join(STRANGERS)}")
    if args.list:
        terminal.say(console, *(f"{name:20} {s.library:28} {' '.join(s.needs)}" for name, s in STRANGERS.items()))
        return 0
    before = results.kept(args.results)
    names = sorted(args.names or STRANGERS, key=lambda name: -before.get(name, {"seconds": 1e9})["seconds"])  # the longest first
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    failed = 0
    with Progress(*columns, console=console, transient=True) as progress, ThreadPoolExecutor(args.j) as pool:
        task = progress.add_task("judging", total=len(names))
        jobs = {pool.submit(judged, name, STRANGERS[name], args.cases, args.timeout): name for name in names}
        try:
            for job in as_completed(jobs):
                failed += conclude(console, jobs[job], job, before, args)
                progress.update(task, advance=1)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    return int(failed > 0)


def conclude(console, name, job, before, args) -> bool:
    """Say what became of one, and keep it; returns whether something is not as it should be."""
    try:
        result = job.result()
    except (InstallError, JudgeError, OSError) as e:
        terminal.say(console, f"{name}: {e}", style="bold red")
        return True
    counts = ", ".join(f"{n} {outcome}" for outcome, n in result["counts"].items() if n)
    terminal.say(console, f"{name}: {result['about']}: {counts}, {result['seconds']} s")
    for change in results.changes(before.get(name), result):
        terminal.say(console, f"  {change}")
    if not args.cases:
        results.write(result, args.results)
    gone = any(finding["status"] != "there" for finding in result["findings"].values())
    return gone or any(word in result["converters"] for word in ("failed", "error", "no test"))
