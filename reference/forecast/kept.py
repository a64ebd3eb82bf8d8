"""What a run's folder keeps: its options, and its data as they were understood, so that it is seen when they have changed."""

import math
import warnings
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from tokenize import TokenError
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.lib.format import read_array, read_array_header_1_0, read_magic

from ..common import checkpoint
from ..common.arrays import Array
from ..common.checkpoint.schema import short
from ..common.command import Model
from ..common.run import BEST, LAST
from . import series as sources
from .backend import Backend
from .options import DEFAULTS, FREE, Options
from .schema import checked
from .series import Series, SeriesError, changes
from .train import Task, prepare, restored
from .windows import Parts, Scaling, scaling

DATA = "data.npz"  # times and values of each series
MOST = 1100  # times as large as its file is what deflate can make of it
# What reading a zip that is not in order can raise; NumPy warns of a header that only Python 2 wrote.
DAMAGED: tuple[type[Exception], ...] = (OSError, zipfile.BadZipFile, zlib.error, ValueError, LookupError, EOFError, TypeError)
DAMAGED += (SyntaxError, TokenError, UserWarning, ArithmeticError, RuntimeError, MemoryError)


def loaded(file: Path) -> checkpoint.Checkpoint:
    """CheckpointError: also where it is not of a forecaster, or one of its parts is not as it must be."""
    return checked(checkpoint.load(file))


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
    if (folder / BEST).exists():  # which is read when the run has ended
        loaded(folder / BEST)
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


def read_data(folder: Path, now: list[Series], fitted: Options) -> list[Series]:
    """The series as they were in training.  CheckpointError: the file is missing, damaged, or of other series."""
    path, columns = folder / DATA, tuple(fitted["columns"])
    try:
        with path.open("rb") as file, ZipFile(file) as kept, warnings.catch_warnings():
            warnings.simplefilter("error")
            most, kind = MOST * path.stat().st_size, now[0].times.dtype
            return [
                now[0]._replace(
                    name=name,
                    columns=columns,
                    times=array(kept, f"times{k}", (rows,), kind, most),
                    values=array(kept, f"values{k}", (rows, len(columns)), np.dtype(float), most),
                )
                for k, (name, (_, _, rows)) in enumerate(zip(fitted["names"], fitted["parts"], strict=True))
            ]
    except DAMAGED as e:
        raise checkpoint.CheckpointError(f"{path} cannot be read or is damaged: {e}") from None


def array(kept: ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype, most: int) -> Array:
    """One array of a file, once its header says that it has this shape and dtype.  ValueError; and of most bytes."""
    with kept.open(f"{name}.npy") as file:
        version = read_magic(file)
        there, _, kind = read_array_header_1_0(file) if version == (1, 0) else (version, None, None)
    if there != shape or kind != dtype or math.prod(shape) * dtype.itemsize > most:
        raise ValueError(f"{name} must be {shape} in {dtype}, got {short(there)} in {kind}")
    with kept.open(f"{name}.npy") as file:
        values = read_array(file, allow_pickle=False)
    if not np.isfinite(values).all():
        raise ValueError(f"{name} has a value that is not finite")
    return values


def unchanged(folder: Path, o: Options, now: list[Series]) -> list[Series]:
    """The series of a run, in its order; new rows at their ends are welcome, other changes are a SeriesError that names them."""
    fitted = o["series"]
    if list(now[0].columns) != fitted["columns"]:
        raise SeriesError(f"the columns are {', '.join(now[0].columns)}, and were {', '.join(fitted['columns'])} in training")
    if now[0].known != fitted["known"]:
        raise SeriesError(f"{now[0].known} columns are known ahead, and {fitted['known']} were in training")
    if now[0].season != fitted["season"]:
        raise SeriesError(f"the season is {now[0].season}, and was {fitted['season']} in training")
    said = changes(read_data(folder, now, fitted), now)
    if said:
        more = f"; and {len(said) - 1} more" if len(said) > 1 else ""
        raise SeriesError(f"the data of the run in {folder} have changed since it was trained: {said[0]}{more}; train again")
    by_name = {s.name: s for s in now}
    return [by_name[name] for name in fitted["names"]]


def scales(o: Options) -> list[Scaling]:
    return [Scaling(*map(np.array, scale)) for scale in o["series"]["scaling"]]


def scaled(file: Path, o: Options, series: list[Series]) -> list[Scaling]:
    """As in training.  CheckpointError: that is not how the rows of training are scaled."""
    kept = scales(o)  # of each series
    for s, there, (end, _, _) in zip(series, kept, o["series"]["parts"], strict=True):
        for now, was in zip(scaling(s, end, len(series) > 1), there, strict=True):
            if not np.allclose(now, was, rtol=1e-6, atol=1e-9 * abs(s.values[:end]).max()):
                kept_and_now = f"is {short(was.tolist())}, and by its rows {short(now.tolist())}"
                raise checkpoint.CheckpointError(f"{file} is damaged: config.series.scaling of {s.name} {kept_and_now}")
    return kept


def again(o: Options) -> list[Series]:
    """The series, read again.  SeriesError: as ``load``; or a pipe or device, which may have no end, stands there now."""
    if o["csv"] is not None and Path(o["csv"]).exists() and not Path(o["csv"]).is_file():
        raise SeriesError(f"{o['csv']}, the data of the run, is no file")
    return sources.load(o)


def open_run(backend: Backend, folder: Path) -> tuple[Task, Model, int]:
    """The task, cut and scaled as in training, the best model of a run's folder, and how many rows are new since then.

    New rows belong to the test part.

    FileNotFoundError, CheckpointError, SeriesError: there is none, or the rows of training have changed.
    """
    saved = best(folder)
    o = saved.config
    series = unchanged(folder, o, again(o))
    cuts = [Parts(*cut)._replace(end=len(s.values)) for cut, s in zip(o["series"]["parts"], series, strict=True)]
    new = sum(len(s.values) - cut[-1] for s, cut in zip(series, o["series"]["parts"], strict=True))
    return prepare(o, series, cuts, scaled(folder / BEST, o, series)), restored(backend, saved, o["dtype"]), new


def same_task(folder: Path, o: Options) -> Task:
    """Of a run that goes on, with the rows that it began with."""
    series = unchanged(folder, o, again(o))
    return prepare(o, series, [Parts(*cut) for cut in o["series"]["parts"]], scaled(folder / LAST, o, series))


def best(folder: Path) -> checkpoint.Checkpoint:
    """FileNotFoundError, CheckpointError: there is none, or it is no checkpoint of a forecaster."""
    file = folder / BEST
    if not file.exists():
        raise FileNotFoundError(f"{folder} holds no {BEST}: train a model there first, with --run {folder}")
    return loaded(file)
