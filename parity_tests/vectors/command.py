"""``python -m parity_tests.vectors``: the cases of the judge as files, for implementations that are not called from Python.

``python -m parity_tests.vectors answer VECTORS --impl NAME --out ANSWERS`` writes what an implementation that is called from
Python answers to them.  The files, and the checkers in C and JavaScript: notes/judge/vectors.md

Exit status: 0 done; 1 the implementation raised in some case; 2 something was asked for that cannot be done; 130 Ctrl-C.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from reference.common.command import guarded, parser, positive
from reference.common.extras import lacking
from reference.common.screen.prose import say

from ..judge import terminal
from ..judge.cases import Case
from ..judge.implementations import Implementation, resolve
from ..judge.running import options
from ..judge.suite import described
from . import answer, folder
from .calls import left_out

Thing = TypeVar("Thing")
PROG = "python -m parity_tests.vectors"


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["answer"]:
        return guarded(partial(answer_all, answer_arguments().parse_args(words[1:])), interrupted="interrupted")
    return guarded(partial(export, arguments().parse_args(words)), interrupted="interrupted")


def arguments() -> argparse.ArgumentParser:
    p = parser(PROG, __doc__ or "")
    p.add_argument("--out", type=Path, metavar="DIR", help="where to write the vectors and the checkers")
    p.add_argument("--onnx", type=Path, metavar="DIR", help="where to write node tests in the layout of the ONNX backend suite")
    p.add_argument("--overwrite", action="store_true", help="put these in the place of those that are there")
    options.add_cases(p.add_argument)
    p.add_argument("-j", type=positive, default=1, metavar="N", help="compute in N processes (default: in this one)")
    p.set_defaults(device="cpu", xfails_file=None)
    return p


def answer_arguments() -> argparse.ArgumentParser:
    p = parser(f"{PROG} answer", "``answer``: write what an implementation answers to vectors, from their files alone")
    p.add_argument("vectors", type=Path, metavar="VECTORS", help="the folder of the vectors")
    p.add_argument("--impl", required=True, metavar="NAME", help="a module with load(spec, weights), or one that is built in")
    p.add_argument("--out", type=Path, required=True, metavar="ANSWERS", help="where to write the answers")
    return p


def export(args: argparse.Namespace) -> int:
    """Write what was asked for.  ValueError: it cannot be."""
    if not (args.out or args.onnx):
        raise ValueError("--out DIR writes vectors, --onnx DIR node tests for ONNX: say one, or both")
    if args.onnx:
        export_onnx(args.onnx, args.overwrite)
    if args.out:
        export_cases(args)
    return 0


def export_onnx(out: Path, overwrite: bool) -> None:
    if sentence := lacking("apps", "onnx"):
        raise ValueError(sentence)
    from . import onnx_nodes  # only who asks for them needs onnx

    say(f"wrote {onnx_nodes.write_all(out, overwrite)} node tests to {out}")


def export_cases(args: argparse.Namespace) -> None:
    chosen = options.choose(args)
    reasons = [(case, left_out(case)) for case in chosen.cases]
    cases = [case for case, reason in reasons if not reason]
    without = {reason: [folder.name_of(c) for c, r in reasons if r == reason] for _, reason in reasons if reason}
    folder.prepare(args.out, args.overwrite)
    names = list(shown("vectors", computed(args.out, cases, args.j), len(cases)))
    folder.write_index(args.out, names, without)
    say(f"wrote {len(names)} cases to {args.out}")
    for reason, those in without.items():
        say(f"left out {len(those)}: {reason}")
    if chosen.left_out:
        say(chosen.left_out)


def computed(out: Path, cases: Sequence[Case], processes: int) -> Iterator[str]:
    """The name of each case, as its files are written."""
    if processes == 1:
        yield from map(partial(folder.write, out), cases)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield from pool.map(partial(folder.write, out), cases)


def shown(what: str, things: Iterable[Thing], count: int) -> Iterator[Thing]:
    """The things, with progress."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal.console(), transient=True) as progress:
        yield from progress.track(things, total=count, description=what)


def answer_all(args: argparse.Namespace) -> int:
    """Write the answers of an implementation to every case.  ValueError: there are no vectors, or no such implementation."""
    names = folder.index_of(args.vectors)["cases"]
    implementation = resolve(args.impl)
    args.out.mkdir(parents=True, exist_ok=True)
    declined: dict[str, str] = {}
    raised = 0
    for name in shown(implementation.name, names, len(names)):
        reason, error = answered(implementation, args, name)
        if reason:
            declined[name] = reason
        if error:
            raised += 1
            say(f"{name}: {error}")
    folder.write_json(args.out / answer.DECLINED, declined)
    say(f"wrote {len(names) - len(declined) - raised} answers to {args.out}; {len(declined)} declined, {raised} raised")
    return int(raised > 0)


def answered(implementation: Implementation, args: argparse.Namespace, name: str) -> tuple[str, str]:
    """Why a case is declined, and what was raised in it; empty if nothing was."""
    (args.out / f"{name}.safetensors").unlink(missing_ok=True)  # of an earlier run
    try:
        return answer.write(implementation, args.vectors, name, args.out), ""
    except OSError:
        raise
    except Exception as e:  # of somebody else's code
        return "", described(e)
