"""``python -m notes.studies.adding_table``: which cell learns the adding problem at T = 50, 200 and 500.

Trains each cell by ``notes.studies.adding`` with a fixed seed and prints the table of notes/gradients/gradient_flow.md.
With ``--write``
puts it there and keeps the curves in notes/results/adding.json, from which the figure is drawn; what was trained before and
not now (``--T 200 --name LSTM``) stays.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.progress import track

from .adding import GUESS, Adder, train
from .pages import NOTES, insert

LENGTHS = (50, 200, 500)
STEPS, BATCH, HIDDEN, LEARNT, STOP = 2500, 32, 64, 0.01, 0.002
COMMAND = "python -m notes.studies.adding_table --write"
CURVES = NOTES / "results" / "adding.json"
EVERY = 25  # steps to one point of a curve


def subjects(T: int) -> dict[str, dict[str, Any]]:
    """What is trained: constructor arguments of Adder, and the step size."""
    keep = round(math.log(T / 4), 1)
    return {
        "RNN, tanh": {"cell": "rnn", "lr": 1e-3},
        "RNN, tanh, orthogonal": {"cell": "rnn", "init": "orthogonal", "lr": 1e-3},
        "RNN, relu, identity": {"cell": "relu", "init": "identity", "lr": 1e-3},
        "LSTM": {"cell": "lstm", "lr": 1e-2},
        "LSTM, gates open": {"cell": "lstm", "keep_bias": keep, "lr": 1e-2},
        "GRU": {"cell": "gru", "lr": 1e-2},
        "GRU, gate open": {"cell": "gru", "keep_bias": keep, "lr": 1e-2},
    }


def run(steps: int = STEPS, lengths: tuple[int, ...] = LENGTHS, only: str | None = None) -> Iterator[dict]:
    """One record for each length and cell, or for the cell of that name only."""
    todo = [(T, name, options) for T in lengths for name, options in subjects(T).items() if only in (None, name)]
    for T, name, options in track(todo, "adding", transient=True):
        build = {k: v for k, v in options.items() if k != "lr"}
        model = Adder(hidden_size=HIDDEN, rng=np.random.default_rng(0), **build)
        log = train(model, T, steps, BATCH, options["lr"], stop=STOP)
        loss = np.array(log.loss)
        curve = loss[: len(loss) // EVERY * EVERY].reshape(-1, EVERY).mean(1)
        learnt = np.flatnonzero(np.convolve(loss, np.full(100, 0.01), "valid") < LEARNT)
        yield {"T": T, "name": name, "error": finite(log.error), "steps": len(loss), "curve": [finite(v) for v in curve],
               "learnt": int(learnt[0]) + 100 if len(learnt) else None}


def finite(v: float) -> float | None:
    """For JSON, which has no NaN: a loss that is no number any more is None"""
    return round(float(v), 5) if math.isfinite(v) else None


def table(records: list[dict]) -> str:
    """A Markdown table: a row for each cell, two columns for each length."""
    lengths = sorted({r["T"] for r in records})
    found = {(r["name"], r["T"]): r for r in records}

    def cells(name: str, T: int) -> str:
        r = found.get((name, T))
        if r is None:
            return " | "
        return "diverged | not" if r["error"] is None else f"{r['error']:.4f} | {r['learnt'] or 'not'}"

    lines = ["| cell | " + " | ".join(f"T = {T}: error | learnt at step" for T in lengths) + " |",
             "|---|" + "--:|--:|" * len(lengths)]
    lines += [f"| {name} | " + " | ".join(cells(name, T) for T in lengths) + " |" for name in subjects(4)]
    return "\n".join([*lines, "", f"Always saying 1 has an error of {GUESS:.4f}. At most {max(r['steps'] for r in records)} "
                      f"steps of {BATCH} sequences, H = {HIDDEN}, seed 0."])


def merged(records: list[dict]) -> list[dict]:
    """With what was kept before, in the order of the table."""
    kept = json.loads(CURVES.read_text(encoding="utf-8")) if CURVES.exists() else []
    latest = {(r["T"], r["name"]): r for r in [*kept, *records]}
    return [latest[T, name] for T in LENGTHS for name in subjects(T) if (T, name) in latest]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m notes.studies.adding_table", description="The table of the adding problem.")
    parser.add_argument("--T", type=int, choices=LENGTHS, action="append", help="this length only; repeatable")
    parser.add_argument("--name", choices=subjects(4), help="this cell only")
    parser.add_argument("--write", action="store_true", help="into notes/")
    given = parser.parse_args()
    records = merged(list(run(lengths=tuple(given.T or LENGTHS), only=given.name)))
    print(table(records))
    if given.write:
        CURVES.write_text("[" + ",\n".join(json.dumps(r) for r in records) + "]\n", encoding="utf-8")
        insert("gradients/gradient_flow.md", COMMAND, table(records))
    return 0


if __name__ == "__main__":
    sys.exit(main())
