"""``python -m benchmarks run``: Judge, then time, implementations of RNN, LSTM and GRU.

Exit status: 0 all that was measured was right; 1 something was wrong or raised an error, or nothing could be timed;
2 something was asked for that is not there, or the file cannot be continued or written.
"""

import argparse
import math
import os
import shlex
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

from parity_tests.judge import terminal
from parity_tests.judge.implementations import BUILTIN, MORE, Implementation, resolve
from parity_tests.judge.strangers import STRANGERS
from reference.common.command import at_least_zero, guarded, parser

from ..what.config import PHASES, Config
from ..what.precision import LOW, PRECISIONS
from ..what.presets import CELLS, PRESETS
from . import clock, machine, results, roofline
from .clock import duration
from .energy.counters import counter_of
from .measure import Setting, measure

SMALL_WORK_S = 0.4  # judging, profiling and loading, per row: for the estimate of the time left


@dataclass(frozen=True)
class Work:
    """A configuration and a phase, and who is still to be measured on it."""

    config: Config
    phase: str
    implementations: tuple[Implementation, ...]

    @property
    def weight(self) -> float:
        """Seconds that it may take, roughly."""
        return len(self.implementations) * (SMALL_WORK_S + 20 * self.config.effort(self.phase))


@dataclass(frozen=True)
class How:
    """What a caller may want otherwise: the order of the work, how long is measured and judged, when all must have ended, and
    to be told the rows of each configuration once they are in the file."""

    order: Callable[[Config, str], Any] | None = None  # a key to sort by; None: as in the preset
    plan: clock.Plan | None = None  # None: as the preset says
    judging_s: float | None = None
    until: float = math.inf  # by time.monotonic(): nothing more is begun that, like the longest so far, would end later
    after: Callable[[Sequence[results.Row]], object] = lambda rows: None


def arguments() -> argparse.ArgumentParser:
    options, names = parser("python -m benchmarks run", __doc__), ", ".join((*BUILTIN, *MORE, *STRANGERS))
    options.add_argument("--preset", choices=PRESETS, required=True, help="python -m benchmarks list says what they are")
    impl = f"a module with load(spec, weights), or one of {names}; may be repeated"
    options.add_argument("--impl", action="append", metavar="NAME", help=impl)
    options.add_argument("--device", action="append", choices=("cpu", "cuda"), help="may be repeated (default: cpu)")
    options.add_argument("--dtype", action="append", choices=PRECISIONS, help="may be repeated (default: float32)")
    options.add_argument("--cell", action="append", choices=CELLS, help="may be repeated (default: all)")
    options.add_argument("--phase", action="append", choices=PHASES, help="may be repeated (default: both)")
    threads = "compute on N processors: torch, BLAS and everything else (default: all there are)"
    options.add_argument("--threads", type=int, metavar="N", help=threads)
    options.add_argument("--out", type=Path, metavar="FILE", help="the result file (default: out/benchmark-PRESET.json)")
    options.add_argument("--resume", action="store_true", help="go on with a result file, and measure what it lacks")
    options.add_argument("--overwrite", action="store_true", help="replace a result file that is there")
    options.add_argument("--budget", type=at_least_zero, metavar="SECONDS", help="begin nothing more after so long")
    return options


def main(argv: Sequence[str] | None = None, how: How = How()) -> int:
    args = arguments().parse_args(argv)
    os.environ.setdefault("TORCHINDUCTOR_FORCE_DISABLE_CACHES", "1")  # so that compile_s is that of compiling
    warnings.filterwarnings("ignore", "TF32 acceleration on top of oneDNN")
    warnings.filterwarnings("ignore", "LSTM with projections is not supported with oneDNN")
    path = args.out or Path("out") / f"benchmark-{args.preset}.json"
    return guarded(lambda: run(args, path, how), path, f"interrupted; --resume goes on with {path}")


