"""From options to a trained model and its forecasts, the same steps on both backends."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import lambertw

from ..common import batches, checkpoint, schedules, teacher_forcing
from ..common.arrays import Array
from ..common.command import Model
from ..common.run import BEST, LAST, Result, find
from . import data as sources
from .backend import Backend
from .data import Series
from .options import DEFAULTS, EPOCHS, FREE, STEPS, Options
from .windows import Parts, Scaling, Windows, parts, scaling, windows

MAX_NORM = 1.0
CHUNK = 512  # windows forecast at a time


@dataclass(frozen=True)
class Task:
    """A series, cut, scaled by its training part, and what is to be done with it."""

    options: Options  # of the command, and how the series was cut and scaled
    series: Series
    parts: Parts
    scaling: Scaling
    values: Array  # (N, F), scaled

    @property
    def season(self) -> int:
        return self.options["season"] or self.series.season

    def windows(self, part: str) -> Windows:
        return windows(self.values, self.options["window"], self.options["horizon"], *self.parts.rows(part))

    def truth(self, windows: Windows) -> Array:
        """(K, W) in the units of the target"""
        return self.scaling.back(windows.future[..., 0].T)

    def forecasts(self, model: Model, windows: Windows, forced: bool = False) -> Array:
        """(K, W) in the units of the target: free running, or each step given the true one before it"""
        chunks = [windows.batch(c) for c in batches.in_order(len(windows.origins), CHUNK)]
        ahead = [model.forced(c) if forced else model.forecast(c.past) for c in chunks]
        return self.scaling.back(np.concatenate(ahead, axis=1).astype(float))


def prepare(options: Options, series: Series | None = None, cut: Parts | None = None) -> Task:
    """Raises SeriesError, or FileNotFoundError where a package with data is not installed."""
    series = sources.load(options) if series is None else series
    season = options["season"] or series.season
    if cut is None:
        cut = parts(len(series.values), options["window"], options["horizon"], options["validation"], options["test"], season)
    scale = scaling(series, cut.train)
    fitted = {"parts": list(cut), "scaling": [v.tolist() for v in scale]}
    if options["epochs"] is None:
        count = max(1, cut.train - options["window"] - options["horizon"] + 1)
        options = options | {"epochs": max(EPOCHS, -(-STEPS // -(-count // options["batch"])))}
    return Task(options | {"series": fitted}, series, cut, scale, scale.forth(series.values))


def build(backend: Backend, o: Options, columns: int) -> Model:
    how = {k: o[k] for k in ("mode", "cell", "dropout", "dtype")}
    return backend.model(columns, o["horizon"], o["hidden"], o["layers"], **how, rng=np.random.default_rng(o["seed"]))


def features(saved: checkpoint.Checkpoint) -> int:
    """F, how many variables its windows have"""
    return saved.weights["rnn.weight_ih_l0"].shape[1]


def restored(backend: Backend, saved: checkpoint.Checkpoint, dtype: str) -> Model:
    """The model of a checkpoint in evaluation mode, with its weights.  CheckpointError: they are not its own."""
    model = build(backend, saved.config | {"dtype": dtype}, features(saved))
    backend.restore(saved._replace(weights={k: v.astype(dtype) for k, v in saved.weights.items()}), model)
    model.eval()
    return model


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
    model = build(backend, o, len(task.series.columns))
    optimizer = backend.adam(model, lr=o["lr"], weight_decay=o["weight_decay"])
    per_pass = -(-len(train.origins) // o["batch"])

    def passes(epoch: int) -> list:
        model.teacher_forcing = forced_share(o, epoch)
        order = np.random.default_rng([o["seed"], epoch]).permutation(len(train.origins))
        return [train.batch(order[k : k + o["batch"]]) for k in range(0, len(order), o["batch"])]

    result = backend.train(
        model,
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


def loaded(file: Path) -> checkpoint.Checkpoint:
    """CheckpointError: also where it is not of a forecaster."""
    saved = checkpoint.load(file)
    if not {"series", "mode"} <= saved.config.keys():
        raise checkpoint.CheckpointError(f"{file} is of another application, not of forecast")
    return saved


def kept(asked: Options, folder: Path) -> Options:
    """The options of a run that goes on.

    ValueError, CheckpointError: there is none; an option says something else; more passes were done than there are to be.
    """
    if not (folder / LAST).exists():
        raise ValueError(f"there is no run in {folder} to go on with: it has no {LAST}")
    saved = loaded(folder / LAST)
    before = saved.config
    for name, v in asked.items():
        if name not in FREE and before.get(name, DEFAULTS[name]) != v:
            raise ValueError(
                f"{folder} holds a run with another value of --{name.replace('_', '-')}: "
                f"{before.get(name)!r} there, {v!r} here; leave it out, or choose another folder with --out"
            )
    done = saved.counters["epoch"]
    if asked.get("epochs", before["epochs"]) != before["epochs"] and asked["epochs"] <= done:
        raise ValueError(
            f"the run in {folder} has done {done} passes; --epochs is how many in all, so it must be more, not {asked['epochs']}"
        )
    return before


def open_run(backend: Backend, folder: Path, csv: Path | None = None) -> tuple[Task, Model]:
    """The task, cut and scaled as in training, and the best model of a run's folder; ``csv`` is a later state of its file.

    FileNotFoundError, CheckpointError, SeriesError: there is none, or rows are not those of the training; ``csv`` may have more.
    """
    file = folder / BEST
    if not file.exists():
        raise FileNotFoundError(f"{folder} holds no {BEST}: train a model there first, with --out {folder}")
    saved = loaded(file)
    o = saved.config
    if csv is not None and o["csv"] is None:
        raise ValueError(f"--csv is for runs on a file; this one was trained on {o['data']}")
    series = sources.load(o if csv is None else o | {"csv": str(csv)})
    cut, before = Parts(*o["series"]["parts"]), [np.array(v) for v in o["series"]["scaling"]]
    rows = len(series.values)
    if rows < cut.end or not all(map(np.array_equal, before, scaling(series, cut.train))):
        raise sources.SeriesError(f"{series.name} does not begin with the {cut.end} rows that the model was trained on")
    if rows > cut.end and csv is None:
        raise sources.SeriesError(
            f"{series.name} has {rows} rows, {cut.end} in training: name the file with predict --csv "
            "to go on from its end, or train again"
        )
    return prepare(o, series, cut), restored(backend, saved, o["dtype"])
