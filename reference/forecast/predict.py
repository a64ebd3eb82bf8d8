"""``predict``: what comes after the last row, from the data of the run or from other rows of the same kind."""

import argparse
import csv
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..common.arrays import Array
from ..common.checkpoint import schema
from ..common.command import Answer, Model, UsageError
from ..common.output import about, as_json, put_text
from ..common.screen.prose import say
from . import kept, plots
from . import series as sources
from .backend import Backend
from .evaluation.band import Band, band
from .evaluation.report import digits
from .options import Options
from .series import Series, SeriesError
from .train import Task, ahead, middle, restored, whole
from .windows import Scaling

BAND = "band.json"
HALF = schema.or_null(schema.several(schema.number(0, 1e300), 1))
STORED = schema.fields({"half": HALF, "windows": schema.COUNT})


class Forecast(NamedTuple):
    """Of one series: H steps, in its units."""

    series: Series
    times: Array  # (H,)
    values: Array  # (H,)
    between: Array | None  # (2, H)
    raw: Array  # (H, Q)


def predict(backend: Backend, given: argparse.Namespace) -> Answer:
    saved = kept.best(given.run)
    o, model = saved.config, restored(backend, saved, saved.config["dtype"])
    horizon = given.horizon or o["horizon"]
    out = given.out or given.run / "forecast.csv"
    if out.suffix == ".png" and not given.no_plots:
        raise ValueError(f"--out {out} is where the plot goes; name a .csv file")
    if given.csv is None:
        task, _, _ = kept.open_run(backend, given.run)
        series, scales, b = list(task.series), list(task.scaling), band(task, model, whole(model, horizon))
    else:
        series, scales = recent(o, given.csv)
        b = stored_band(given.run, model, horizon)
    forecasts = [forecast(o, model, s, scale, horizon, b) for s, scale in zip(series, scales, strict=True)]
    several = len(forecasts) > 1 or o["id"] is not None
    write(out, forecasts, model.quantiles, several)
    if not given.no_plots:
        plots.prediction(out.with_suffix(".png"), 2 * o["window"], forecasts[0], b)
    for f in forecasts:
        show(f, several)
    say(b.words())
    say(
        f"wrote {out}"
        + ("" if given.no_plots else f", {out.with_suffix('.png')}" + (" of the first series" if len(forecasts) > 1 else ""))
    )
    return {"forecast": [record(f, several) for f in forecasts], "band": b.words(), "file": out}


def forecast(o: Options, model: Model, s: Series, scale: Scaling, horizon: int, b: Band) -> Forecast:
    """SeriesError: fewer rows than a window, or what is known ahead is not known so far."""
    T, n = o["window"], whole(model, horizon)
    if len(s.values) < T:
        raise SeriesError(f"{s.name} has {len(s.values)} rows, and the model reads {T}")
    past = scale.forth(s.values[-T:])[:, None]
    level = past[-1, 0, 0] * o["level"]
    past[..., 0] -= level
    first = len(s.columns) - s.known
    known = ((s.known_ahead(n) - scale.mean[first:]) / scale.deviation[first:])[:, None] if s.known else np.zeros((n, 1, 0))
    raw = scale.back(ahead(model, past, known, n).astype(float) + level)
    values = raw[..., middle(model)]
    between = b.around(values, scale.deviation[:1], raw)
    cut = None if between is None else between[:, :horizon, 0]
    return Forecast(s, s.following(horizon), values[:horizon, 0], cut, raw[:horizon, 0])


def recent(o: Options, file: Path) -> tuple[list[Series], list[Scaling]]:
    """The series of another file, or of a later state of the same, with the scaling of the training.

    SeriesError: other columns or another frequency than in training, or a series that was not in it.
    """
    if o["csv"] is None:
        raise ValueError(f"--csv is for runs on a file; this one was trained on {o['data']}")
    fitted = o["series"]
    series = sources.load(o | {"csv": str(file), "season": fitted["season"]})
    for s in series:
        if s.frequency.name != fitted["frequency"]:
            raise SeriesError(f"{s.name}: its rows come {s.frequency.name}, those of the training {fitted['frequency']}")
    scales = dict(zip(fitted["names"], kept.scales(o), strict=True))
    if o["id"] is None:
        return series, list(scales.values())
    for s in series:
        if s.name not in scales:
            raise SeriesError(f"series {s.name!r} was not in the training, so its scale is not known; train again with it")
    return series, [scales[s.name] for s in series]


def stored_band(folder: Path, model: Model, horizon: int) -> Band:
    """What the training kept, as far as it reaches.  UsageError: it is damaged."""
    if model.quantiles:
        return Band(None, 0, model.quantiles)
    path = folder / BAND
    if not path.exists():
        return Band(None, 0)
    try:
        stored = schema.parsed(path.read_bytes())
        schema.check(stored, STORED)
        schema.finite(stored)
    except ValueError as e:
        raise UsageError(f"{path} is damaged: {e}; delete it, and there is no band") from None
    half, n = None if stored["half"] is None else np.array(stored["half"], float), stored["windows"]
    if half is None or horizon <= len(half):
        return Band(half if half is None else half[: whole(model, horizon)], n)
    say(f"note: the training kept a band for {len(half)} steps, so there is none beyond")
    return Band(np.concatenate([half, np.full(whole(model, horizon) - len(half), np.nan)]), n)


def write_band(folder: Path, task: Task, model: Model) -> None:
    b = band(task, model)
    put_text(folder / BAND, as_json({"half": b.half, "windows": b.windows}) + "\n")


def label(f: Forecast) -> str:
    """The target, or ``forecast`` where a column beside it has its name."""
    target = f.series.columns[0]
    return "forecast" if target in ("series", "time", "lower", "upper") else target


def record(f: Forecast, several: bool) -> dict[str, Any]:
    rows = {"time": [f.series.shown(t) for t in f.times], label(f): f.values}
    rows |= {} if f.between is None else {"lower": f.between[0], "upper": f.between[1]}
    return ({"series": f.series.name} if several else {}) | rows


def write(out: Path, forecasts: list[Forecast], quantiles: tuple[float, ...], several: bool) -> None:
    """A file of columns in full precision, a line for each step."""
    first = ["series"] if several else []
    with about(out), out.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow([*first, "time", label(forecasts[0]), "lower", "upper", *(f"quantile {q:g}" for q in quantiles)])
        for f in forecasts:
            for k, t in enumerate(f.times):
                band = ["", ""] if f.between is None else [number(v) for v in f.between[:, k]]
                more = [number(v) for v in f.raw[k]] if quantiles else []
                lines.writerow([*[f.series.name] * several, f.series.shown(t), number(f.values[k]), *band, *more])


def number(v: float) -> str:
    return "" if np.isnan(v) else repr(float(v))


def show(f: Forecast, several: bool) -> None:
    """On the terminal, with the digits that say something."""
    spread = float(np.ptp(f.series.values[:, 0]))
    form = f",.{digits(spread)}f" if spread > 1e-9 else ".6g"
    if several:
        say(f"{f.series.name}:")
    for k, t in enumerate(f.times):
        low, high = (np.nan, np.nan) if f.between is None else f.between[:, k]
        around = "" if np.isnan(low) else f"   from {low:{form}} to {high:{form}}"
        say(f"{f.series.shown(t)}  {f.values[k]:14{form}}{around}")
