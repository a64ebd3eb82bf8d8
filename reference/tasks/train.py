"""Training the variants of a task on one backend."""

import platform
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..common import batches, schedules, teacher_forcing
from ..common.command import Model
from ..common.screen.prose import say
from . import Task
from .backend import Backend

MAX_NORM = 1.0


def passes(task: Task, size: int, seed: int) -> Callable[[int], Iterator[batches.Batch]]:
    """``passes(epoch)``: the batches of this pass, drawn from the seed and the number of the pass."""
    words = task.parts.train

    def batches_of(epoch: int) -> Iterator[batches.Batch]:
        for chosen in batches.shuffled([len(w) for w in words], size, np.random.default_rng([seed, epoch])):
            yield task.batch([words[k] for k in chosen])

    return batches_of


def fit(
    task: Task, backend: Backend, kwargs: dict, cell: str, seed: int, steps: int, dtype: str = "float32"
) -> tuple[Model, float]:
    """A trained model of one variant, in evaluation mode, and the seconds it took.

    ``kwargs`` are the constructor's, and ``forced``: the share of steps in which a decoder still reads the data's token
    at the end, to which it falls in a line from 1 (scheduled sampling).
    """
    options = task.sizes | {k: v for k, v in kwargs.items() if k != "forced"}
    model = backend.models[task.model](**options, cell=cell, dtype=dtype, rng=np.random.default_rng(seed))
    warm = max(1, steps // 20)
    falling = schedules.cosine(task.rate, max(1, steps - warm))
    rate = schedules.sequential([schedules.warmup(task.rate, warm), falling], [warm])

    def each_step(n: int) -> float:
        if "forced" in kwargs:
            model.teacher_forcing = teacher_forcing.linear(n, steps, kwargs["forced"])
        return rate(n)

    started = time.perf_counter()
    backend.train(
        model,
        backend.adam(model, lr=task.rate),
        passes(task, task.batch_size, seed),
        epochs=task.most_epochs + 1,
        schedule=each_step,
        max_norm=MAX_NORM,
        steps=steps,
    )
    model.eval()
    return model, time.perf_counter() - started


def affordable(task: Task, backend: Backend, cell: str, seed: int, seconds: float) -> int:
    """How many steps of the first variant fit into so many seconds, by the time of the last of 30."""
    first, trial = next(iter(task.variants.values())), 30
    fit(task, backend, first, cell, seed, trial // 3)
    _, lasted = fit(task, backend, first, cell, seed, trial)
    most = task.most_epochs * -(-len(task.parts.train) // task.batch_size)
    return max(trial, int(min(seconds / lasted * trial, most)))


def run(
    task: Task, backend: Backend, cell: str, seed: int, seconds: float, steps: int | None, dtype: str = "float32"
) -> dict[str, Any]:
    """Train every variant for the same number of steps: figures, baselines, examples, in one dict for JSON."""
    steps = steps or affordable(task, backend, cell, seed, seconds)
    results: dict[str, Any] = {
        "title": task.title,
        "better": task.better,
        "side": backend.package,
        "cell": cell,
        "seed": seed,
        "dtype": dtype,
        "steps": steps,
        "batch": task.batch_size,
        "parts": [len(p) for p in task.parts],
        "baselines": task.baselines(),
        "variants": {},
    }
    for label, kwargs in task.variants.items():
        say(f"training: {label}, {steps} steps", flush=True)
        model, lasted = fit(task, backend, kwargs, cell, seed, steps, dtype)
        results["variants"][label] = {**task.figures(model), "seconds": round(lasted, 1)}
        if "examples" not in results:  # of the first variant
            results["examples"] = task.examples(model)
            results["more"] = task.more_figures(model) if hasattr(task, "more_figures") else {}
            results["maps"] = task.maps(model) if hasattr(task, "maps") else []
    return results | {"versions": {"python": platform.python_version(), "numpy": np.__version__} | backend.versions}
