"""``python -m benchmarks strangers [NAME ...]``: Time libraries by others against torch.nn's layer, each where it is installed.

Each has an environment of its own, as for `make strangers`: what this one has, torch with it, and what pip installs for the
library.  So the two take turns in one process.  A file each, MACHINE-NAME.json.gz; the same command goes on where it was
stopped.

Exit status: 0 all were timed; 1 one could not be installed, or its run did not end well; 2 something was asked for that is
not there.
"""

import argparse
import os
import shlex
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from parity_tests.judge import terminal
from parity_tests.judge.strangers import STRANGERS
from reference.common.command import UsageError, at_least_zero, guarded, parser
from reference.common.extras import needs

from ..what.presets import PRESETS

ROOT = Path(__file__).parents[2]
LIBRARY = "torch.library"
# By default: one for each way that a reader may choose among, of those that are in use.
TIMED = (
    "jax.scan",
    "onnxruntime",
    "openvino",
    "openvino.static",
    "keras.torch",
    "keras.jax",
    "keras.tensorflow",
    "tensorflow.block",
)
THREADS = "BPTT_STRANGER_THREADS"  # read by adapters of what must be told; unsaid it is one, for judging
Run = Callable[[Sequence[str], int], int]  # words of a command, threads -> exit status


def arguments() -> argparse.ArgumentParser:
    p = parser("python -m benchmarks strangers", __doc__ or "")
    p.add_argument("names", nargs="*", metavar="NAME", help=f"who is timed (default: {', '.join(TIMED)})")
    p.add_argument("--machine", required=True, metavar="MACHINE", help="the name of this machine, for the files")
    p.add_argument("--preset", choices=PRESETS, default="grid", help="default: grid")
    p.add_argument("--threads", type=int, metavar="N", help="compute on N processors (default: all there are)")
    p.add_argument("--budget", type=at_least_zero, metavar="SECONDS", help="for each; begin nothing more after so long")
    p.add_argument("--out", type=Path, metavar="FOLDER", help="default: benchmarks/results/MACHINE")
    p.add_argument("--environments", type=Path, metavar="FOLDER", help="where they are, or are made")
    p.add_argument("--dry", action="store_true", help="print the commands and stop")
    return p


def main(argv: Sequence[str] | None = None, start: Run | None = None) -> int:
    """``start`` runs a command."""
    args = arguments().parse_args(argv)
    return guarded(lambda: run(args, start or started), args.out, "interrupted; the same command goes on")


def run(args: argparse.Namespace, start: Run) -> int:
    """The exit status.  UsageError: somebody was named who is not there, or this is no checkout."""
    if unknown := [name for name in args.names if name not in STRANGERS]:
        raise UsageError(f"no adapter is named {unknown[0]!r}; there are {', '.join(STRANGERS)}")
    needs("bench", "psutil", "threadpoolctl")
    from ..run.machine import cores

    try:  # what makes environments is not in the wheel
        from parity_tests.strangers.running.environments import PLACE, InstallError, environment
    except ModuleNotFoundError as e:
        raise UsageError("environments are made in a checkout of this project only; `run --impl NAME` times what is here") from e
    out, failed = terminal.console(highlight=False, markup=False), 0
    for name in dict.fromkeys(args.names or TIMED):
        try:
            python = "python" if args.dry else environment(STRANGERS[name].needs, args.environments or PLACE)
        except (InstallError, OSError) as e:
            terminal.say(out, f"{name}: {e}", style="bold red")
            failed += 1
            continue
        words = [str(python), *command(name, args)]
        terminal.say(out, f"$ {shlex.join(['python', *words[1:]])}", style="bold")
        if not args.dry and (status := start(words, args.threads or cores())):
            terminal.say(out, f"{name}: ended with status {status}", style="bold red")
            failed += 1
    return int(failed > 0)


def command(name: str, args: argparse.Namespace) -> list[str]:
    """What the interpreter of an environment is told: the library beside torch.nn's layer."""
    file = (args.out or Path("benchmarks") / "results" / args.machine) / f"{args.machine}-{name}.json.gz"
    words = ["-m", "benchmarks", "run", "--preset", args.preset, "--impl", LIBRARY, "--impl", name]
    words += ["--threads", str(args.threads)] if args.threads else []
    words += ["--budget", f"{args.budget:g}"] if args.budget is not None else []
    return [*words, "--resume", "--out", str(file)]


def started(words: Sequence[str], threads: int) -> int:
    """Run a command to its end, with this checkout as what it imports.  XLA optimises, as its adapter asks it not to in judging."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    more = {"PYTHONPATH": path, THREADS: str(threads), "TF_CPP_MIN_LOG_LEVEL": "2", "XLA_FLAGS": os.environ.get("XLA_FLAGS", "")}
    return subprocess.run(words, cwd=ROOT, env=os.environ | more, check=False).returncode
