"""``python -m benchmarks.gpu.low_precision``: parity in TF32, bfloat16 and float16, each against a baseline of its own.

The parity suite judges float32 and float64 against NumPy.  NumPy has no narrower type, so here the baseline is torch's own
hoisted loop in that precision, and the oracle is the definition in float64 on data rounded to it (run/check.py).  TF32 is on
for its rows and off for all others.

Exit status: 0 nothing was wrong; 1 something was, or was lost; 2 there is no CUDA device.
"""

import argparse
import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

from parity_tests.judge.implementations import BUILTIN, MORE
from parity_tests.judge.terminal import figure
from reference.common.command import entered, guarded
from reference.common.screen.prose import say

from ..run import check
from ..run.measure import refusal
from ..what.config import PHASES, Config
from ..what.layer import DeclinedError
from ..what.precision import LOW, in_force
from ..what.presets import CELLS
from .crew import FINE, Row, Setting, Task
from .rows import Rows, about, arguments, leave, names, no_device, processes, until

SECONDS_EACH = 20.0


def configs(dtype: str, device: str) -> list[Config]:
    """Every cell and option at sizes that take no time, and one at which libraries take their special kernels."""
    rnn, lstm, gru = plain = [Config(cell, 9, 4, 5, 8, dtype=dtype, device=device) for cell in CELLS]
    options = ((replace(c, num_layers=3, bidirectional=True), replace(c, fill=0.5), replace(c, B=1)) for c in plain)
    kinds = replace(rnn, nonlinearity="relu"), replace(lstm, proj_size=3), replace(gru, reset_after=False)
    large = (replace(c, T=20, B=16, input_size=128, hidden_size=128) for c in plain)
    return [*plain, *itertools.chain(*options), *kinds, *large]


def work(name: str, config: Config, phase: str) -> Row:
    """The row of one way in one precision, configuration and phase."""
    with in_force(config.dtype):
        try:
            parity = check.judge(config.candidate((BUILTIN | MORE)[name], phase), config.T)
        except (DeclinedError, check.WrongError) as e:
            row = {"parity": None} | refusal(e)
            return row | {"parity": None} if row["parity"] == math.inf else row  # JSON has no infinity
    return {"status": "ok", "reason": "", "parity": parity}


def groups(ways: Sequence[str], dtypes: Sequence[str], device: str) -> list[list[Task]]:
    """Configuration by configuration, in each precision: what is right is computed once for every way and both phases."""
    by_dtype = [configs(dtype, device) for dtype in dtypes]
    return [
        [task(name, config, phase) for phase, name in itertools.product(PHASES, ways)]
        for config in itertools.chain.from_iterable(zip(*by_dtype, strict=True))
    ]


def task(name: str, config: Config, phase: str) -> Task:
    known = {"implementation": name, "case": config.name, "kind": config.spec().kind, "dtype": config.dtype, "phase": phase}
    return Task(known, (name, config, phase))


def main(argv: Sequence[str] | None = None) -> int:
    options = arguments("low_precision", __doc__)
    options.add_argument("--dtype", action="append", choices=LOW, help="may be repeated (default: all that the device has)")
    args = options.parse_args(argv)
    return no_device(args.device) or guarded(lambda: run(args), args.out)


def run(args: argparse.Namespace) -> int:
    dtypes = args.dtype or [d for d in LOW if d != "tf32" or args.device == "cuda"]
    rows = Rows(args.out, "low", ("implementation", "case", "dtype", "phase"), about())
    setting = Setting(work, args.device, processes(args.device), SECONDS_EACH, until(args.seconds))
    status = rows.judge(groups(names(args), dtypes, args.device), setting)
    show(rows.content["rows"], dtypes)
    return status


def show(rows: Sequence[Row], dtypes: Sequence[str]) -> None:
    """Implementations by precisions: the largest error over allowed, or how many are not right."""
    for name in dict.fromkeys(row["implementation"] for row in rows):
        own = [row for row in rows if row["implementation"] == name]
        say(f"{name}: " + ", ".join(f"{dtype} {cell([row for row in own if row['dtype'] == dtype])}" for dtype in dtypes))


def cell(rows: Sequence[Row]) -> str:
    """'✓ 0.41 (36)': the largest error over allowed of so many, or what went wrong."""
    if bad := sum(row["status"] not in FINE for row in rows):
        return f"✗ {bad} of {len(rows)}"
    known = [row["parity"] for row in rows if row["parity"] is not None]
    return f"✓ {figure(max(known))} ({len(known)})" if known else "declined" if rows else "–"


if __name__ == "__main__":
    leave(entered(main))
