"""From options to a trained model, the same steps on both backends."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import lambertw

from ..common import batches, checkpoint, schedules, teacher_forcing
from ..common.arrays import Array
from ..common.command import Model
from ..common.run import Result, find, last
from . import series as sources
from .backend import Backend
from .options import EPOCHS, STEPS, Options
from .series import Series
from .windows import Parts, Scaling, Windows, origins, parts, scaling

MAX_NORM = 1.0
CHUNK = 512  # windows forecast at a time


@dataclass(frozen=True)
class Task:
    """One series or several, each cut and scaled by its own training part, and what is to be done with them."""

    options: Options  # of the command, and how the series were cut and scaled
    series: tuple[Series, ...]
    parts: tuple[Parts, ...]
    scaling: tuple[Scaling, ...]
    rows: Array  # (N, F)   scaled, one series after another
    starts: tuple[int, ...]  # the first row of each

    @property
    def season(self) -> int:
        return self.series[0].season

    @property
    def known(self) -> int:
        return self.series[0].known

    def windows(self, part: str, horizon: int | None = None) -> Windows:
        """SeriesError: with another horizon than that of the run the part may hold none."""
        T, K = self.options["window"], horizon or self.options["horizon"]
        found = [start + origins(T, K, *cut.rows(part)) for start, cut in zip(self.starts, self.parts, strict=True)]
        which = np.repeat(np.arange(len(found)), [len(o) for o in found])
        return Windows(self.rows, np.concatenate(found), which, T, K, self.options["level"])

    def back(self, scaled: Array, windows: Windows) -> Array:
        """Of the target (K, W, ...), in the units of each window's series"""
        mean, deviation = (np.array([s[k][0] for s in self.scaling])[windows.series] for k in (0, 1))
        shape = (-1,) + (1,) * (scaled.ndim - 2)
        return scaled * deviation.reshape(shape) + mean.reshape(shape)

    def truth(self, windows: Windows) -> Array:
        """(K, W) in the units of the target"""
        return self.back(windows.future[..., 0].T, windows)

    def deviation(self, windows: Windows) -> Array:
        """(W,) of the target in the training part of each window's series"""
        return np.array([s.deviation[0] for s in self.scaling])[windows.series]

    def origin(self, windows: Windows, w: int) -> tuple[Series, int]:
        """The series of a window, and the row there of the first step that is forecast."""
        k = int(windows.series[w])
        return self.series[k], int(windows.origins[w]) - self.starts[k]


