"""A series as the windows want it: rows in time, evenly spaced, no gaps, numbers only, the target first."""

import csv
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..common import datasets
from ..common.arrays import Array

MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "?"}
YEAR = "sin of year", "cos of year"
CALENDAR = (28, 29, 30, 31, 365, 366)  # days that months and years have, though they differ


class SeriesError(ValueError):
    """Data that cannot be forecast, with the reason."""


class Series(NamedTuple):
    """N rows; ``notes`` say what was changed on the way."""

    name: str
    times: Array  # (N,)   datetime64[s], or numbers
    columns: tuple[str, ...]  # the target first
    values: Array  # (N, F)
    season: int  # steps after which it is expected to repeat
    notes: tuple[str, ...] = ()


def sunspots() -> Series:
    """Monthly sunspot numbers; the cycle of the sun is about eleven years."""
    values = datasets.sunspots()
    months = np.datetime64("1749-01", "M") + np.arange(len(values))
    return Series("sunspots", months.astype("datetime64[s]"), ("sunspots",), values[:, None], 132)


def weather() -> Series:
    """Seattle's daily maximum temperature, with what else was measured, and the time of year as a point on a circle."""
    table = datasets.seattle_weather()
    times = np.array([d.replace("/", "-") for d in table["date"]], "datetime64[s]")
    names = ("temp_max", "temp_min", "precipitation", "wind")
    return with_calendar(Series("weather", times, names, np.stack([np.array(table[n], float) for n in names], axis=1), 365))


def with_calendar(s: Series) -> Series:
    """The series with the time of the year as a point on a circle.  SeriesError: its times are no dates."""
    if s.columns[-2:] == YEAR:
        return s
    if s.times.dtype.kind != "M":
        raise SeriesError(f"--calendar needs dates, and the rows of {s.name} have none; name their column with --time")
    year = s.times.astype("datetime64[Y]")
    turn = 2 * np.pi * (s.times - year).astype(float) / (year + 1 - year.astype("datetime64[s]")).astype(float)
    return s._replace(columns=(*s.columns, *YEAR), values=np.column_stack([s.values, np.sin(turn), np.cos(turn)]))


DATASETS = {"sunspots": sunspots, "weather": weather}


def from_csv(
    file: Path, time: str | None, target: str, features: Sequence[str] = (), missing: str = "error", season: int = 1
) -> Series:
    """A file with a header line.  SeriesError: whatever is wrong with the file, with the row.

    time      the column of dates (ISO 8601, / allowed) or numbers; without one, rows are one step apart as they are
    target, features    the columns to forecast, and to read besides
    missing   "previous" takes the last value before a gap, which looks at nothing that comes later; else "error"
    """
    table = read(file)
    columns = list(dict.fromkeys([target, *features]))
    for name in [*columns, *([time] if time else [])]:
        if name not in table:
            raise SeriesError(f"{file} has no column {name!r}; it has {', '.join(map(repr, table))}")
    notes: list[str] = []
    times = np.arange(len(table[target])) if time is None else moments(file, time, table[time])
    values = np.stack([numbers(file, name, table[name]) for name in columns], axis=1)
    order = np.argsort(times, kind="stable")
    if (np.diff(order) < 0).any():
        notes.append(f"the rows were not in the order of {time!r}: they were sorted")
        times, values = times[order], values[order]
    evenly(file, time, times)
    values = filled(file, columns, values, missing, notes)
    return Series(file.stem, times, tuple(columns), values, season, tuple(notes))


