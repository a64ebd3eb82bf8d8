"""``python -m benchmarks.run.low_precision``: parity in TF32, bfloat16 and float16, each against a baseline of its own.

The parity suite judges float32 and float64.  NumPy has no narrower type, so here the baseline is torch's own hoisted loop
in that precision, and the oracle is the definition in float64 on data rounded to it (check.py).  TF32 is on for its rows
and off for all others.

Exit status: 0 everything was right; 1 something was not, or nothing was compared; 2 there is no such device.
"""

import argparse
import itertools
import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.text import Text

from parity_tests.judge.implementations import BUILTIN, MORE, Implementation
from parity_tests.judge.terminal import console, figure, grid
from reference.common.command import failed, parser

from ..what.config import PHASES, Config
from ..what.precision import LOW, in_force
from ..what.presets import CELLS
from . import check
from .measure import refusal

NAMES = tuple(name for name in (*BUILTIN, *MORE) if name.startswith("torch.") and name != "torch.compiled")
NO_DEVICE = "torch sees no CUDA device on this machine"
Line = dict[str, Any]  # what was judged, and parity, or why there is none


def configs(dtype: str, device: str) -> list[Config]:
    """Every cell and option at sizes that take no time, and one at which libraries take their special kernels."""
    rnn, lstm, gru = plain = [Config(cell, 9, 4, 5, 8, dtype=dtype, device=device) for cell in CELLS]
    options = ((replace(c, num_layers=3, bidirectional=True), replace(c, fill=0.5), replace(c, B=1)) for c in plain)
    kinds = replace(rnn, nonlinearity="relu"), replace(lstm, proj_size=3), replace(gru, reset_after=False)
    large = (replace(c, T=20, B=16, input_size=128, hidden_size=128) for c in plain)
    return [*plain, *itertools.chain(*options), *kinds, *large]


def judged(implementations: Sequence[Implementation], dtypes: Iterable[str], device: str) -> Iterator[Line]:
    """A line for each precision, configuration, phase and implementation."""
    for dtype in dtypes:
        with in_force(dtype):
            for config, phase, i in itertools.product(configs(dtype, device), PHASES, implementations):
                yield line(i, config, phase)


def line(implementation: Implementation, config: Config, phase: str) -> Line:
    about = {"implementation": implementation.name, "case": config.name, "dtype": config.dtype, "phase": phase}
    outcome: Line = {"status": "ok", "reason": "", "parity": None}
    try:
        outcome["parity"] = check.judge(config.candidate(implementation, phase), config.T)
    except Exception as e:  # of an implementation, whatever it is: the line says it
        outcome |= refusal(e)
    if outcome["parity"] == math.inf:
        outcome["parity"] = None  # JSON has no infinity
    return about | outcome


def arguments() -> argparse.ArgumentParser:
    options = parser("python -m benchmarks.run.low_precision", __doc__)
    options.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    options.add_argument("--dtype", action="append", choices=LOW, help="may be repeated (default: all that the device has)")
    options.add_argument("--impl", action="append", choices=NAMES, help="may be repeated (default: all)")
    options.add_argument("--out", type=Path, metavar="FILE", help="write every line as JSON")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    args, out = arguments().parse_args(argv), console()
    if args.device == "cuda" and not torch.cuda.is_available():
        return failed(f"--device cuda: {NO_DEVICE}")
    dtypes = args.dtype or [d for d in LOW if d != "tf32" or args.device == "cuda"]
    lines = list(judged([(BUILTIN | MORE)[name] for name in args.impl or NAMES], dtypes, args.device))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text("[\n" + ",\n".join(json.dumps(x) for x in lines) + "\n]\n", encoding="utf-8")
    show(out, lines, dtypes)
    return int(any(map(is_bad, lines)) or not any(x["status"] == "ok" for x in lines))


def is_bad(line: Line) -> bool:
    return line["status"] not in ("ok", "declined")


def show(out: Console, lines: Sequence[Line], dtypes: Sequence[str]) -> None:
    """Implementations by precisions: the worst error over allowed, or how many are not right; then each of these."""
    table = grid("largest error / allowed, each precision against its own baseline")
    for name in ("implementation", *dtypes):
        table.add_column(name)
    for name in dict.fromkeys(x["implementation"] for x in lines):
        table.add_row(name, *(cell([x for x in lines if (x["implementation"], x["dtype"]) == (name, d)]) for d in dtypes))
    out.print(table)
    for x in filter(is_bad, lines):
        out.print(Text(f"{x['implementation']} {x['status']}: {x['case']} {x['phase']}: {x['reason']}", style="red"))


def cell(lines: Sequence[Line]) -> Text:
    bad = sum(map(is_bad, lines))
    if bad:
        return Text(f"✗ {bad} of {len(lines)}", style="bold red")
    known = [x["parity"] for x in lines if x["parity"] is not None]
    return Text(f"✓ {figure(max(known))} ({len(known)})", style="green") if known else Text("declined", style="yellow")


if __name__ == "__main__":
    sys.exit(main())
