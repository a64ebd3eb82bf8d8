"""``python -m parity_tests``: judge implementations of RNN, LSTM and GRU, our own and other people's.

Exit status: 0 nothing failed; 1 something did, or nothing could be compared; 2 an implementation, a case or a device
was asked for that is not there.
"""

import argparse
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from torch_impl.common.precision import allow_tf32

from . import pages, report, terminal
from .cases import Case, table
from .definition import check_all
from .implementations import BUILTIN, Implementation, LoadError, chosen
from .suite import Result, run_case

USAGE_ERROR = 2


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m parity_tests",
        description=__doc__.partition("\n\n")[0].partition(": ")[2],
        epilog=__doc__.partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    impl = f"a module with load(spec, weights), or one of {', '.join(BUILTIN)}; may be repeated "
    parser.add_argument("--impl", action="append", metavar="NAME", help=impl + "(default: all built in that run on the device)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype", action="append", choices=("float32", "float64"), help="default: both")
    parser.add_argument("--cases", default="*", metavar="GLOB", help="only cases whose name matches, as 'lstm-*'")
    files = "write the report too, as .json, .md or .html; may be repeated"
    parser.add_argument("--report", type=Path, action="append", default=[], metavar="FILE", help=files)
    parser.add_argument("--list", action="store_true", help="print the names of the cases and stop")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    args, console, error = arguments().parse_args(argv), terminal.console(), terminal.console(stderr=True)
    cases = [case for case in table(args.dtype or ("float32", "float64"), args.device) if fnmatch(case.name, args.cases)]
    if args.list:
        console.print(*(f"{case.name} {case.spec.dtype}" for case in cases), sep="\n", highlight=False, soft_wrap=True)
        return 0
    try:
        judged = prepare(args, cases)
    except (LoadError, ValueError) as e:
        error.print(f"error: {e}", style="bold red", markup=False)
        return USAGE_ERROR
    results, definition = judge(console, judged, cases)
    summary = report.build(results, definition, args.device)
    terminal.show(console, summary)
    try:
        for path in args.report:
            pages.write(summary, path)
            console.print(f"wrote {path}", highlight=False)
    except OSError as e:
        error.print(f"error: the report cannot be written: {e}", style="bold red", markup=False)
        return USAGE_ERROR
    unfounded = any(check["fault"] for check in definition)
    return int(unfounded or any(i["failed"] or not i["passed"] for i in summary["implementations"]))


def prepare(args: argparse.Namespace, cases: Sequence[Case]) -> list[Implementation]:
    """What was asked for, checked before anything is run.

    LoadError: an implementation cannot be loaded.  ValueError: there is no such device, case, or form of report.
    """
    if args.device == "cuda":
        if not torch.cuda.is_available():
            raise ValueError("--device cuda: torch sees no CUDA device on this machine")
        allow_tf32(False)
    if not cases:
        raise ValueError(f"--cases: no case is named {args.cases!r}; --list shows the names")
    for path in args.report:
        if path.suffix not in pages.SUFFIXES:
            raise ValueError(f"--report: {path.name!r} must end in one of {', '.join(pages.SUFFIXES)}")
        if lacking := pages.missing(path):
            raise ValueError(f"--report: {lacking}")
    return chosen(args.impl, args.device)


def judge(console: Console, judged: Sequence[Implementation], cases: Sequence[Case]) -> tuple[Iterable[Result], list[dict]]:
    """Every implementation on every case, and the definition itself, with progress."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    results = []
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("the definition", total=len(judged) * len(cases))
        definition = check_all()
        for implementation in judged:
            progress.update(task, description=implementation.name)
            for case in cases:
                results.append(run_case(implementation, case))
                progress.advance(task)
    return results, definition