def run(args: argparse.Namespace, path: Path, how: How) -> int:
    """Plan, open the file, measure; returns the exit status.  Raises what its parts do."""
    here, console = machine.machine(), terminal.console(highlight=False, markup=False)
    with machine.threads(args.threads):
        works = planned(args)
        result = opened(path, args, here)
        todo = left(works, result)
        if (key := how.order) is not None:
            todo.sort(key=lambda w: key(w.config, w.phase))
        introduce(result, todo)
        if {w.config.device for w in todo} == {"cpu"}:
            machine.limit_memory()
        finish_limits(result, todo, console)
        results.write(path, result)
        return measured(todo, result, path, args, console, how)


def introduce(result: results.Result, todo: Sequence[Work]) -> None:
    """Record what strangers say of themselves: version and threads, which nobody else knows.

    ResultError: the file has rows of one that was another version, or had other threads.
    """
    known = result["environment"].setdefault("strangers", {})
    for i in dict.fromkeys(i for w in todo for i in w.implementations):
        said = " ".join(i.about().split()) if i.about else None
        if said is not None and known.setdefault(i.name, said) != said:
            raise results.ResultError(f"{i.name} was {known[i.name]!r} in this file, and is {said!r} here")


def planned(args: argparse.Namespace) -> list[Work]:
    """All that was asked for; ValueError: an implementation, or a device, is not there, or there is nothing to be measured.

    By default those take part that do not decline; whoever was asked for by name has a row in any case.
    """
    preset = PRESETS[args.preset]
    cuda = torch.cuda.is_available()
    devices = args.device or (("cpu", "cuda") if preset.both_devices and cuda else ("cpu",))
    dtypes = args.dtype or ("float32",)
    if "cuda" in devices and not cuda:
        raise ValueError("--device cuda: torch sees no CUDA device on this machine")
    if "tf32" in dtypes and "cuda" not in devices:
        raise ValueError("--dtype tf32: only a CUDA device has TF32; add --device cuda")
    names = args.impl or preset.implementations or [n for n in (*BUILTIN, *MORE) if n not in preset.without]
    chosen = list({name: resolve(name) for name in names}.values())
    jobs = dict.fromkeys(
        (replace(config, dtype=dtype), phase)
        for device in dict.fromkeys(devices)
        for dtype in dict.fromkeys(dtypes)
        for config, phase in preset.jobs(device)
        if (not args.cell or config.cell in args.cell)
        and phase in (args.phase or PHASES)
        and not (dtype == "tf32" and device == "cpu")
    )
    works = [Work(c, phase, tuple(i for i in chosen if args.impl or not c.reason_to_decline(i))) for c, phase in jobs]
    works = [w for w in works if w.implementations]
    if not works:
        raise ValueError(f"nothing is left of preset {args.preset!r} with these options")
    return works


def opened(path: Path, args: argparse.Namespace, here: machine.Facts) -> results.Result:
    """A new result, or with --resume the one in the file; ``here`` is the machine.

    ResultError: the file is there and nothing was said about it; or it is broken, or of another preset or machine.
    """
    fresh = results.new(args.preset, command(args), here, machine.environment())
    if not path.exists() or args.overwrite:
        return fresh
    if not args.resume:
        raise results.ResultError(f"{path} is there already: --resume goes on with it, --overwrite replaces it")
    result = results.read(path)
    if result["preset"] != args.preset:
        raise results.ResultError(f"{path} is of preset {result['preset']!r}, and cannot be resumed as {args.preset!r}")
    if difference := machine.difference(result, fresh):
        raise results.ResultError(f"{path} was measured elsewhere, and cannot be resumed here: {difference}")
    if fresh["command"] not in result["command"].split(" && "):
        result["command"] += f" && {fresh['command']}"
    return result


def command(args: argparse.Namespace) -> str:
    """How to measure the same again."""
    words = ["--preset", args.preset]
    for option in ("impl", "device", "dtype", "cell", "phase"):
        words += [word for value in getattr(args, option) or () for word in (f"--{option}", value)]
    words += ["--threads", str(args.threads)] if args.threads else []
    return f"python -m benchmarks run {shlex.join(words)}"


