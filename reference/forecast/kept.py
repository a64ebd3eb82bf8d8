"""What a run's folder keeps: its options, and its data as they were understood, so that it is seen when they have changed."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from ..common import checkpoint
from ..common.command import Model
from ..common.run import BEST, LAST
from . import series as sources
from .backend import Backend
from .options import DEFAULTS, FREE, Options
from .series import Series, SeriesError, changes
from .train import Task, prepare, restored
from .windows import Parts, Scaling

DATA = "data.npz"  # times and values of each series


def loaded(file: Path) -> checkpoint.Checkpoint:
    """CheckpointError: also where it is not of a forecaster."""
    saved = checkpoint.load(file)
    if not {"series", "mode"} <= saved.config.keys():
        raise checkpoint.CheckpointError(f"{file} is of another application, not of forecast")
    if not DEFAULTS.keys() <= saved.config.keys() or "columns" not in saved.config["series"]:
        raise checkpoint.CheckpointError(f"{file} is of an older version of forecast; train again")
    return saved


def options(asked: Options, folder: Path) -> Options:
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
                f"{before.get(name)!r} there, {v!r} here; leave it out, or choose another folder with --run"
            )
    done = saved.counters["epoch"]
    if asked.get("epochs", before["epochs"]) != before["epochs"] and asked["epochs"] <= done:
        raise ValueError(
            f"the run in {folder} has done {done} passes; --epochs is how many in all, so it must be more, not {asked['epochs']}"
        )
    return before


def write_data(folder: Path, task: Task) -> None:
    """Times and values as they were understood, in full precision."""
    arrays: dict[str, Any] = {}
    for k, s in enumerate(task.series):
        arrays |= {f"times{k}": s.times, f"values{k}": s.values}
    file = BytesIO()
    np.savez_compressed(file, **arrays)
    checkpoint.write(folder / DATA, file.getvalue())


def read_data(folder: Path, now: list[Series], names: list[str], columns: list[str]) -> list[Series]:
    """The series as they were in training.  CheckpointError: the file is missing or damaged."""
    try:
        with np.load(folder / DATA, allow_pickle=False) as kept:
            return [
                now[0]._replace(name=n, columns=tuple(columns), times=kept[f"times{k}"], values=kept[f"values{k}"])
                for k, n in enumerate(names)
            ]
    except (OSError, ValueError, KeyError, EOFError) as e:
        raise checkpoint.CheckpointError(f"{folder / DATA} cannot be read or is damaged: {e}") from None


def unchanged(folder: Path, o: Options, now: list[Series]) -> list[Series]:
    """The series of a run, in its order; new rows at their ends are welcome, other changes are a SeriesError that names them."""
    fitted = o["series"]
    if list(now[0].columns) != fitted["columns"]:
        raise SeriesError(f"the columns are {', '.join(now[0].columns)}, and were {', '.join(fitted['columns'])} in training")
    said = changes(read_data(folder, now, fitted["names"], fitted["columns"]), now)
    if said:
        more = f"; and {len(said) - 1} more" if len(said) > 1 else ""
        raise SeriesError(f"the data of the run in {folder} have changed since it was trained: {said[0]}{more}; train again")
    by_name = {s.name: s for s in now}
    return [by_name[name] for name in fitted["names"]]


def scales(o: Options) -> list[Scaling]:
    return [Scaling(*map(np.array, scale)) for scale in o["series"]["scaling"]]


def open_run(backend: Backend, folder: Path) -> tuple[Task, Model, int]:
    """The task, cut and scaled as in training, the best model of a run's folder, and how many rows are new since then.

    New rows belong to the test part.

    FileNotFoundError, CheckpointError, SeriesError: there is none, or the rows of training have changed.
    """
    saved = best(folder)
    o = saved.config
    series = unchanged(folder, o, sources.load(o))
    cuts = [Parts(*cut)._replace(end=len(s.values)) for cut, s in zip(o["series"]["parts"], series, strict=True)]
    new = sum(len(s.values) - cut[-1] for s, cut in zip(series, o["series"]["parts"], strict=True))
    return prepare(o, series, cuts, scales(o)), restored(backend, saved, o["dtype"]), new


def same_task(folder: Path, o: Options) -> Task:
    """Of a run that goes on, with the rows that it began with."""
    return prepare(o, unchanged(folder, o, sources.load(o)), [Parts(*cut) for cut in o["series"]["parts"]], scales(o))


def best(folder: Path) -> checkpoint.Checkpoint:
    """FileNotFoundError, CheckpointError: there is none, or it is no checkpoint of a forecaster."""
    file = folder / BEST
    if not file.exists():
        raise FileNotFoundError(f"{folder} holds no {BEST}: train a model there first, with --run {folder}")
    return loaded(file)
