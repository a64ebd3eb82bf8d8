"""``python -m parity_tests``: judge implementations of RNN, LSTM and GRU, our own and other people's.

Exit status: 0 nothing failed; 1 something did, or nothing could be compared, or what was known to fail passes; 2 something
was asked for that is not there; 130 Ctrl-C.

``python -m parity_tests compare A.json B.json`` says what changed between two reports.
"""

import argparse
import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from reference.common.command import above_zero, failed, parser, positive
from reference.common.screen import prose

from . import pages, report, terminal
from .definition import check_all
from .implementations import Implementation
from .running import compare, options, workers
from .running.expected import marked
from .running.log import Log
from .running.options import Chosen
from .suite import FAILING, Result, run_case


def arguments() -> argparse.ArgumentParser:
    p = parser("python -m parity_tests", __doc__ or "")
    options.add(p.add_argument)
    files = "write the report too, as .json, .md or .html; may be repeated"
    p.add_argument("--report", type=Path, action="append", default=[], metavar="FILE", help=files)
    p.add_argument("--list", action="store_true", help="print the names of the cases and stop")
    p.add_argument("-x", action="store_true", help="stop at the first failure")
    p.add_argument("-j", type=positive, default=1, metavar="N", help="judge in N processes (default: in this one)")
    isolate = "a new process for every case, or for every N; one that crashes costs its case only"
    p.add_argument("--isolate", type=positive, nargs="?", const=1, metavar="N", help=isolate)
    p.add_argument("--timeout", type=above_zero, metavar="SECONDS", help="for each case, in a process that is ended then")
    p.add_argument("--log", type=Path, metavar="FILE", help="write each result as it comes, a line of JSON each")
    p.add_argument("--resume", action="store_true", help="do not judge again what is in the --log")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["compare"]:
        return compare.main(words[1:])
    args, console = arguments().parse_args(words), terminal.console()
    try:
        chosen = options.choose(args)
        if args.list:
            names = (f"{case.name} {case.spec.dtype}" for case in chosen.cases)
            console.print(*names, sep="\n", highlight=False, soft_wrap=True)
            return 0
        judged, log = prepare(args, chosen)
    except OSError as e:
        return failed(f"{e.filename}: {e.strerror}")
    except ValueError as e:
        return failed(str(e))
    try:
        results, definition = judge(console, judged, chosen, log, args)
    except KeyboardInterrupt:
        prose.say(f"interrupted{f'; --resume goes on with {args.log}' if log else ''}", file=sys.stderr)
        return 130
    finally:
        if log:
            log.close()
    return conclude(console, report.build(results, definition, args.device), chosen, args)


def prepare(args: argparse.Namespace, chosen: Chosen) -> tuple[list[Implementation], Log | None]:
    """Who is judged, and where results are kept; checked before anything is run.

    ValueError: an implementation cannot be loaded, or there is no such device or form of report, or the log is no log of
    this.  OSError: the log cannot be read or written.
    """
    if args.resume and not args.log:
        raise ValueError("--resume goes on with what is in a --log: name the file")
    for path in args.report:
        if path.suffix not in pages.SUFFIXES:
            raise ValueError(f"--report: {path.name!r} must end in one of {', '.join(pages.SUFFIXES)}")
        if lacking := pages.missing(path):
            raise ValueError(f"--report: {lacking}")
    judged = options.implementations(args)
    return judged, Log(args.log, args.device, chosen.cases, args.resume) if args.log else None


def judge(
    console: Console, judged: Sequence[Implementation], chosen: Chosen, log: Log | None, args: argparse.Namespace
) -> tuple[list[Result], list[dict[str, str]]]:
    """Every implementation on every case, and the definition itself, with progress."""
    known = {(r.implementation, r.case): r for r in (log.results if log else ())}
    order = {(i.name, case): k for k, (i, case) in enumerate((i, case) for i in judged for case in chosen.cases)}
    jobs = [(i, case) for i in judged for case in chosen.cases if (i.name, case) not in known]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    results = []
    with Progress(*columns, console=console, transient=True) as progress, closing(fresh(jobs, log, args)) as new:
        task = progress.add_task("the definition", total=len(order))
        definition = check_all()
        for result in chain((r for key, r in known.items() if key in order), new):
            results.append(marked(chosen.expected, result))
            progress.update(task, advance=1, description=result.implementation)
            if args.x and results[-1].status in FAILING:
                break
    return sorted(results, key=lambda r: order[r.implementation, r.case]), definition


def fresh(jobs: Sequence[workers.Job], log: Log | None, args: argparse.Namespace) -> Generator[Result, None, None]:
    """The result of each job, as they come: in this process, unless something that was asked for needs others."""
    if args.j > 1 or args.isolate or args.timeout:
        results = workers.judged(jobs, workers.Setting(args.j, args.isolate, args.timeout))
    else:
        results = (run_case(*job) for job in jobs)
    for result in results:
        if log:
            log.add(result)
        yield result


def conclude(console: Console, summary: terminal.Json, chosen: Chosen, args: argparse.Namespace) -> int:
    """Show the report and write it; returns the exit status."""
    terminal.show(console, summary)
    judged = sum(len(i["cases"]) for i in summary["implementations"])
    if left := len(chosen.cases) * max(1, len(summary["implementations"])) - judged:
        console.print(f"stopped at the first failure: {left} cases were not judged", style="yellow")
    if args.resume:
        console.print(f"--resume: cases that are in {args.log} were not judged again, whatever has changed since", style="yellow")
    if chosen.left_out:
        console.print(chosen.left_out, style="yellow", highlight=False)
    try:
        for path in args.report:
            pages.write(summary, path)
            console.print(f"wrote {path}", highlight=False)
    except OSError as e:
        return failed(f"the report cannot be written: {e.filename}: {e.strerror}")
    return int(any(check["fault"] for check in summary["definition"]) or any(map(fails, summary["implementations"])))


def fails(implementation: terminal.Json) -> bool:
    """Whether something is wrong, or nothing was compared."""
    counts = implementation["counts"]
    return any(counts[status] for status in FAILING) or sum(counts.values()) == counts["declined"]