def left(works: Sequence[Work], result: results.Result) -> list[Work]:
    """The work without the rows that are there already."""
    done = {results.identity(row) for row in result["rows"]}

    def missing(w: Work, i: Implementation) -> bool:
        return results.identity({"implementation": i.name, "phase": w.phase, "case": asdict(w.config)}) not in done

    cut = (replace(w, implementations=tuple(i for i in w.implementations if missing(w, i))) for w in works)
    return [w for w in cut if w.implementations]


def finish_limits(result: results.Result, todo: Sequence[Work], console: Console) -> None:
    """Measure the machine's limits that are needed and not yet known; the CPU's always, for they say what can be judged."""
    wanted = {"cpu": ["float32", "float64"]} if todo else {}
    for w in todo:
        wanted.setdefault(w.config.device, ["float32", "float64", *LOW]).append(w.config.dtype)
    for device, dtypes in wanted.items():
        known = result["limits"].get(device, {}).get("gemm_gflops", {})
        lacking = [dtype for dtype in dict.fromkeys(dtypes) if dtype not in known]
        if lacking:
            with console.status(f"measuring the limits of this machine ({device})"):
                limits = roofline.measure(device, lacking)
            result["limits"][device] = limits | {"gemm_gflops": known | limits["gemm_gflops"]}


def measured(todo: Sequence[Work], result: results.Result, path: Path, args: argparse.Namespace, console: Console, how: How) -> int:
    """Do the work, writing the file after each configuration and phase; returns the exit status."""
    plan = how.plan or clock.Plan(seconds=PRESETS[args.preset].seconds, rounds=PRESETS[args.preset].rounds)
    percent = "{task.percentage:3.0f}%"
    columns = ("{task.description}", BarColumn(), percent, TimeElapsedColumn(), "left:", TimeRemainingColumn())
    begin, statuses, longest = time.monotonic(), Counter[str](), 0.0
    with Progress(*columns, console=console, transient=True, speed_estimate_period=300) as progress:
        task = progress.add_task("", total=sum(w.weight for w in todo))
        setting = Setting(
            result["limits"],
            plan,
            {device: counter_of(device) for device in {w.config.device for w in todo}},
            how.judging_s,
            note=lambda text: progress.update(task, description=text),
            warn=lambda text: terminal.say(console, f"doubtful: {text}", style="yellow"),
        )
        for number, w in enumerate(todo):
            begun = time.monotonic()
            if (args.budget is not None and begun - begin >= args.budget) or begun + longest >= how.until:
                unbegun = f"{len(todo) - number} of {len(todo)} configurations are left"
                console.print(f"the time is used up: {unbegun}; --resume goes on")
                break
            rows = measure(w.config, w.phase, w.implementations, setting)
            result["rows"] += rows
            results.write(path, result)
            statuses.update(row["status"] for row in rows)
            terminal.say(console, line(w, rows))
            progress.advance(task, w.weight)
            longest = max(longest, time.monotonic() - begun)
            how.after(rows)
    counts = ", ".join(f"{n} {status}" for status, n in statuses.items()) or "nothing was left to measure"
    console.print(f"{counts}; {len(result['rows'])} rows in {path}")
    total = Counter(row["status"] for row in result["rows"])
    return int(bool(total["wrong"] or total["error"]) or not total["ok"])


def line(w: Work, rows: Sequence[results.Row]) -> str:
    """What was measured, in a line: medians, or why there is none."""
    figures = (f"{r['implementation']} {duration(r['seconds']['median']) if r['seconds'] else r['status']}" for r in rows)
    failed = (r for r in rows if r["status"] not in ("ok", "declined"))
    reasons = (f"\n    {r['implementation']} {r['status']}: {r['reason']}" for r in failed)
    return f"{w.config.name} {w.phase}: {' · '.join(figures)}{''.join(reasons)}"
