"""``python -m benchmarks.gpu.timed``: a preset of the benchmarks with a GPU, the most telling configurations first.

It is ``python -m benchmarks run`` with another order, less time for each, and without the implementations that crashed or hung
in the first piece; the file is one of ``run``, whole after each configuration, and the same command goes on with it.

Exit status: 0 what was measured was right; 1 something was not; 2 there is no CUDA device; 3 the device is gone, and a new
process can go on.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from parity_tests.judge.implementations import BUILTIN, MORE
from reference.common.command import entered, failed
from reference.common.screen.prose import say

from ..run import command, results
from ..run.clock import Plan
from ..what.config import Config
from ..what.presets import V100
from . import crew
from .rows import NAMES, arguments, leave, lost_before, no_device, until

GONE = 3
PLAN = Plan(seconds=0.15, rounds=3)
JUDGING_S = 1.0  # for what is right at the real size; beyond that the sequences are shortened
HEAVY = 2e7  # numbers in an input
CELLS = ("lstm", "gru", "rnn")
COARSE_B, COARSE_H = (1, 16, 256), (16, 128, 512)
Key = Callable[[Config, str], Any]


def grid(c: Config, phase: str) -> Any:
    """Everything in float32, then cell by cell in the others."""
    return c.dtype != "float32", CELLS.index(c.cell) if c.dtype != "float32" else 0


def crossover(c: Config, phase: str) -> Any:
    """A coarse lattice of B and H, training first, both devices one after the other; then column by column, so that what is
    there when the time is over is a lattice."""
    coarse_B, coarse_H = c.B in COARSE_B, c.hidden_size in COARSE_H
    rank = (0,) if coarse_B and coarse_H else (1,) if coarse_H else (2, c.hidden_size)
    return rank, phase != "train", CELLS.index(c.cell), c.hidden_size, c.B, c.device


def cliffs(c: Config, phase: str) -> Any:
    """The LSTM's training step in float32, then in float16, then its forward; then the other cells."""
    return CELLS.index(c.cell), phase != "train", c.dtype != "float32"


def deepbench(c: Config, phase: str) -> Any:
    """What a published figure stands beside, in the precision of that; then the quickest.  Last of all what takes longer to be
    drawn and judged than to be measured."""
    published = (c.cell, c.hidden_size, c.B, c.T) in V100
    return c.T * c.B * c.hidden_size > HEAVY, not published, phase != "train", c.dtype != "float16", c.effort(phase)


class Piece(NamedTuple):
    """What is asked of ``run``."""

    preset: str
    order: Key
    dtypes: tuple[str, ...]
    implementations: tuple[str, ...]
    both_devices: bool = False


PIECES = {
    "grid": Piece("quick", grid, ("float32", "tf32", "bfloat16"), NAMES),
    "crossover": Piece(
        "crossover",
        crossover,
        ("float32",),
        ("numpy.fast", "numpy.compiled", "torch.library", "torch.graphed", "torch.triton"),
        both_devices=True,
    ),
    "cliffs": Piece("cliffs", cliffs, ("float32", "float16"), ("torch.library", "torch.hoisted")),
    "deepbench": Piece("deepbench", deepbench, ("float16", "tf32", "float32"), ("torch.library", "torch.hoisted")),
}


def words(name: str, device: str, out: str, lost: Sequence[str] | set[str] = ()) -> list[str]:
    """The options of ``run``, but for the budget."""
    piece = PIECES[name]
    there = [i for i in piece.implementations if i in (BUILTIN | MORE) and i not in lost]
    devices = dict.fromkeys(("cpu", device) if piece.both_devices else (device,))
    dtypes = [d for d in piece.dtypes if device == "cuda" or d != "tf32"]
    options = [("--impl", there), ("--device", devices), ("--dtype", dtypes)]
    given = [word for option, values in options for value in values for word in (option, value)]
    return ["--preset", piece.preset, *given, "--resume", "--out", out]


def main(argv: Sequence[str] | None = None) -> int:
    options = arguments("timed", __doc__)
    options.add_argument("--piece", choices=PIECES, required=True)
    args = options.parse_args(argv)
    if status := no_device(args.device):
        return status
    try:
        lost = lost_before(args.out.parent)
        if lost:
            say(f"left out, as they were lost in the first piece: {', '.join(sorted(lost))}", flush=True)
    except ValueError as e:
        return failed(str(e))

    def after(new: Sequence[results.Row]) -> None:
        if any(row["status"] == "error" for row in new) and (why := crew.gone(args.device)):
            say(f"the device is gone: {why}", flush=True)
            raise SystemExit(GONE)

    how = command.How(PIECES[args.piece].order, PLAN, JUDGING_S, until(args.seconds), after)
    return command.main(words(args.piece, args.device, str(args.out), lost), how)


if __name__ == "__main__":
    leave(entered(main))
