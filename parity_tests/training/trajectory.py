"""Trajectory parity: whole training runs on both sides, step by step, judged by T3 of tolerance.py.

The same weights, batches, masks and hyper-parameters go through ``reference.training.loop.train`` and
``torch_impl.training.loop.train``, the loops themselves.  Compared after each step: the loss, the norm of the gradients, every
parameter.  The oracle is the run in longdouble; the baselines are the run in float64, once from the weights as they are
and fifteen times from weights of which every one was moved by one rounding.

``python -m notes.studies.trajectory`` prints how rounding grows in 100 steps, and how many baselines it takes to know.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import reference.training.loop
import torch_impl.training.loop
from reference.common import batches, schedules
from reference.training import optim
from torch_impl.training import optim as torch_optim

from ..judge.oracle import jitter
from ..judge.tolerance import Verdict, judge_trajectory

Trajectory = dict[str, np.ndarray]  # (steps, ...) by name
STEPS = 100
FEW, RUNS = 4, 16  # baselines that are run at first, and in all
CELLS = ("rnn", "lstm", "gru")
OPTIMIZERS: dict[str, dict[str, float]] = {
    "SGD": {"lr": 0.3, "momentum": 0.8, "nesterov": True, "weight_decay": 1e-3},
    "RMSprop": {"lr": 0.01, "alpha": 0.9, "momentum": 0.5},
    "Adagrad": {"lr": 0.1, "lr_decay": 0.01},
    "Adam": {"lr": 0.02, "weight_decay": 1e-3},
    "AdamW": {"lr": 0.02, "weight_decay": 0.1},
}


@dataclass(frozen=True, eq=False)
class Task:
    """A model to be trained, by the names that it has on both sides."""

    module: str
    model: str
    batches: Callable[[int], list]  # seed -> at least 100 batches
    arguments: dict[str, Any] = field(default_factory=dict)  # of the constructor, besides cell, dtype, rng
    set: dict[str, Any] = field(default_factory=dict)  # attributes of the model
    max_norm: float = 0.5  # clips some of the steps

    def build(self, package: str, cell: str, seed: int, **options: Any) -> Any:
        cls = getattr(importlib.import_module(f"{package}.models.{self.module}"), self.model)
        model = cls(cell=cell, rng=np.random.default_rng(seed), **self.arguments, **options)
        for name, value in self.set.items():
            setattr(model, name, value)
        return model

    def __str__(self) -> str:
        return "-".join([self.module, *([self.arguments["mode"]] if "mode" in self.arguments else [])])


def stream(seed: int) -> list:
    """Windows of a text in which each token says something about the next."""
    rng = np.random.default_rng(seed)
    steps = rng.choice([1, 2, 3], 3 * 5 * STEPS + 1, p=[0.7, 0.2, 0.1])
    return batches.windows(np.cumsum(steps) % 7, 3, 5)


def sequences(seed: int, count: int = 4) -> tuple[np.random.Generator, list[list[np.ndarray]]]:
    """For each batch, sequences of tokens from 3 to 6, of different lengths; and the generator for the rest"""
    rng = np.random.default_rng(seed)
    return rng, [[rng.integers(3, 7, n) for n in rng.integers(1, 6, count)] for _ in range(STEPS)]


def labelled(seed: int) -> list:
    """The class is the number of threes, at most 2."""
    return [batches.labelled(s, [min(int((x == 3).sum()), 2) for x in s]) for s in sequences(seed)[1]]


def conditioned(seed: int) -> list:
    rng, tokens = sequences(seed)
    return [batches.conditioned(rng.integers(0, 4, (len(s), 2)).tolist(), s, 1, 2) for s in tokens]


def tagged(seed: int) -> list:
    """The tag says whether the next token is larger, smaller, or not there."""
    return [batches.tagged(s, [np.append(np.diff(x) > 0, 2).astype(int) for x in s]) for s in sequences(seed)[1]]


def translated(seed: int) -> list:
    """The target is the source backwards, without its first token."""
    return [batches.translated(s, [x[:0:-1] for x in s], 1, 2) for s in sequences(seed)[1]]


def windowed(seed: int) -> list:
    """Windows of two noisy waves, of which the second runs ahead of the first."""
    rng = np.random.default_rng(seed)
    t = np.arange(9)[:, None, None] + rng.uniform(0, 20, (STEPS, 1, 4, 1))
    waves = np.concatenate([np.sin(t / 2), np.sin(t / 2 + 1)], -1) + 0.1 * rng.standard_normal((STEPS, 9, 4, 2))
    return [batches.Windowed(w[:6], w[6:]) for w in waves]


SIZES = {"embedding_dim": 5, "hidden_size": 6, "num_layers": 2, "dropout": 0.2}
FORECAST = {"columns": 2, "horizon": 3, "hidden_size": 6, "num_layers": 2, "dropout": 0.2}
TASKS = [
    Task("language_model", "LanguageModel", stream, SIZES | {"num_embeddings": 7}),
    Task("classifier", "Classifier", labelled, SIZES | {"num_embeddings": 7, "classes": 3}),
    Task("generator", "Generator", conditioned, SIZES | {"num_embeddings": 7, "conditions": 4}),
    Task("tagger", "Tagger", tagged, SIZES | {"num_embeddings": 7, "tags": 3}),
    Task("seq2seq", "Seq2seq", translated, SIZES | {"sources": 7, "targets": 7}, {"teacher_forcing": 0.6}),
    *(
        Task("forecaster", "Forecaster", windowed, FORECAST | {"mode": mode}, {"teacher_forcing": 0.6})
        for mode in ("direct", "recursive", "encdec")
    ),
]


class Recording:
    """An optimiser that keeps what its parameters are after each step."""

    def __init__(self, optimizer: Any, weights: Callable[[], dict[str, np.ndarray]]):
        self.optimizer, self.weights = optimizer, weights
        self.history: list[dict[str, np.ndarray]] = []

    lr = property(lambda self: self.optimizer.lr, lambda self, value: setattr(self.optimizer, "lr", value))

    def step(self, *grads: Any) -> None:
        self.optimizer.step(*grads)
        self.history.append({k: v.copy() for k, v in self.weights().items()})


def follow(
    task: Task,
    cell: str,
    kind: str,
    *,
    side: str = "reference",
    dtype: DTypeLike = np.float64,
    seed: int = 0,
    steps: int = STEPS,
    change: Callable[[np.ndarray], np.ndarray] | None = None,
    engine: str = "definition",
    **changed: float,
) -> Trajectory:
    """Train, and tell the loss, the norm and the parameters after each step.

    ``change`` is made to every initial weight; ``changed`` are options of the optimiser that differ.
    """
    options = OPTIMIZERS[kind] | changed
    rate = schedules.sequential([schedules.warmup(options["lr"], 10), schedules.cosine(options["lr"], STEPS)], [10])
    if side == "reference":
        model = task.build("reference", cell, seed, dtype=dtype, engine=engine)
        model.load_state_dict({k: (change or np.asarray)(v) for k, v in model.state_dict().items()})
        recorder = Recording(getattr(optim, kind)(model, **options), lambda: model.params)
        train: Callable = reference.training.loop.train
    else:
        model = task.build("torch_impl", cell, seed, dtype=np.dtype(dtype).name)
        optimizer = getattr(torch_optim, kind)(model, **options)
        recorder = Recording(optimizer, lambda: {k: p.detach().numpy() for k, p in model.named_parameters()})
        train = torch_impl.training.loop.train
    result = train(model, recorder, lambda epoch: task.batches(seed)[:steps], epochs=1, schedule=rate, max_norm=task.max_norm)
    weights = {k: np.stack([h[k] for h in recorder.history]) for k in recorder.history[0]}
    return {"loss": np.array(result.losses), "norm": np.array(result.norms)} | weights


class Truth:
    """The oracle of a run, and its baselines, each of which is run when it is first asked for."""

    def __init__(self, task: Task, cell: str, kind: str, seed: int, steps: int):
        self._run = partial(follow, task, cell, kind, seed=seed, steps=steps)
        self._jitter = partial(jitter, rng=np.random.default_rng(seed))
        self._runs: list[Trajectory] = []
        self.oracle: Trajectory = self._run(dtype=np.longdouble)

    def baselines(self, count: int) -> list[Trajectory]:
        while len(self._runs) < count:
            self._runs.append(self._run(change=self._jitter if self._runs else None))
        return self._runs[:count]


@lru_cache(maxsize=8)
def truth(task: Task, cell: str, kind: str, seed: int = 0, steps: int = STEPS) -> Truth:
    return Truth(task, cell, kind, seed, steps)


def judged(task: Task, cell: str, kind: str, candidate: Trajectory, seed: int = 0, steps: int = STEPS) -> list[Verdict]:
    """A verdict on every quantity of a run.

    A further baseline never lowers a limit: what is accepted with a few is accepted with all, so the others are run only
    for what is not.
    """
    known = truth(task, cell, kind, seed, steps)
    assert list(candidate) == list(known.oracle)
    for count in (FEW, RUNS):
        runs = known.baselines(count)
        verdicts = [judge_trajectory(k, candidate[k], [b[k] for b in runs], v, "float64") for k, v in known.oracle.items()]
        if all(v.ok for v in verdicts):
            break
    return verdicts
