"""``python -m parity_tests.kills``: kill -9 at random moments, and whether what is resumed ends as if nothing had happened.

For each application and side one run is left alone, in a process of its own.  Then the same run is killed at a random moment
between the first line of the command and its end, resumed as a person would, killed again at a random moment, and so on until it
ends before its moment comes.  One kill in four comes in the first twentieth of the time; one in three waits until a file is being
written.  Everything in its folder must then be what the run that was left alone has: weights, state of the optimiser, generators
and counters bit for bit, the log but for its times, the picture, and all other files.  That is repeated until there were so many
kills.

What is killed are forks of this process.  They call the main of the application with the words of the command; what it imports
they have already.  The moments come from the seed, but what a process has done by then depends on the machine.

Exit status: 0 all ended equal; 1 one did not; 2 something was asked for that cannot be done; 130 Ctrl-C.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout, suppress
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from reference.common import checkpoint
from reference.common.command import UsageError, guarded, parser, positive
from reference.common.run import BEST, LAST, LOG, read_log
from reference.common.run.files import LOCK

from ..char_lm.runs import spawn
from . import results
from .programs import Program, programs


class Kill(NamedTuple):
    """What a kill left behind."""

    step: int  # the last one in the log
    before: bool  # there was no checkpoint yet
    writing: bool  # a checkpoint, the config or the log that is cut, was being written
    after: bool  # the last step was in its checkpoint: the picture was drawn, or what comes then


def main(argv: Sequence[str] | None = None) -> int:
    p = parser("python -m parity_tests.kills", __doc__ or "")
    p.add_argument("--kills", type=positive, default=50, metavar="N", help="of each application and side (default: 50)")
    p.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    p.add_argument("--out", type=Path, metavar="FILE", help="write the table as JSON, too")
    args = p.parse_args(argv)
    return guarded(lambda: run(args))


def run(args: argparse.Namespace) -> int:
    """Returns the exit status.  UsageError: this system has no fork."""
    if "fork" not in get_all_start_methods():
        raise UsageError("this needs a system on which a process can fork, as Linux")
    torch.set_num_threads(1)
    print(f"{args.kills} kills of each application and side, seed {args.seed}", flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for program in programs(Path(place)):
            for side in program.sides:
                rows.append(dict(zip(results.COLUMNS, killed(program, side, Path(place), args), strict=True)))
    print(results.table(rows))
    if args.out:
        results.write(args.out, {"kills": args.kills, "seed": args.seed, "rows": rows})
    return int(any(row["equal"] < row["kills"] for row in rows))


def killed(program: Program, side: str, place: Path, args: argparse.Namespace) -> tuple:
    """The row of a program and side; a line is printed for each run."""
    start, straight = time.perf_counter(), place / f"{program.name}-{side}"
    alone(program, side, straight)
    lasts = undisturbed(program, side, straight.with_suffix(".warm"))
    kills: list[Kill] = []
    equal, runs = 0, 0
    while len(kills) < args.kills:
        folder, rng = place / f"{straight.name}-{runs}", random.Random(f"{args.seed} {straight.name} {runs}")
        found, wrong = one_run(program, side, folder, rng, lasts, args.kills - len(kills), len(read_log(straight / LOG)))
        wrong = wrong or differences(straight, folder)
        kills, equal, runs = kills + found, equal + len(found) * (not wrong), runs + 1
        at = ", ".join(f"at step {k.step}" + ", writing" * k.writing for k in found) or "not at all"
        said = f"DIFFERS: {', '.join(wrong[:5])}" if wrong else "equal"
        print(f"{program.name} {side}, run {runs}, killed {at}: {said}", flush=True)
    steps, seconds = len({k.step for k in kills}), round(time.perf_counter() - start)
    return program.name, side, len(kills), steps, *(sum(k[n] for k in kills) for n in (1, 2, 3)), equal, seconds


def alone(program: Program, side: str, folder: Path) -> None:
    """The run that nothing happens to, in a process of its own."""
    process = spawn(side, *program.words(folder), application=program.name)
    _, said = process.communicate()
    if process.returncode:
        raise UsageError(f"{program.name} of {side} does not run: {said}")


def undisturbed(program: Program, side: str, folder: Path) -> float:
    """Seconds of the run in this process, once everything that it needs has been loaded."""
    for _ in range(2):
        start = time.perf_counter()
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            status = program.main(program.sides[side], [*program.begin, "--run", str(folder), "--overwrite"])
        if status == 130:
            raise KeyboardInterrupt  # it was heard there
        lasts = time.perf_counter() - start
    return lasts


def one_run(
    program: Program, side: str, folder: Path, rng: random.Random, lasts: float, most: int, entries: int
) -> tuple[list[Kill], list[str]]:
    """Kill it and go on until it ends by itself, after ``most`` kills at the latest  ->  kills, what went wrong"""
    kills: list[Kill] = []
    while True:
        process = get_context("fork").Process(target=child, args=(program, side, program.words(folder), folder))
        before = half_written(folder)
        process.start()
        seconds, writing = rng.random() * lasts * rng.choice((1, 1, 1, 0.05)), rng.random() < 1 / 3
        if len(kills) < most:
            killed_after(process, seconds, writing, folder, before)
        process.join()
        if process.exitcode != -signal.SIGKILL:
            said = folder.with_suffix(".txt").read_text(encoding="utf-8", errors="replace").strip()
            return kills, [f"exit status {process.exitcode}: {said.splitlines()[-1:]}"] if process.exitcode else []
        kills.append(left(folder, entries, before))


def child(program: Program, side: str, words: list[str], folder: Path) -> None:
    """The command, in a process that has been forked."""
    said = os.open(folder.with_suffix(".txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(said, stream)
    sys.exit(program.main(program.sides[side], words))


def killed_after(process: BaseProcess, seconds: float, writing: bool, folder: Path, before: set) -> None:
    """Wait so long for its end, and then no longer; if ``writing``, until something is half written that was not ``before``."""
    try:
        process.join(seconds)
        while writing and process.is_alive() and half_written(folder) <= before:
            pass
    finally:  # also on Ctrl-C
        process.kill()
        process.join()


def half_written(folder: Path) -> set[tuple[str, int]]:
    """The files that have not got their names yet, and since when"""
    found = set()
    for file in folder.glob("*.tmp"):
        with suppress(FileNotFoundError):  # by now it has
            found.add((file.name, file.stat().st_mtime_ns))
    return found


def left(folder: Path, entries: int, before: set) -> Kill:
    """What a kill left; ``entries`` has the log of a whole run, ``before`` were half written already."""
    log, last = read_log(folder / LOG), folder / LAST
    done = len(log) == entries and checkpoint.load(last).counters["step"] == log[-1]["step"]
    return Kill(log[-1]["step"] if log else 0, not last.exists(), not half_written(folder) <= before, done)


def differences(one: Path, other: Path) -> list[str]:
    """The names of what differs between two folders of runs."""
    a, b = (dict(contents(folder)) for folder in (one, other))
    return sorted(name for name in a.keys() | b.keys() if name not in a or name not in b or a[name] != b[name])


def contents(folder: Path) -> Iterator[tuple[str, Any]]:
    """Everything in a folder by name: of a checkpoint each number, of a log all but the times, of other files the bytes."""
    for file in sorted(folder.iterdir()):
        if file.name in (LAST, BEST):
            yield from flat(checkpoint.load(file)._replace(file=None)._asdict(), file.name)
        elif file.name == LOG:
            yield from flat([{k: v for k, v in entry.items() if k != "time"} for entry in read_log(file)], LOG)
        elif file.suffix != ".tmp" and not file.name.startswith(f"{LOCK}."):  # which a kill leaves, and nobody reads
            yield file.name, file.read_bytes()


def flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The leaves of a nest by their places; of an array type, shape and bytes."""
    if isinstance(value, dict):
        for key, v in value.items():
            yield from flat(v, f"{name} {key}")
    elif isinstance(value, (list, tuple)):
        for k, v in enumerate(value):
            yield from flat(v, f"{name} {k}")
    else:
        yield name, (value.dtype, value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value
