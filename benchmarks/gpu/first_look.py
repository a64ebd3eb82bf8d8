"""``python -m benchmarks.gpu.first_look``: what the machine is, and one LSTM on it by every way.

Each way is judged, forward and backward, then timed in a few calls.  One that raises, crashes or hangs costs itself only, and
what it raised is kept whole in the file.  Later pieces do without those that crashed or hung.

Exit status: 0 every way is right or declines; 1 one is not; 2 there is no CUDA device.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import metadata
from typing import Any

import torch

from parity_tests.judge.implementations import BUILTIN, MORE
from reference.common.command import entered, guarded
from reference.common.screen.prose import say

from ..run import check, machine, profiling
from ..run.clock import duration
from ..run.measure import refusal
from ..what.config import PHASES, Config
from ..what.layer import Candidate, DeclinedError
from ..what.precision import in_force
from .crew import Row, Setting, Task
from .rows import NAMES, Rows, arguments, leave, no_device, until

MACHINE = "machine"  # the row that has no implementation
LSTM = Config("lstm", 50, 16, 64, 64)
CALLS = 5
SECONDS_EACH = 12.0
VERSIONS = ("torch", "triton", "numpy", "scipy", "nvidia-cudnn-cu13", "pandas", "matplotlib")


def work(name: str, device: str) -> Row:
    """The row of one way, or of the machine."""
    if name == MACHINE:
        return {"status": "ok", "file": facts(device)}
    try:
        return lstm(name, device)
    except (DeclinedError, check.WrongError) as e:
        return refusal(e)


def facts(device: str) -> dict[str, Any]:
    """What the file says of where it was made; asking loads CUDA."""
    versions = {name: version(name) for name in VERSIONS} | {"python": platform.python_version()}
    more: dict[str, Any] = {"versions": versions, "arch": torch.cuda.get_arch_list(), "capability": None, "memory_free": None}
    if device == "cuda":
        more |= {"capability": list(torch.cuda.get_device_capability()), "memory_free": list(torch.cuda.mem_get_info())}
    return {"machine": machine.machine(), "environment": machine.environment(), "more": more}


def version(name: str) -> str | None:
    """Of an installed package; None if it is not."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(name)
    return None


def lstm(name: str, device: str) -> Row:
    """One way, right and timed: parity is the worst error over allowed."""
    config, implementation = replace(LSTM, device=device), (BUILTIN | MORE)[name]
    row: Row = {"status": "ok", "case": config.name, "parity": 0.0, "first_call_s": {}, "seconds": {}, "kernel": {}}
    with in_force(config.dtype):
        for phase in PHASES:
            candidate = config.candidate(implementation, phase)
            begin = time.perf_counter()
            profiling.first_call(candidate)
            row["first_call_s"][phase] = time.perf_counter() - begin
            row["parity"] = max(row["parity"], check.judge(candidate, config.T))
            row["seconds"][phase] = statistics.median(timed(candidate) for _ in range(CALLS))
            with suppress(Exception):  # what cannot be seen is no reason to drop the rest
                row["kernel"][phase] = profiling.kernel_and_memory(candidate, None)["kernel"]
    return row


def timed(candidate: Candidate) -> float:
    """Seconds of one call, from an idle device to an idle device."""
    candidate.sync()
    begin = time.perf_counter()
    candidate.call()
    candidate.sync()
    return time.perf_counter() - begin


def main(argv: Sequence[str] | None = None) -> int:
    args = arguments("first_look", __doc__).parse_args(argv)
    return no_device(args.device) or guarded(lambda: run(args), args.out)


def run(args: argparse.Namespace) -> int:
    """Every way, in one process as long as nothing goes wrong with it."""
    names = (MACHINE, *(args.impl or NAMES))
    groups = [[Task({"implementation": name}, (name, args.device))] for name in names]
    rows = Rows(args.out, "machine", ("implementation",), {})
    status = rows.judge(groups, Setting(work, args.device, seconds=SECONDS_EACH, until=until(args.seconds)))
    say(*map(said, rows.content["rows"]))
    return status


def said(row: Row) -> str:
    """A row in a line."""
    times = ", ".join(f"{phase} {duration(s)}" for phase, s in row.get("seconds", {}).items())
    parity = "" if row.get("parity") is None else f", parity {row['parity']:.2f}"
    kernels = ", ".join(dict.fromkeys(filter(None, row.get("kernel", {}).values())))
    return f"{row['implementation']}: {row['status']}{parity} {times} {kernels} {row.get('reason', '')}".rstrip()


if __name__ == "__main__":
    leave(entered(main))
