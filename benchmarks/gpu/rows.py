"""A piece that judges: its options, and its file, the machine and a row for each thing that was judged, written as they come."""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from parity_tests.judge.implementations import BUILTIN, MORE
from reference.common.command import above_zero, failed, parser
from reference.common.screen.prose import say

from ..run import machine, results
from . import BEGUN
from .crew import FINE, LOST, Row, Setting, Task, judged

FORMAT, VERSION = "bptt-gpu", 1
SPARING = 20.0  # a file is written again when this many times as long has passed as that takes
MARGIN_S = 3.0  # before the hard stop, for what is being done
NO_DEVICE = "torch sees no CUDA device on this machine"
NAMES = tuple(name for name in (*BUILTIN, *MORE) if name.startswith("torch.") and name != "torch.compiled")
Content = dict[str, Any]  # of a file


def arguments(module: str, doc: str | None) -> argparse.ArgumentParser:
    """What every piece takes."""
    options = parser(f"python -m benchmarks.gpu.{module}", doc or "")
    options.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    options.add_argument("--out", type=Path, required=True, metavar="FILE", help="goes on with what is there")
    options.add_argument("--seconds", type=above_zero, default=90.0, metavar="S", help="after which it is stopped (default: 90)")
    options.add_argument("--impl", action="append", choices=NAMES, help="may be repeated (default: all)")
    return options


def until(seconds: float) -> float:
    """By time.monotonic(): when nothing more is begun."""
    return BEGUN + seconds - min(MARGIN_S, seconds / 4)


def processes(device: str) -> int:
    """How many judge at a time.  Most of judging is Python's, but on a GPU processes take turns: a few are enough."""
    return max(1, min(4, machine.cores() // 2)) if device == "cuda" else max(1, min(4, machine.cores() - 1))


class Rows:
    """The file of a piece.  Whoever reads it, or stops the piece, has it whole."""

    def __init__(self, path: Path, piece: str, identity: Sequence[str], about: Content):
        """A row is known by the fields of ``identity``; ``about`` is the machine and the environment.

        ValueError: there is such a file already, of another piece or another machine.
        """
        self.path, self.identity, self.cost, self.written = path, identity, 0.0, 0.0
        self.content: Content = {"format": FORMAT, "version": VERSION, "piece": piece, "whole": False, **about, "rows": []}
        if path.exists():
            before = read(path)
            if before["piece"] != piece:
                raise ValueError(f"{path} is of piece {before['piece']!r}, not {piece!r}")
            if before.get("machine") and about.get("machine") and (difference := machine.difference(before, about)):
                raise ValueError(f"{path} is of another machine, and cannot be gone on with: {difference}")
            self.content |= {k: before[k] for k in before if k not in about} | {"rows": before["rows"], "whole": False}
        self.known = {self.key(row) for row in self.content["rows"]}
        self.write()

    def key(self, row: Row) -> tuple:
        return tuple(row.get(name) for name in self.identity)

    def missing(self, groups: Iterable[Sequence[Task]]) -> list[list[Task]]:
        """The tasks that have no row yet."""
        cut = ([task for task in tasks if self.key(task.about) not in self.known] for tasks in groups)
        return [tasks for tasks in cut if tasks]

    def judge(self, groups: Iterable[Sequence[Task]], setting: Setting) -> int:
        """Do what is missing, and write it down; the exit status: 1 if something is wrong, or was lost."""
        todo = self.missing(groups)
        wanted = sum(map(len, todo))
        for count, row in enumerate(judged(todo, setting), 1):
            self.add(row)
            if row["status"] not in FINE:
                say(f"{' '.join(self.key(row))} {row['status']}: {row.get('reason', '')}", flush=True)
            self.content["whole"] = count == wanted
        self.content["whole"] |= not wanted
        self.write()
        if left := wanted - len(self.content["rows"]) + len(self.known):
            say(f"the time is over: {left} of {wanted} are left; --rest goes on", flush=True)
        return int(any(row["status"] not in FINE for row in self.content["rows"]))

    def add(self, row: Row) -> None:
        """Keep a row; what it has under "file" is about the whole file, and stands before the rows."""
        kept = self.content.pop("rows")
        self.content |= row.pop("file", {})
        self.content["rows"] = [*kept, row]
        if time.monotonic() - self.written >= SPARING * self.cost:
            self.write()

    def write(self) -> None:
        begin = time.monotonic()
        results.write(self.path, self.content)
        self.written = time.monotonic()
        self.cost = self.written - begin


def read(path: Path) -> Content:
    """The file of a piece.  ValueError: it is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as e:
        raise ValueError(f"{path} is broken: {e}") from e
    if not isinstance(content, dict) or (content.get("format"), content.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"{path} is no file of python -m benchmarks gpu")
    return content


def lost_before(folder: Path) -> set[str]:
    """The implementations that crashed or hung in the first piece, which later ones do without."""
    path = folder / "machine.json"
    return {row["implementation"] for row in read(path)["rows"] if row["status"] in LOST} if path.exists() else set()


def names(args: argparse.Namespace) -> list[str]:
    """Who is judged."""
    lost = lost_before(args.out.parent)
    for name in sorted(lost):
        say(f"{name} is left out: it was lost in the first piece", flush=True)
    return [name for name in args.impl or NAMES if name not in lost]


def about() -> Content:
    """The machine and the environment."""
    return {"machine": machine.machine(), "environment": machine.environment()}


def leave(status: int) -> NoReturn:
    """End the process at once: what libraries do at its end, a GPU's above all, takes seconds, and may hang."""
    for stream in filter(None, (sys.stdout, sys.stderr)):  # those that were not closed
        stream.flush()
    os._exit(status)


def no_device(device: str) -> int:
    """0, or status 2 with a sentence where the device is not there."""
    import torch

    return failed(f"--device cuda: {NO_DEVICE}") if device == "cuda" and not torch.cuda.is_available() else 0
