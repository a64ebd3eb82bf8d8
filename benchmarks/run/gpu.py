"""``python3 -m benchmarks gpu``: parity, then benchmarks, on a machine with a CUDA device, in pieces that each fit a time.

    parity     the parity suite in float32 and float64, TF32 off
    low        parity in TF32, bfloat16 and float16, each against its own baseline
    grid       every implementation, every precision
    deepbench  the published shapes
    cliffs     neighbouring sizes, packed batches, layers, directions
    crossover  CPU against CUDA

Each piece is a command of its own, which is printed; one that fails or is stopped does not stop the others.  What was
measured is in the folder after each configuration, and the same command goes on where the last one ended.  It needs
Python, torch, NumPy, SciPy, rich, psutil and threadpoolctl; reports need pandas, and matplotlib where they have plots.

Exit status: 0 every piece ended well; 1 one did not; 2 there is no CUDA device.
"""

import argparse
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from rich.text import Text

from parity_tests.judge.terminal import console
from reference.common.command import above_zero, failed, parser

from .low_precision import NAMES, NO_DEVICE

GRACE = 240.0  # seconds beyond its time after which a piece is stopped: a configuration that was begun may end
STOPPED = -1


class Piece(NamedTuple):
    """A command, and its share of the time."""

    name: str
    words: tuple[str, ...]
    share: float


def pieces(device: str, folder: Path) -> list[Piece]:
    """Everything, in order.  The devices' precisions: TF32 is CUDA's only."""
    every = tuple(d for d in ("float32", "tf32", "bfloat16", "float16", "float64") if device == "cuda" or d != "tf32")
    some = tuple(d for d in every if d in ("float32", "tf32", "float16"))
    on = ("--device", device)

    def run(preset: str, dtypes: Sequence[str], share: float, *more: str) -> Piece:
        options = (*more, *(word for dtype in dtypes for word in ("--dtype", dtype)), "--resume")
        out = str(folder / f"{preset}.json")
        return Piece(preset, ("benchmarks", "run", "--preset", preset, *options, "--out", out), share)

    judged = (word for name in NAMES for word in ("--impl", name))
    return [
        Piece("parity", ("parity_tests", *on, *judged, "--report", str(folder / "parity.json")), 0.15),
        Piece("low", ("benchmarks.run.low_precision", *on, "--out", str(folder / "low.json")), 0.05),
        run("grid", every, 0.3, *on),
        run("deepbench", some, 0.15, *on),
        run("cliffs", some, 0.2, *on),
        run("crossover", ("float32",), 0.15),
    ]


def arguments() -> argparse.ArgumentParser:
    options, names = parser("python3 -m benchmarks gpu", __doc__), [p.name for p in pieces("cuda", Path())]
    options.add_argument("--out", type=Path, default=Path("out/gpu"), metavar="FOLDER", help="default: out/gpu")
    options.add_argument("--minutes", type=above_zero, default=25.0, metavar="M", help="for all of it (default: 25)")
    options.add_argument("--only", action="append", choices=names, help="these pieces, which share the time; may be repeated")
    options.add_argument("--device", choices=("cpu", "cuda"), default="cuda", help="cpu: a rehearsal where there is no GPU")
    options.add_argument("--dry", action="store_true", help="print the commands and stop")
    return options


def main(argv: Sequence[str] | None = None, start: Callable[[Sequence[str], float], int] | None = None) -> int:
    """``start(command, seconds) -> exit status, STOPPED`` runs a piece."""
    args, out = arguments().parse_args(argv), console()
    if args.device == "cuda" and not torch.cuda.is_available() and not args.dry:
        return failed(f"{NO_DEVICE}; --device cpu rehearses without one")
    chosen = [p for p in pieces(args.device, args.out) if not args.only or p.name in args.only]
    whole, ends = sum(p.share for p in chosen), []
    for piece in chosen:
        seconds = 60 * args.minutes * piece.share / whole
        command = [sys.executable, "-m", *piece.words]
        if "run" in piece.words:
            command += ["--budget", f"{seconds:.0f}"]
        out.print(Text("$ " + shlex.join(["python3", *command[1:]]), style="bold"), soft_wrap=True)
        if not args.dry:
            begin = time.monotonic()
            ends.append((piece.name, (start or stopped_in_time)(command, seconds + GRACE), time.monotonic() - begin))
    for name, status, took in ends:
        word = {0: "ended well", STOPPED: "was stopped: it took too long"}.get(status, f"ended with status {status}")
        out.print(Text(f"{name}: {word}, {took:.0f} s", style="red" if status else "green"))
    return int(any(status for _, status, _ in ends))


def stopped_in_time(command: Sequence[str], seconds: float) -> int:
    """Run a command, for so long at most; its exit status, or STOPPED."""
    try:
        return subprocess.run(command, check=False, timeout=seconds).returncode
    except subprocess.TimeoutExpired:
        return STOPPED
