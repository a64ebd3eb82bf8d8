"""``python -m benchmarks.run.low_precision``: parity in TF32, bfloat16 and float16, each against a baseline of its own.

The parity suite judges float32 and float64.  NumPy has no narrower type, so here the baseline is torch's own hoisted loop
in that precision, and the oracle is the definition in float64 on data rounded to it (check.py).  TF32 is on for its rows
and off for all others.

Exit status: 0 everything was right; 1 something was not, or nothing was compared; 2 there is no such device.
"""

import argparse
import json
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

from ..what.config import Config
from ..what.precision import LOW, in_force
from . import check
from .measure import refusal

USAGE_ERROR = 2
NAMES = tuple(name for name in (*BUILTIN, *MORE) if name.startswith("torch.") and name != "torch.compiled")


def configs(dtype: str, device: str) -> tuple[Config, ...]:
    """Every cell and option at sizes that take no time, and one at which libraries take their special kernels."""
    small: dict[str, Any] = {"T": 9, "B": 4, "input_size": 5, "hidden_size": 8, "dtype": dtype, "device": device}
    plain = [Config(cell, **small) for cell in ("rnn", "lstm", "gru")]
    options: tuple[dict[str, Any], ...] = ({"num_layers": 3, "bidirectional": True}, {"fill": 0.5}, {"B": 1})
    more = [replace(c, **option) for c in plain for option in options]
    kinds = [
        Config("rnn", nonlinearity="relu", **small),
        Config("lstm", proj_size=3, **small),
        Config("gru", reset_after=False, **small),
    ]
    large = [replace(c, T=20, B=16, input_size=128, hidden_size=128) for c in plain]
    return (*plain, *more, *kinds, *large)


def judged(implementations: Sequence[Implementation], dtypes: Iterable[str], device: str) -> Iterator[dict[str, Any]]:
    """A line for each precision, configuration, phase and implementation: parity, or why there is none."""
    for dtype in dtypes:
        with in_force(dtype):
            for config in configs(dtype, device):
                for phase in ("forward", "train"):
                    for i in implementations:
                        yield line(i, config, phase)


def line(implementation: Implementation, config: Config, phase: str) -> dict[str, Any]:
    outcome: dict[str, Any] = {
        "implementation": implementation.name,
        "case": config.name,
        "dtype": config.dtype,
        "phase": phase,
        "status": "ok",
        "reason": "",
        "parity": None,
    }
    try:
        outcome["parity"] = check.judge(config.candidate(implementation, phase), config.problem())
    except Exception as e:  # of an implementation, whatever it is: the line says it
        outcome |= refusal(e)
    return outcome | {"parity": None if outcome["parity"] == float("inf") else outcome["parity"]}


def arguments() -> argparse.ArgumentParser:
    first, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run.low_precision",
        description=first.partition(": ")[2],
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    parser.add_argument("--dtype", action="append", choices=LOW, help="may be repeated (default: all that the device has)")
    parser.add_argument("--impl", action="append", choices=NAMES, help="may be repeated (default: all)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write every line as JSON")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    args, out = arguments().parse_args(argv), console()
    if args.device == "cuda" and not torch.cuda.is_available():
        console(stderr=True).print("error: --device cuda: torch sees no CUDA device on this machine", style="bold red")
        return USAGE_ERROR
    dtypes = args.dtype or [d for d in LOW if d != "tf32" or args.device == "cuda"]
    implementations = [(BUILTIN | MORE)[name] for name in args.impl or NAMES]
    lines = list(judged(implementations, dtypes, args.device))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text("[\n" + ",\n".join(json.dumps(x) for x in lines) + "\n]\n", encoding="utf-8")
    show(out, lines, dtypes)
    return int(any(x["status"] not in ("ok", "declined") for x in lines) or not any(x["status"] == "ok" for x in lines))


def show(out: Console, lines: Sequence[dict[str, Any]], dtypes: Sequence[str]) -> None:
    """Implementations by precisions: the worst error over allowed, or how many are not right; then each of these."""
    table = grid("largest error / allowed, each precision against its own baseline")
    for name in ("implementation", *dtypes):
        table.add_column(name)
    for name in dict.fromkeys(x["implementation"] for x in lines):
        table.add_row(name, *(cell([x for x in lines if (x["implementation"], x["dtype"]) == (name, d)]) for d in dtypes))
    out.print(table)
    for x in lines:
        if x["status"] not in ("ok", "declined"):
            out.print(Text(f"{x['implementation']} {x['status']}: {x['case']} {x['phase']}: {x['reason']}", style="red"))


def cell(lines: Sequence[dict[str, Any]]) -> Text:
    bad = sum(x["status"] not in ("ok", "declined") for x in lines)
    if bad:
        return Text(f"✗ {bad} of {len(lines)}", style="bold red")
    known = [x["parity"] for x in lines if x["parity"] is not None]
    return Text(f"✓ {figure(max(known))} ({len(known)})", style="green") if known else Text("declined", style="yellow")


if __name__ == "__main__":
    sys.exit(main())
