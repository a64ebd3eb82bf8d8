"""``python -m notes.trace lstm --T 3 --H 2 --seed 0``: forward and backward of one small sequence, line by line.

Each quantity has its name, the label of its equation, the line of code and its value, by NumPy and beside it by torch
autograd where PyTorch is installed.  Exit status: 0 they agree; 1 they do not, or a line cannot be run; 2 wrong arguments.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from reference.common.command import entered, failed, parser
from reference.common.output import put_text
from reference.common.screen.prose import columns, say

from . import ROOMS, BrokenLineError, Problem, Quantity, page, problem, ran, text


def arguments() -> argparse.ArgumentParser:
    options = parser("python -m notes.trace", __doc__ or "")
    options.add_argument("cell", choices=ROOMS)
    sizes = {"T": (3, "steps"), "B": (1, "sequences"), "I": (1, "input features"), "H": (2, "hidden features")}
    for name, (default, meaning) in sizes.items():
        options.add_argument(f"--{name}", type=_whole, default=default, help=f"{meaning} (default: {default})")
    options.add_argument("--seed", type=partial(_whole, least=0), default=0, help="default: 0")
    options.add_argument("--reset", choices=("after", "before"), default="after", help="gru only")
    options.add_argument("--nonlinearity", choices=("tanh", "relu"), default="tanh", help="rnn only")
    options.add_argument("--proj-size", type=_whole, default=0, metavar="P", help="lstm only; below H")
    alone = "no: NumPy alone, also where PyTorch is installed"
    options.add_argument("--autograd", choices=("auto", "no"), default="auto", help=alone)
    options.add_argument("--html", type=Path, metavar="FILE", help="write one self-contained page as well")
    options.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    options = arguments()
    args = options.parse_args(argv)
    for option, cell in (("reset", "gru"), ("nonlinearity", "rnn"), ("proj_size", "lstm")):
        if args.cell != cell and getattr(args, option) != options.get_default(option):
            options.error(f"--{option.replace('_', '-')} is for {cell} only; got it for {args.cell}")
    if args.proj_size >= args.H:
        options.error(f"--proj-size must be below --H, which is {args.H}; got {args.proj_size}")
    room = ROOMS[args.cell]
    own = {"gru": {"reset_after": args.reset == "after"}, "rnn": {"nonlinearity": args.nonlinearity}, "lstm": {}}
    q = problem(room, args.T, args.B, args.I, args.H, args.seed, args.proj_size, **own[args.cell])
    try:
        run, others = ran(room, q), autograd(args.cell, q) if args.autograd == "auto" else None
    except BrokenLineError as why:
        say(f"error: {why}", file=sys.stderr)
        return 1
    quantities = text.complete(run.quantities, run.handed, others)
    color = args.color == "always" or (args.color == "auto" and sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    print(*text.lines(room, q, quantities, others, color, columns(sys.stdout)), sep="\n")
    wrong = [one for one in quantities if text.differs(one, others)]
    said = verdict(quantities, others, wrong)
    say("\n" + said)
    if args.html:
        try:
            args.html.parent.mkdir(parents=True, exist_ok=True)
            put_text(args.html, page.page(args.cell, room, q, quantities, others, said))
        except OSError as e:
            return failed(f"the page cannot be written: {e.filename}: {e.strerror}")
        say(f"wrote {args.html}")
    return int(bool(wrong))


def autograd(cell: str, q: Problem) -> text.Others:
    """The other side; None where PyTorch is not installed.  It is loaded here, and only if it is asked."""
    try:
        from .by_torch import values
    except ModuleNotFoundError as e:
        if e.name != "torch":
            raise
        return None
    return values(cell, q)


def verdict(quantities: list[Quantity], others: text.Others, wrong: list[Quantity]) -> str:
    if others is None:
        return f"{len(quantities)} quantities by NumPy; PyTorch was not asked"
    if not wrong:
        return f"{len(quantities)} quantities, all equal to torch autograd's"
    one = wrong[0]
    where = f"line {one.line}" if one.line else "which no line computes"
    return (
        f"{len(wrong)} of {len(quantities)} quantities differ from torch autograd's; the first is {one.name}, "
        f"{text.heading(one)}, {where}{', equation ' if one.labels else ''}{' or '.join(one.labels)}"
    )


def _whole(given: str, least: int = 1) -> int:
    if not given.removeprefix("-").isdecimal() or int(given) < least:
        raise argparse.ArgumentTypeError(f"must be a whole number, {least} or more; got {given}")
    return int(given)


if __name__ == "__main__":
    sys.exit(entered(main))
