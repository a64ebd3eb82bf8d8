"""The command line of the tasks, the same for both backends."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..common.command import Parser, above_zero, number, positive, positive_or_zero
from . import TASKS

LEAST = 50  # names, words or sentences that a task can be split into three parts with
enough = number(int, lambda v: v >= LEAST, f"at least {LEAST}")


def parsed(package: str, engines: Sequence[str], arguments: Sequence[str] | None) -> tuple[argparse.Namespace, dict]:
    """The options, and of engine, seed, dtype and limit what was not left as it is.  The folder for the results is there then.

    SystemExit(2), with a sentence: an option out of range, or a folder that cannot be made.
    """
    top = Parser(prog=f"python -m {package}.tasks", description="Train the variants of a task, and say what each can do.")
    top.add_argument("task", choices=TASKS)
    top.add_argument("--cell", choices=("rnn", "lstm", "gru"), default="gru")
    top.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    top.add_argument("--engine", choices=engines, default=engines[0], help="how the recurrence is computed (default: %(default)s)")
    top.add_argument("--seconds", type=above_zero, default=90, help="to train the first variant (default: %(default)s)")
    top.add_argument("--steps", type=positive, help="instead of seconds; the same steps give the same model")
    top.add_argument("--limit", type=enough, help="use so many names, words or sentences")
    top.add_argument("--seed", type=positive_or_zero, default=0)
    top.add_argument("--out", type=Path, default=Path("out/tasks"))
    options = top.parse_args(arguments)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        top.error(f"--out cannot be made: {options.out}: {e.strerror}")
    given = {k: getattr(options, k) for k in ("engine", "seed", "dtype", "limit")}
    return options, {k: v for k, v in given.items() if v != top.get_default(k)}
