"""``python3 -m benchmarks gpu``: parity, then benchmarks, on a machine with a GPU that is there for minutes, in order of worth.

    machine    what the machine is, and one LSTM on it by every way
    parity     a third of the parity suite in float32, TF32 off, every way of torch
    low        parity in TF32, bfloat16 and float16, each against its own baseline
    grid       the preset quick by every way, cuDNN and graphs among them, in float32, TF32 and bfloat16
    crossover  CPU against CUDA over batch and width
    cliffs     neighbouring sizes, packed batches, layers, directions
    deepbench  the published shapes

Each piece is a process with a share of the time, after which it is killed with all that it has started; what one leaves over
the later ones have.  Each has a file in the folder, which is whole at any moment, and log.txt has what they printed: eight
files.  ``--rest FOLDER`` is the second call: it takes over the files of the first from that folder, does again what failed in
them, and goes on with what is missing.  It needs Python, torch, NumPy, SciPy, rich, psutil and threadpoolctl.

Exit status: 0 every piece ended well, though perhaps not all of it was done; 1 one did not; 2 there is no CUDA device.
"""

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from reference.common.command import above_zero, failed, parser
from reference.common.output import put_text

# Seconds of eight minutes, in order of worth.
SECONDS = {"machine": 30, "parity": 90, "low": 40, "grid": 150, "crossover": 60, "cliffs": 60, "deepbench": 60}
MODULES = {"machine": "first_look", "parity": "parity", "low": "low_precision"}  # all others are timed
MINUTES = 8.0
START_S = 8.0  # of each, for Python, torch and CUDA to begin, however little time there is in all
LOG = "log.txt"
STOPPED, NO_DEVICE, GONE = 124, 2, 3  # ends of a piece beside 0 and 1; the last asks for a new process
AGAIN = 3  # times that a piece is begun again because its device was gone
LEAST_S = 2.0  # with less nothing is begun
POLITE_S = 1.0  # between asking a piece to end and killing it
TAIL = 25  # lines of a piece's output that are shown; all of it is in the log
FINE = ("ok", "declined")  # rows that --rest does not do again
Start = Callable[[Sequence[str], float, TextIO], int]


class End(NamedTuple):
    """What became of a piece."""

    name: str
    status: int
    seconds: float

    def __str__(self) -> str:
        words = {0: "ended well", STOPPED: "was stopped: it took too long", NO_DEVICE: "could not begin"}
        other = f"was ended by {signal.Signals(-self.status).name}" if self.status < 0 else f"ended with status {self.status}"
        return f"{self.name}: {words.get(self.status, other)}, {self.seconds:.0f} s"


def arguments() -> argparse.ArgumentParser:
    options = parser("python3 -m benchmarks gpu", __doc__ or "")
    options.add_argument("--out", type=Path, default=Path("out/gpu"), metavar="FOLDER", help="default: out/gpu")
    options.add_argument("--minutes", type=above_zero, default=MINUTES, metavar="M", help="for all of it (default: 8)")
    rest = "go on with the files of an earlier call in FOLDER (default: the folder of --out)"
    options.add_argument("--rest", type=Path, nargs="?", const=Path(), metavar="FOLDER", help=rest)
    options.add_argument("--only", action="append", choices=SECONDS, help="these pieces, which share the time; may be repeated")
    options.add_argument("--device", choices=("cpu", "cuda"), default="cuda", help="cpu: a rehearsal where there is no GPU")
    options.add_argument("--dry", action="store_true", help="print the commands and stop")
    return options


def main(argv: Sequence[str] | None = None, start: Start | None = None, begun: float | None = None) -> int:
    """``start(command, seconds, log) -> exit status, STOPPED`` runs a piece; ``begun`` is when the time began."""
    begun, args = time.monotonic() if begun is None else begun, arguments().parse_args(argv)
    chosen = [name for name in SECONDS if not args.only or name in args.only]
    if args.dry:
        left = 60 * args.minutes
        for k, name in enumerate(chosen):
            print(shown(command(name, args, seconds := share(left, chosen[k:]))))
            left -= seconds
        return 0
    try:
        prepare(args, chosen)
    except (OSError, ValueError) as e:
        return failed(str(e))
    with (args.out / LOG).open("a", encoding="utf-8") as log:
        say(log, f"{time.strftime('%Y-%m-%d %H:%M:%S')} {shlex.join(['python3', '-m', 'benchmarks', 'gpu', *(argv or ())])}")
        say(log, nvidia_smi() if args.device == "cuda" else "a rehearsal on the CPU")
        ends = list(run(chosen, args, start or stopped_in_time, begun + 60 * args.minutes, log))
        say(log, "", *map(str, ends), f"{time.monotonic() - begun:.0f} s in all; the files are in {args.out}")
    if ends and ends[0].status == NO_DEVICE and not any(end.status == 0 for end in ends):
        return NO_DEVICE
    return int(len(ends) < len(chosen) or any(end.status for end in ends))


