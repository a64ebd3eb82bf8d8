"""From a file, or from a package, to series that can be cut into windows: even, whole, in the order of time."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...common.arrays import Array
from . import calendar, packaged, table, times
from .errors import SeriesError
from .fill import filled
from .frequency import Frequency, following, grid, require, shown
from .table import Table


class Series(NamedTuple):
    """N rows; ``notes`` say how they were read and what was changed on the way."""

    name: str
    times: Array  # (N,)   datetime64[us], or numbers
    columns: tuple[str, ...]  # the target first, what is known ahead last, the calendar last of that
    values: Array  # (N, F)
    frequency: Frequency
    season: int  # steps after which it is expected to repeat
    known: int = 0  # how many of the last columns are known ahead
    ahead: Array = np.zeros((0, 0))  # (M, known without the calendar)   of the rows after the last
    zone: str = ""
    notes: tuple[str, ...] = ()
    origin: str = ""  # what the season was taken from

    def shown(self, time: Any) -> str:
        return shown(time, self.zone)

    def following(self, n: int) -> Array:
        """The next times (n,)"""
        return following(self.times, self.frequency, n)

    def known_ahead(self, n: int) -> Array:
        """What is known of the next ``n`` rows (n, known).  SeriesError: the file does not say so much."""
        cycles = calendar.of(self.columns)
        given = self.known - 2 * len(cycles)
        if given and len(self.ahead) < n:
            names = ", ".join(self.columns[-self.known :][:given])
            raise SeriesError(
                f"{self.name}: the values of {names} must be known for the {n} rows that are forecast, and the file has "
                f"{len(self.ahead)} rows after the last value of {self.columns[0]!r}; add rows that have them, with that one empty"
            )
        return np.column_stack([self.ahead[:n].reshape(n, given), *(calendar.circle(self.following(n), c) for c in cycles)])


class Reading(NamedTuple):
    """How a file is to be read: the options of the command of these names."""

    csv: Path
    target: str
    time: str | None = None  # dates or numbers; without one, rows are one step apart as they are
    features: tuple[str, ...] = ()  # read besides
    known: tuple[str, ...] = ()  # read besides, and known ahead
    id: str | None = None  # tells several series in one file apart
    fill: str | None = None  # "previous", "seasonal", "zero"; None refuses what is missing
    season: int | None = None
    sep: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    date_format: str | None = None
    zone: str | None = None  # of a run that there is: its times go on in it, also where summer time begins
    frequency: str | None = None  # of a run that there is: a week of business days are no seven


def load(options: Mapping[str, Any]) -> list[Series]:
    """The series that the options of the command line ask for.

    SeriesError: whatever is wrong with the file, with the row.  FileNotFoundError: a package with data is not installed.
    """
    if options["csv"] is None:
        loaded = from_package(options["data"], options.get("season"))
    else:
        fields: dict[str, Any] = {k: options[k] for k in Reading._fields if options.get(k) is not None}
        fields |= {k: tuple(fields.get(k, ())) for k in ("features", "known")} | {"csv": Path(options["csv"])}
        fields |= {k: options.get("series", {}).get(k) for k in ("zone", "frequency")}
        loaded = from_csv(Reading(**fields))
    return [with_calendar(s) for s in loaded] if options.get("calendar") else loaded


def from_package(data: str, season: int | None = None) -> list[Series]:
    """Series that ship in a package: packaged.py."""
    made = []
    for name, p in packaged.DATASETS[data]().items():
        found = require(name, "time", p.times)
        s = Series(name, p.times, p.columns, p.values, found, season or p.season, origin="--season" if season else p.why)
        made.append(with_calendar(s, ("year",)) if p.calendar else s)
    return made


def from_csv(how: Reading) -> list[Series]:
    """One series, or with ``id`` one for each value of that column, in the order in which they come."""
    read = table.read(how.csv, how.sep, how.decimal, how.encoding)
    if how.time or how.id:  # else an empty row is one that has no value
        read = read.without_empty_rows()
    columns = list(dict.fromkeys([how.target, *how.features, *how.known]))
    if how.target in how.known or set(how.features) & set(how.known):
        raise SeriesError("--known columns are known ahead, so none of them is the --target or one of the --features")
    if taken := {how.time, how.id} & set(columns):
        raise SeriesError(f"{taken.pop()!r} is the column of --time or --id, so it is not forecast, and not read besides")
    values = np.stack([read.numbers(name) for name in columns], axis=1)
    rows = len(values)
    moments = times.Times(np.arange(float(rows))) if how.time is None else times.read(read, how.time, how.date_format, how.zone)
    if how.id is None:
        return [one(how, read, how.csv.stem, np.arange(rows), moments, values, columns)]
    which = np.array(read.column(how.id))
    names = list(dict.fromkeys(which))
    if "" in names:
        raise SeriesError(f"{how.csv}, column {how.id!r}, row {int(np.argmax(which == '')) + 1}: it says no series")
    made = [one(how, read, str(n), np.flatnonzero(which == n), moments, values, columns) for n in names]
    for s in made:
        if s.frequency.name != made[0].frequency.name:
            raise SeriesError(
                f"{how.csv}: series {made[0].name!r} has rows {made[0].frequency.name}, series {s.name!r} {s.frequency.name}; "
                "forecast them in two runs"
            )
    return made


def one(how: Reading, read: Table, name: str, rows: Array, moments: times.Times, values: Array, columns: list[str]) -> Series:
    """The series of some rows of a file."""
    place = f"{how.csv}" if how.id is None else f"{how.csv}, series {name!r}"
    notes = [read.understood, *moments.notes]
    order = rows[np.argsort(moments.moments[rows], kind="stable")]
    if (np.diff(order) < 0).any():
        notes.append(f"the rows were not in the order of {how.time!r}: they were sorted")
    t, v = moments.moments[order], values[order]
    there = np.flatnonzero(~np.isnan(v[:, 0]))
    if len(there) < 2:
        raise SeriesError(f"{place}: {len(there)} values of {columns[0]!r} are too few to forecast anything")
    found = require(place, how.time or "row", t, how.frequency)
    season, origin = (how.season, "--season") if how.season else guessed(found, how.time)
    all_times = grid(t, found)
    spread = np.full((len(all_times), v.shape[1]), np.nan)
    spread[np.searchsorted(all_times, t)] = v
    start, stop = np.searchsorted(all_times, t[there[0]]), np.searchsorted(all_times, t[there[-1]]) + 1
    ahead = spread[stop:, len(columns) - len(how.known) :]
    holes = np.flatnonzero(np.isnan(ahead).any(axis=1))
    ahead = ahead[: holes[0] if len(holes) else len(ahead)]
    for count, which in ((start, "first"), (len(all_times) - stop - len(ahead) * bool(how.known), "last")):
        if count:
            notes.append(f"the {which} {count} rows have no {columns[0]!r}: they are left out")
    inside = np.isin(all_times[start:stop], t)
    spread = filled(place, columns, all_times[start:stop], spread[start:stop], inside, how.fill, season, notes)
    about: dict[str, Any] = {"ahead": ahead, "zone": moments.zone, "notes": tuple(notes), "origin": origin}
    return Series(name, all_times[start:stop], tuple(columns), spread, found, season, len(how.known), **about)


def guessed(found: Frequency, time: str | None) -> tuple[int, str]:
    """The season of rows that come so often, and what it was taken from."""
    if found.season > 1:
        return found.season, f"from the frequency, {found.name}"
    why = "rows have no dates" if time is None or found.name.startswith("steps") else f"none is usual for {found.name}"
    return 1, f"{why}; --season says otherwise"


def with_calendar(s: Series, cycles: tuple[str, ...] | None = None) -> Series:
    """The series with the place in the year, week and day as points on circles, which are known ahead.

    SeriesError: its times are no dates.
    """
    if calendar.of(s.columns):
        return s
    if s.times.dtype.kind != "M":
        raise SeriesError(f"--calendar needs dates, and the rows of {s.name} have none; name their column with --time")
    cycles = calendar.cycles(s.times) if cycles is None else cycles
    if not cycles:
        raise SeriesError(f"--calendar says nothing of the rows of {s.name}: they come {s.frequency.name}; leave it out")
    columns = (*s.columns, *(name for c in cycles for name in calendar.names(c)))
    values = np.column_stack([s.values, *(calendar.circle(s.times, c) for c in cycles)])
    return s._replace(columns=columns, values=values, known=s.known + 2 * len(cycles))


def changes(before: Iterator[Series] | list[Series], after: list[Series]) -> list[str]:
    """What differs between the rows of training and those of now, in words; rows that are new at the end do not count."""
    now, said = {s.name: s for s in after}, []
    for old in before:
        new = now.get(old.name)
        if new is None:
            said.append(f"series {old.name!r} is gone")
            continue
        rows = min(len(old.values), len(new.values))
        differs = (old.times[:rows] != new.times[:rows]) | (old.values[:rows] != new.values[:rows]).any(axis=1)
        if rows < len(old.values):
            said.append(f"{old.name} has {rows} rows and had {len(old.values)}")
        if differs.any():
            k = int(np.argmax(differs))
            column = int(np.argmax(old.values[k] != new.values[k]))
            was, has = (f"{x.values[k, column]:.10g}" for x in (old, new))
            what = repr(old.columns[column])
            if old.times[k] != new.times[k]:
                what, was, has = "its time", old.shown(old.times[k]), new.shown(new.times[k])
            said.append(
                f"{int(differs.sum())} rows of {old.name} differ, the first is row {k + 1}, {old.shown(old.times[k])}: "
                f"{what} was {was} and is {has}"
            )
    return said