def read(file: Path) -> dict[str, list[str]]:
    """The columns of a CSV file, by name, as text."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            names, *lines = list(csv.reader(opened)) or [[]]
    except OSError as e:
        raise SeriesError(f"{file} cannot be read: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise SeriesError(f"{file} is not UTF-8: byte {e.object[e.start]:#04x} at position {e.start}") from e
    header = [name.strip() for name in names]
    rows = [(n, r) for n, r in enumerate(lines, 2) if r]
    if not rows:
        raise SeriesError(f"{file} needs a header line and rows of data, got none")
    if len(set(header)) != len(header):
        raise SeriesError(f"{file} has two columns of one name: {next(h for h in header if header.count(h) > 1)!r}")
    for n, row in rows:
        if len(row) != len(header):
            raise SeriesError(f"{file}, line {n}: {len(row)} values for {len(header)} columns")
    return {name: [row[k].strip() for _, row in rows] for k, name in enumerate(header)}


def numbers(file: Path, name: str, column: Sequence[str]) -> Array:
    """A column (N,) of numbers, NaN where it is missing."""
    values = np.empty(len(column))
    for k, text in enumerate(column):
        try:
            values[k] = np.nan if text.lower() in MISSING else float(text)
        except ValueError:
            raise SeriesError(f"{file}, column {name!r}, row {k + 1}: {text!r} is no number") from None
        if np.isinf(values[k]):
            raise SeriesError(f"{file}, column {name!r}, row {k + 1}: {text!r} is not finite")
    return values


def moments(file: Path, name: str, column: Sequence[str]) -> Array:
    """A column (N,) of numbers or dates."""
    for k, text in enumerate(column):
        if text.lower() in MISSING:
            raise SeriesError(f"{file}, column {name!r}, row {k + 1}: the time is missing")
    if any(len(text) != 4 for text in column):  # four digits are a year
        with suppress(ValueError):
            return np.array(column, float)
    dates = []
    for k, text in enumerate(column):
        try:
            dates.append(np.datetime64(text.replace("/", "-").removesuffix("Z"), "s"))
        except ValueError:
            raise SeriesError(
                f"{file}, column {name!r}, row {k + 1}: {text!r} is neither a number nor a date as 2024-01-31 or 2024-01-31T12:00"
            ) from None
    return np.array(dates)


def evenly(file: Path, name: str | None, times: Array) -> None:
    """SeriesError if a time comes twice or the steps differ, but for the lengths of months and years."""
    steps = np.diff(times).astype(float)
    if (steps == 0).any():
        twice = shown(times[int(np.argmin(steps))])
        raise SeriesError(f"{file}: {twice} comes twice in {name!r}; keep one row for each time")
    if not len(steps):
        return
    days, usual, dates = steps / 86400, np.median(steps), times.dtype.kind == "M"
    odd = abs(steps - usual) > 1e-6 * abs(usual)
    calendar = dates and np.isin(days, CALENDAR).all() and (days.max() < 40 or days.min() > 360)
    if odd.any() and not calendar:
        k, unit = int(np.argmax(odd)), " s" if dates else ""
        raise SeriesError(
            f"{file}: the steps of {name!r} are not even: {steps[k]:g}{unit} after {shown(times[k])}, {usual:g}{unit} as a rule; "
            "put in the missing rows, with empty values and --missing previous if need be"
        )


def filled(file: Path, columns: Sequence[str], values: Array, missing: str, notes: list[str]) -> Array:
    """Values without gaps."""
    for k, name in enumerate(columns):
        holes = np.isnan(values[:, k])
        count, first = int(holes.sum()), int(np.argmax(holes))
        if not count:
            continue
        if missing == "error":
            raise SeriesError(
                f"{file}, column {name!r}: {count} missing values, the first in row {first + 1} of those "
                "sorted by time; --missing previous puts the value before it there"
            )
        if first == 0:
            raise SeriesError(f"{file}, column {name!r}: the first value is missing, so there is none before it to put there")
        values[:, k] = values[np.maximum.accumulate(np.where(holes, 0, np.arange(len(values)))), k]
        notes.append(f"column {name!r}: {count} missing values took the value before them")
    return values


def load(options: Mapping) -> Series:
    """The series that the options of the command line ask for."""
    o = options
    if o["csv"] is None:
        s = DATASETS[o["data"]]()
    else:
        s = from_csv(Path(o["csv"]), o["time"], o["target"], o["features"] or (), o["missing"], o["season"] or 1)
    return with_calendar(s) if o.get("calendar") else s


def following(times: Array, steps: int) -> Array:
    """The next ``steps`` times of the series."""
    ahead = np.arange(1, steps + 1)
    if times.dtype.kind == "M":
        days = np.diff(times).astype(float) / 86400
        for unit, low, high in (("M", 28, 31), ("Y", 365, 366)):
            if ((days >= low) & (days <= high)).all() and len(set(days)) > 1:
                start = times[-1].astype(f"datetime64[{unit}]")
                return (start + ahead).astype("datetime64[s]") + (times[-1] - start.astype("datetime64[s]"))
    return times[-1] + (times[-1] - times[-2]) * ahead


def shown(time: object) -> str:
    """A time as it is printed: a day without its midnight"""
    return str(time).removesuffix("T00:00:00")
