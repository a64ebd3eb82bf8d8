"""A column of times: dates in the forms that people write, or numbers."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...common.arrays import Array
from .errors import SeriesError
from .table import MISSING, Table

YEARS = range(1500, 2300)  # four digits that are a year, and not a number
OFFSET = re.compile(r"(?<=\d)\s*(Z|[+-]\d\d:?\d\d)$")
DAYS_FIRST = {"%d/%m/%Y": "day/month/year", "%m/%d/%Y": "month/day/year"}


class Times(NamedTuple):
    moments: Array  # (N,) datetime64[us], or numbers
    zone: str = ""  # what is written after each: "+01:00", or Z for UTC
    notes: tuple[str, ...] = ()


def read(table: Table, name: str, date_format: str | None = None) -> Times:
    """SeriesError: a time is missing, or neither a date nor a number; a form that can be read in two ways."""
    column = table.column(name)
    for k, text in enumerate(column):
        if text.lower() in MISSING:
            raise SeriesError(f"{table.file}, column {name!r}, row {k + 1}: the time is missing")
    if date_format == "number":
        return Times(table.numbers(name))
    if date_format is None:
        form = digits(column)
        if form is None and (numbers := as_numbers(table, column)) is not None:
            return Times(numbers)
        date_format = form
    column, zone, notes = without_offsets(column)
    return Times(dates(table, name, column, date_format), zone, notes)


def digits(column: Sequence[str]) -> str | None:
    """The form of dates that are digits alone: a year, YYYYMM or YYYYMMDD; None if they are none."""
    if all(re.fullmatch(r"\d{4}", v) and int(v) in YEARS for v in column):
        return "%Y"
    for form, pattern in {"%Y%m": r"(\d{4})(\d\d)", "%Y%m%d": r"(\d{4})(\d\d)(\d\d)"}.items():
        parts = [re.fullmatch(pattern, v) for v in column]
        if all(p and int(p[1]) in YEARS and 1 <= int(p[2]) <= 12 and (form == "%Y%m" or 1 <= int(p[3]) <= 31) for p in parts):
            return form
    return None


def as_numbers(table: Table, column: Sequence[str]) -> Array | None:
    try:
        numbers = np.array([table.number(v) for v in column])
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def without_offsets(column: Sequence[str]) -> tuple[list[str], str, tuple[str, ...]]:
    """The times without their offsets from UTC, what that is, and what was done where it is not always the same one."""
    found = [OFFSET.search(v) if ":" in v or v.endswith("Z") else None for v in column]
    if not any(found):
        return list(column), "", ()
    if not all(found):
        k = [bool(f) for f in found].index(False)
        raise SeriesError(f"some times have an offset from UTC and some have none: row {k + 1}, {column[k]!r}")
    bare = [v[: f.start()] for v, f in zip(column, found, strict=True) if f]
    offsets = {"Z" if f[1] in ("Z", "+00:00", "+0000") else f"{f[1][:3]}:{f[1][-2:]}" for f in found if f}
    if len(offsets) == 1:
        return bare, offsets.pop(), ()
    if len({v.partition("T")[2] or v.partition(" ")[2] for v in bare}) == 1:  # days, at one hour by the clock
        return bare, "", ("the offset from UTC changes (summer time): times are by the clock on the wall",)
    import pandas

    moments = pandas.to_datetime(list(column), utc=True, format="ISO8601")
    note = "the offset from UTC changes (summer time): times are written in UTC"
    return [str(t.tz_localize(None).isoformat()) for t in moments], "Z", (note,)


def dates(table: Table, name: str, column: Sequence[str], date_format: str | None) -> Array:
    """(N,) datetime64[us]"""
    import pandas

    if date_format is None and all(re.fullmatch(r"\d{4}-?Q[1-4]", v) for v in column):
        return pandas.PeriodIndex([v.replace("-", "") for v in column], freq="Q").to_timestamp().to_numpy().astype("datetime64[us]")
    if date_format is None and all(re.match(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}\b", v) for v in column):
        return day_or_month_first(table, name, column)
    given: dict[str, Any] = {"format": date_format or "ISO8601"}
    text = [v.replace("/", "-") for v in column] if date_format is None else list(column)
    try:
        parsed = pandas.to_datetime(text, errors="coerce", **given)
        if date_format is None and parsed.isna().any():
            parsed = pandas.to_datetime(text, errors="coerce")  # as the first of them is written: 31 Jan 2020
    except (ValueError, TypeError) as e:
        raise SeriesError(f"--date-format {date_format!r}: {e}") from None
    for k in np.flatnonzero(parsed.isna()).tolist():
        raise SeriesError(
            f"{table.file}, column {name!r}, row {k + 1}: {column[k]!r} is neither a number nor a date "
            + (f"of the form {date_format}" if date_format else "as 2024-01-31 or 2024-01-31T12:00; name its form by --date-format")
        )
    return parsed.to_numpy().astype("datetime64[us]")


def day_or_month_first(table: Table, name: str, column: Sequence[str]) -> Array:
    """31/01/2020 or 01/31/2020, as all of them can be read.  SeriesError: both ways, or none."""
    import pandas

    text = [re.sub(r"^(\d+)[.-](\d+)[.-]", r"\1/\2/", v) for v in column]
    clock = {0: "", 1: " %H:%M", 2: " %H:%M:%S"}.get(text[0].count(":"), "")
    ways = {form + clock: pandas.to_datetime(text, format=form + clock, errors="coerce") for form in DAYS_FIRST}
    whole = [form for form, parsed in ways.items() if not parsed.isna().any()]
    if len(whole) != 1:
        said = "can be read in two ways" if whole else "is no date"
        choice = " or ".join(f"{form!r} ({DAYS_FIRST[form[:8]]})" for form in ways)
        raise SeriesError(f"{table.file}, column {name!r}: {column[0]!r} {said}; name its form by --date-format: {choice}")
    return ways[whole[0]].to_numpy().astype("datetime64[us]")
