"""Training the variants of a task on one side, and what is printed and written of it."""

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..common import batches, schedules, teacher_forcing
from . import TASKS

LEAST = 50  # names or words that a task can be split into three parts with

MAX_NORM = 1.0


class Side(NamedTuple):
    """What a side gives."""

    package: str
    models: dict[str, Callable]    # by class name; called with sizes, cell, dtype, rng
    adam: Callable                 # called with a model and lr
    train: Callable
    versions: dict[str, str]


def passes(task, size: int, seed: int) -> Callable[[int], Any]:
    """``passes(epoch)``: the batches of this pass, drawn from the seed and the number of the pass."""
    def one(epoch: int):
        rng = np.random.default_rng([seed, epoch])
        for chosen in batches.shuffled(task.lengths, size, rng):
            yield task.batch([task.parts.train[k] for k in chosen])
    return one


def fit(task, side: Side, kwargs: dict, cell: str, seed: int, steps: int, dtype: str = "float32") -> tuple[Any, float]:
    """A trained model of one variant, in evaluation mode, and the seconds it took.

    ``kwargs`` are the constructor's, and ``forced``: the share of steps in which a decoder still reads the data's token
    at the end, to which it falls in a line from 1 (scheduled sampling).
    """
    given = {k: v for k, v in kwargs.items() if k != "forced"}
    model = side.models[task.model](**task.sizes | given, cell=cell, dtype=dtype, rng=np.random.default_rng(seed))
    warm = max(1, steps // 20)
    falling = schedules.cosine(task.rate, max(1, steps - warm))
    rate = schedules.sequential([schedules.warmup(task.rate, warm), falling], [warm])

    def each_step(n: int) -> float:
        if "forced" in kwargs:
            model.teacher_forcing = teacher_forcing.linear(n, steps, kwargs["forced"])
        return rate(n)

    started = time.perf_counter()
    side.train(model, side.adam(model, lr=task.rate), passes(task, task.batch_size, seed), epochs=task.most_epochs + 1,
               schedule=each_step, max_norm=MAX_NORM, steps=steps)
    model.eval()
    return model, time.perf_counter() - started


def affordable(task, side: Side, cell: str, seed: int, seconds: float) -> int:
    """How many steps of the first variant fit into so many seconds, by the time of the last of 30."""
    first, trial = next(iter(task.variants.values())), 30
    fit(task, side, first, cell, seed, trial // 3)
    _, took = fit(task, side, first, cell, seed, trial)
    return max(trial, min(int(seconds / took * trial), task.most_epochs * -(-len(task.lengths) // task.batch_size)))


def run(task, side: Side, cell: str, seed: int, seconds: float, steps: int | None, dtype: str = "float32") -> dict:
    """Train every variant for the same number of steps: figures, baselines, examples, in one dict for JSON."""
    steps = steps or affordable(task, side, cell, seed, seconds)
    made: dict = {"title": task.title, "better": task.better, "side": side.package, "cell": cell, "seed": seed,
                  "dtype": dtype, "steps": steps, "batch": task.batch_size, "parts": [len(p) for p in task.parts],
                  "baselines": task.baselines(), "variants": {}}
    for label, kwargs in task.variants.items():
        print(f"training: {label}, {steps} steps", flush=True)
        model, took = fit(task, side, kwargs, cell, seed, steps, dtype)
        made["variants"][label] = {**task.figures(model), "seconds": round(took, 1)}
        if "examples" not in made:  # of the first variant
            made["examples"] = task.examples(model)
            made["more"] = task.more_figures(model) if hasattr(task, "more_figures") else {}
            made["maps"] = task.maps(model) if hasattr(task, "maps") else []
    return made | {"versions": {"python": platform.python_version(), "numpy": np.__version__} | side.versions}


def lines(made: dict) -> list[str]:
    """What is printed."""
    found = [f"{made['title']}: {made['side']}, {made['cell']}, {made['steps']} steps of {made['batch']}; "
             f"trained on {made['parts'][0]}, tested on {made['parts'][2]}"]
    for kind in ("baselines", "variants"):
        for label, figures in made[kind].items():
            shown = "  ".join(f"{k} {v:.4g}" for k, v in figures.items())
            found.append(f"  {'baseline: ' if kind == 'baselines' else ''}{label:40s}  {shown}")
    found += [f"  {k}  {v:.4g}" for k, v in made["more"].items()]
    return found + [f"    {k}  ->  {v}" for k, v in made["examples"].items()]


def main(side: Side, arguments: list[str] | None = None) -> int:
    """The command of both sides."""
    parser = argparse.ArgumentParser(prog=f"python -m {side.package}.tasks", description=__doc__)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--cell", choices=("rnn", "lstm", "gru"), default="gru")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--seconds", type=float, default=90, help="to train the first variant (default: %(default)s)")
    parser.add_argument("--steps", type=int, help="instead of seconds; the same steps give the same model")
    parser.add_argument("--limit", type=int, help="use so many names or words")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out/tasks"))
    given = parser.parse_args(arguments)
    for name, least in (("limit", LEAST), ("steps", 1), ("seconds", 0), ("seed", 0)):
        value = getattr(given, name)
        if value is not None and not value >= least:
            parser.error(f"--{name} must be at least {least}, got {value:g}")
    try:  # before the training, not after it
        given.out.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        parser.error(f"--out cannot be made: {given.out}: {e.strerror}")
    try:
        task = TASKS[given.task](given.seed, **{} if given.limit is None else {"limit": given.limit})
    except FileNotFoundError as e:
        print(f"error: {e}")
        return 2
    try:
        made = run(task, side, given.cell, given.seed, given.seconds, given.steps, given.dtype)
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130
    said = {"cell": given.cell, "steps": made["steps"]} | {k: getattr(given, k) for k in ("seed", "dtype", "limit")
                                                           if getattr(given, k) != parser.get_default(k)}
    made["command"] = f"python -m {side.package}.tasks {given.task} " + " ".join(f"--{k} {v}" for k, v in said.items())
    print("\n".join(lines(made)))
    file = given.out / f"{given.task}-{side.package}-{given.cell}.json"
    file.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {file}")
    return 0