def prepare(
    options: Options,
    series: Sequence[Series] | None = None,
    cuts: Sequence[Parts] | None = None,
    scales: Sequence[Scaling] | None = None,
) -> Task:
    """Raises SeriesError, or FileNotFoundError where a package with data is not installed."""
    o = options
    series = tuple(sources.load(o) if series is None else series)
    if cuts is None:
        size = o["window"], o["horizon"], o["validation"], o["test"]
        cuts = [parts(len(s.values), *size, s.season, s.name if len(series) > 1 else "") for s in series]
    if scales is None:
        scales = [scaling(s, cut.train, len(series) > 1) for s, cut in zip(series, cuts, strict=True)]
    rows = np.concatenate([scale.forth(s.values) for s, scale in zip(series, scales, strict=True)])
    starts = np.cumsum([0, *(len(s.values) for s in series[:-1])])
    fitted = {
        "names": [s.name for s in series],
        "parts": [list(cut) for cut in cuts],
        "scaling": [[v.tolist() for v in scale] for scale in scales],
        "columns": list(series[0].columns),
        "known": series[0].known,
        "frequency": series[0].frequency.name,
        "season": series[0].season,
        "zone": series[0].zone,
    }
    if o["epochs"] is None:
        count = sum(max(1, cut.train - o["window"] - o["horizon"] + 1) for cut in cuts)
        o = o | {"epochs": max(EPOCHS, -(-STEPS // -(-count // o["batch"])))}
    return Task(o | {"series": fitted}, series, tuple(cuts), tuple(scales), rows, tuple(int(s) for s in starts))


def build(backend: Backend, o: Options) -> Model:
    how = {k: o[k] for k in ("mode", "cell", "dropout", "dtype")} | {"known": o["series"]["known"]}
    sizes = len(o["series"]["columns"]), o["horizon"], o["hidden"], o["layers"]
    return backend.model(*sizes, **how, quantiles=tuple(o["quantiles"] or ()), rng=np.random.default_rng(o["seed"]))


def restored(backend: Backend, saved: checkpoint.Checkpoint, dtype: str) -> Model:
    """The model of a checkpoint in evaluation mode, with its weights.  CheckpointError: they are not its own."""
    model = build(backend, saved.config | {"dtype": dtype})
    with np.errstate(over="ignore"):  # what becomes inf in a narrower dtype is refused
        weights = {k: v.astype(dtype) for k, v in saved.weights.items()}
    backend.restore(saved._replace(weights=weights), model)
    model.eval()
    return model


def resumable(backend: Backend, task: Task, folder: Path) -> None:
    """Nothing, if a run can go on from its last checkpoint.  CheckpointError, UsageError: something in it does not fit.

    Nothing is written or changed; what ``loop.train`` puts into its model is put into none here.
    """
    found = last(folder)
    if found is None:
        return
    (saved, count), n = found, steps_a_pass(task)
    model = build(backend, task.options)
    checkpoint.check(saved, model, adam(backend, model, task.options), {"model": model.rng}, None)
    if count.step != count.epoch * n + count.batch or count.batch > n:
        raise checkpoint.CheckpointError(
            f"{saved.place} is damaged: counters.step must be {n} times counters.epoch and counters.batch, got {count.step}"
        )


def steps_a_pass(task: Task) -> int:
    return -(-len(task.windows("train").origins) // task.options["batch"])


def adam(backend: Backend, model: Model, o: Options) -> Any:
    return backend.adam(model, lr=o["lr"], weight_decay=o["weight_decay"])


def forced_share(o: Options, epoch: int) -> float:
    """How often the truth is read in this pass: linear reaches 0, sigmoid 1/2, halfway through."""
    half = max(1, o["epochs"] // 2)
    if o["sampling"] == "linear":
        return teacher_forcing.linear(epoch, half)
    if o["sampling"] == "sigmoid":
        return teacher_forcing.inverse_sigmoid(epoch, half / lambertw(half).real)  # the middle is at k log k
    return 0.0 if o["sampling"] == "free" else 1.0


def fit(backend: Backend, task: Task, folder: Path | None = None, **run: Any) -> tuple[Model, Result]:
    """Train; -> the model of the pass with the lowest validation loss if there is a folder, else of the last; the result."""
    o, train, held = task.options, task.windows("train"), task.windows("validation")
    model = build(backend, o)
    optimizer, per_pass = adam(backend, model, o), steps_a_pass(task)

    def passes(epoch: int) -> list:
        model.teacher_forcing = forced_share(o, epoch)
        order = np.random.default_rng([o["seed"], epoch]).permutation(len(train.origins))
        return [train.batch(order[k : k + o["batch"]]) for k in range(0, len(order), o["batch"])]

    result = backend.train(
        backend.group.wrap(model),
        optimizer,
        passes,
        epochs=o["epochs"],
        schedule=schedules.cosine(o["lr"], per_pass * o["epochs"]),
        max_norm=MAX_NORM,
        validation=lambda: [held.batch(c) for c in batches.in_order(len(held.origins), CHUNK)],
        folder=folder,
        config=dict(o),
        patience=o["patience"],
        **run,
    )
    if folder is not None and result.stopped != "interrupted":
        backend.restore(checkpoint.load(find(str(folder))), model)
    model.eval()
    return model, result


def forecasts(task: Task, model: Model, windows: Windows) -> tuple[Array, Array]:
    """Free running, in the units of the target: (K, W), and all that the model says of it, (K, W, Q) or (K, W, 1)"""
    K, first = windows.horizon, windows.rows.shape[1] - task.known
    chunks = []
    for c in batches.in_order(len(windows.origins), CHUNK):
        past, future = windows.batch(c)
        chunks.append(ahead(model, past, future[..., first:], K))
    raw = task.back(np.concatenate(chunks, axis=1).astype(float) + windows.level[:, None], windows)
    return raw[..., middle(model)], raw


def forced(task: Task, model: Model, windows: Windows) -> Array:
    """(K, W) in the units of the target: each step given the true one before it"""
    chunks = [model.forced(windows.batch(c)) for c in batches.in_order(len(windows.origins), CHUNK)]
    return task.back(np.concatenate(chunks, axis=1).astype(float) + windows.level, windows)


def middle(model: Model) -> int:
    """Which of a model's outputs is the forecast: the median of its quantiles."""
    return model.quantiles.index(0.5) if model.quantiles else 0


def ahead(model: Model, past: Array, known: Array, horizon: int) -> Array:
    """past (T, B, F), known (K, B, known), scaled  ->  what is said of the target's next K steps (K, B, Q) or (K, B, 1)

    K as ``whole`` says.  A direct model that is asked for more steps than it has goes on from its own forecasts; ValueError
    where it cannot, for it reads other columns, which it does not forecast.
    """
    if model.mode != "direct":
        return np.asarray(model.ahead(past, known, horizon))[..., :1]
    if horizon > model.horizon and model.columns - model.known > 1:
        raise ValueError(
            f"this model forecasts {model.horizon} steps at once and reads columns that it does not forecast, so it cannot go on "
            f"to {horizon}; train with --horizon {horizon}, or with --mode recursive"
        )
    said = [np.asarray(model.ahead(past, known[: model.horizon]))]
    for start in range(model.horizon, horizon, model.horizon):
        rows = np.concatenate([said[-1][..., [middle(model)]], known[start - model.horizon : start]], axis=-1)
        past = np.concatenate([past, rows])[-len(past) :]
        said.append(np.asarray(model.ahead(past, known[start : start + model.horizon])))
    return np.concatenate(said)


def whole(model: Model, horizon: int) -> int:
    """So many steps or more, of which the model forecasts all it forecasts at once."""
    return -(-horizon // model.horizon) * model.horizon if model.mode == "direct" else horizon