def command(name: str, args: argparse.Namespace, seconds: float) -> list[str]:
    """The command of a piece that may take so long."""
    words = [] if name in MODULES else ["--piece", name]
    words += ["--device", args.device, "--out", str(args.out / f"{name}.json"), "--seconds", f"{seconds:.1f}"]
    return [sys.executable, "-m", f"benchmarks.gpu.{MODULES.get(name, 'timed')}", *words]


def shown(words: Sequence[str]) -> str:
    return f"$ {shlex.join(['python3', *words[1:]])}"


def prepare(args: argparse.Namespace, chosen: Sequence[str]) -> None:
    """The folder, with --rest the files that were there before.  ValueError: there are some, and nothing was said of them."""
    args.out.mkdir(parents=True, exist_ok=True)
    there = [name for name in chosen if (args.out / f"{name}.json").exists()]
    if args.rest is None:
        if there:
            raise ValueError(f"{args.out} has the files of an earlier call: --rest goes on with them")
        return
    before = args.out if args.rest == Path() else args.rest
    files = [before / f"{name}.json" for name in SECONDS if (before / f"{name}.json").exists()]
    if not files:
        raise ValueError(f"--rest: there is no file of an earlier call in {before}")
    for file in files:
        text = without_failures(file) if file.stem in chosen else file.read_text(encoding="utf-8")
        if file.stem in chosen or before != args.out:
            replaced(args.out / file.name, text)


def without_failures(file: Path) -> str:
    """A file with only the rows that need not be done again.  ValueError: it is broken."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        content["rows"] = [row for row in content["rows"] if row["status"] in FINE]
    except (ValueError, KeyError, TypeError) as e:
        raise ValueError(f"--rest: {file} is no file of an earlier call: {type(e).__name__}: {e}") from e
    return json.dumps(content)


def replaced(file: Path, text: str) -> None:
    part = file.with_suffix(".part")
    put_text(part, text)
    part.replace(file)


def run(chosen: Sequence[str], args: argparse.Namespace, start: Start, end: float, log: TextIO) -> Any:
    """Each piece with its share of the time that is left, so that what one leaves over the later ones have."""
    for k, name in enumerate(chosen):
        left = end - time.monotonic()
        seconds = share(left, chosen[k:])
        if seconds < LEAST_S:
            say(log, f"{name}: not begun, {max(0.0, left):.0f} s are left for it and the others")
            continue
        begin, status, times = time.monotonic(), GONE, 0
        while status == GONE and times <= AGAIN and (still := seconds - (time.monotonic() - begin)) > LEAST_S * bool(times):
            words = command(name, args, still)
            say(log, "", shown(words))
            status, times = start(words, still, log), times + 1
        yield End(name, status, time.monotonic() - begin)
        if status == NO_DEVICE and k == 0 and args.device == "cuda":
            return  # nor will the others find one


def share(left: float, names: Sequence[str]) -> float:
    """The seconds of the first of these, of those that are left for all: what a start takes, and a part of the rest."""
    starts = START_S * len(names)
    if left < starts:
        return left / len(names)
    return START_S + (left - starts) * (SECONDS[names[0]] - START_S) / sum(SECONDS[name] - START_S for name in names)


def say(log: TextIO, *lines: str) -> None:
    """To whoever looks on, and into the log."""
    for out in (sys.stdout, log):
        print(*lines, sep="\n", file=out, flush=True)


def stopped_in_time(words: Sequence[str], seconds: float, log: TextIO) -> int:
    """Run a command, for so long at most, its output into the log; its exit status, or STOPPED.

    It leads a group of processes of its own, and with its end, whichever, all of the group are killed.
    """
    end = time.monotonic() + seconds
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1", "COLUMNS": "160"}
    from_here = log.tell()
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
    )
    try:
        try:
            return process.wait(max(0.1, end - time.monotonic() - POLITE_S))
        except subprocess.TimeoutExpired:
            ended(process, politely=True)
            with suppress(subprocess.TimeoutExpired):
                process.wait(POLITE_S)
            return STOPPED
    finally:
        ended(process, politely=False)
        with suppress(subprocess.TimeoutExpired):  # a process that the driver holds cannot even be killed
            process.wait(POLITE_S)
        print(*tail(Path(log.name), from_here), sep="\n", flush=True)


def ended(process: subprocess.Popen, politely: bool) -> None:
    """Ask the process and all that it started to end, or kill them; where there are no groups of processes, it alone."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGTERM if politely else signal.SIGKILL)
        else:
            process.kill()


def tail(file: Path, start: int) -> list[str]:
    """The last lines of what was written to the log from a place on."""
    with file.open("rb") as f:
        f.seek(start)
        return f.read().decode(errors="replace").splitlines()[-TAIL:]


def nvidia_smi() -> str:
    """What nvidia-smi prints, or why it does not: asked before anything else, as it needs no torch."""
    try:
        return subprocess.run(
            ["nvidia-smi"], capture_output=True, encoding="utf-8", errors="replace", check=True, timeout=10
        ).stdout
    except (OSError, subprocess.SubprocessError) as e:
        return f"nvidia-smi: {e}"
