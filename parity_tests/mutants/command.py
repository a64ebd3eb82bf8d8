"""``python -m parity_tests.mutants [CHAPTER ...]``: change the code a little, line by line, and see which changes no test notices.

mutmut makes the mutants, and runs for each the tests of its chapter that come to its function.  There are over forty thousand,
so one digit stands for a tenth of them: those whose number within their function ends so.  Of each chapter's survivors the
result keeps the changed lines: parity_tests/mutants/results.  Those in equal.toml are no different from the original.

Exit status: 0 all that were tried were noticed, or are equal to the original; 1 some were not; 2 something was asked for that
is not there, or mutmut failed; 130 Ctrl-C.
"""

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from reference.common.command import UsageError, failed, guarded, parser, positive
from reference.common.extras import needs

from ..judge import terminal
from . import results, running
from .chapters import ROOT, chapters, files

DIGITS = "0123456789"


def arguments() -> argparse.ArgumentParser:
    p = parser("python -m parity_tests.mutants", __doc__ or "")
    p.add_argument("names", nargs="*", metavar="CHAPTER", help=f"one of {', '.join(chapters())} (default: all)")
    p.add_argument("--digits", default="2", help=f"the last digits of the mutants tried; {DIGITS}: all (default: 2)")
    p.add_argument(
        "-j", type=positive, default=os.cpu_count() or 1, metavar="N", help="so many at a time (default: one for each core)"
    )
    p.add_argument("--results", type=Path, default=results.PLACE, metavar="DIR", help="where results are kept")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    args = arguments().parse_args(argv)
    return guarded(lambda: run(args, terminal.console(highlight=False, markup=False)))


def run(args: argparse.Namespace, console: Console) -> int:
    """Returns the exit status."""
    there = chapters()
    if unknown := [name for name in args.names if name not in there]:
        raise UsageError(f"no chapter is named {unknown[0]!r}; there are {', '.join(there)}")
    if not args.digits or set(args.digits) - set(DIGITS):
        raise UsageError(f"--digits must be digits, got {args.digits!r}")
    needs("dev", "mutmut")
    try:
        missed = [tried(name, args, console) for name in args.names or there]
    except running.MutmutError as e:
        return failed(str(e))
    return int(any(missed))


def tried(name: str, args: argparse.Namespace, console: Console) -> int:
    """Run one chapter, keep what came of it, and say so; returns how many mutants were not noticed."""
    chapter, tree, began = chapters()[name], ROOT / "out" / "mutants" / name, time.monotonic()
    running.lay(chapter, tree)
    running.run(tree, args.digits, args.j)
    of_files = {file: results.of_file(tree, file) for file in files(chapter)}
    seconds = round(time.monotonic() - began)
    results.write(name, {"digits": args.digits, "seconds": seconds, "files": of_files}, args.results)
    known = results.equal()
    score = results.total(results.score(file, result, known) for file, result in of_files.items())
    counts = f"{score.tried} of {score.made} mutants, {score.share():.1%} noticed, {score.equal} equal"
    terminal.say(console, f"{name}: {counts}, {seconds} s")
    missed = [(file, mutant) for file, result in of_files.items() for mutant in results.survivors(file, result, known)]
    for file, mutant in missed:
        terminal.say(console, f"{file}: {mutant['status']}", *(f"  {line}" for line in mutant["change"]))
    return len(missed)
