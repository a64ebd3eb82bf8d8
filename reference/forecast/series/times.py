"""A column of times: dates in the forms that people write, or numbers."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...common.arrays import Array
from .errors import SeriesError
from .table import MISSING, Table

YEARS = range(1500, 2300)  # four digits that are a year, and not a number
CLOCK = r"(?::\d\d|T\d{4}|T\d{6})(?:[.,]\d+)?"  # the end of one
OFFSET = re.compile(rf"(?:(?<=\d)|{CLOCK})\s*(Z|UTC|GMT)$|{CLOCK}\s*([+-]\d\d(?::?\d\d)?)$")
DIGITS = {"%Y": r"(\d{4})", "%Y%m": r"(\d{4})(\d\d)", "%Y%m%d": r"(\d{4})(\d\d)(\d\d)"}
DIGITS |= {f"%Y%m%d{clock}": rf"(\d{{4}})(\d\d)(\d\d)(\d\d){{{n}}}" for n, clock in enumerate(("%H", "%H%M", "%H%M%S"), 1)}
BETWEEN, NOON = r"[-\s,./]+", r"\s*([aApP])\.?[mM]\.?$"  # what stands between the parts of a date, and after a time
MEANT = {"%d": "day", "%m": "month", "%Y": "year", "%y": "year"}
# Of dates that are not as ISO 8601 has them, with one blank for whatever stands between.
FORMS: tuple[str, ...] = ("%d %m %Y", "%m %d %Y", "%Y %m %d", "%d %m %y", "%m %d %y", "%y %m %d")
FORMS += ("%m %Y", "%Y %m", "%YM%m", "%mM%Y")
FORMS += ("%d %b %Y", "%b %d %Y", "%Y %b %d", "%d %b %y", "%b %Y", "%Y %b", "%b %y", "%a %d %b %Y", "%a %b %d %Y")
FORMS += tuple(form.replace("%b", "%B").replace("%a", "%A") for form in FORMS if "%b" in form)


class Times(NamedTuple):
    moments: Array  # (N,) datetime64[us], or numbers
    zone: str = ""  # what is written after each: "+01:00", or Z for UTC
    notes: tuple[str, ...] = ()


def read(table: Table, name: str, date_format: str | None = None, zone: str | None = None) -> Times:
    """In a zone, where one is given.  SeriesError: a time is missing, or no number and no date, or can be read in two ways."""
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
    column, zone, offsets, notes = without_offsets(column, zone)
    date_format = date_format and date_format.removesuffix("%z").rstrip()
    return Times(dates(table, name, column, date_format) - offsets, zone, notes)


def digits(column: Sequence[str]) -> str | None:
    """The form of dates that are digits alone, as YYYYMMDD, or a month as 01.2020; None if they are none."""
    for form, pattern in DIGITS.items():
        parts = [re.fullmatch(pattern, v) for v in column]
        years = range(1900, 2300) if "%H" in form else YEARS  # others may be seconds since 1970
        if all(p and int(p[1]) in years and is_day(*map(int, p.groups()[1:3])) for p in parts):
            return form
    if all((p := re.fullmatch(r"(\d\d)\.(\d{4})", v)) and is_day(int(p[1])) and int(p[2]) in YEARS for v in column):
        return "%m.%Y"
    return None


def is_day(month: int = 1, day: int = 1) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31


def as_numbers(table: Table, column: Sequence[str]) -> Array | None:
    try:
        numbers = np.array([table.number(v) for v in column])
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def without_offsets(column: Sequence[str], zone: str | None = None) -> tuple[list[str], str, Array, tuple[str, ...]]:
    """The times without their offsets from UTC; what that is; what is to be taken off where it differs; notes."""
    none, found = np.zeros(len(column), "timedelta64[m]"), [OFFSET.search(v) for v in column]
    if not any(found):
        return list(column), "", none, ()
    if not all(found):
        k = [bool(f) for f in found].index(False)
        raise SeriesError(f"some times have an offset from UTC and some have none: row {k + 1}, {column[k]!r}")
    bare = [v[: f.start(f.lastindex)].rstrip() for v, f in zip(column, found, strict=True) if f and f.lastindex]
    minutes = [in_minutes(f[2] or "Z") for f in found if f]
    days = len({v.partition("T")[2] or v.partition(" ")[2] for v in bare}) == 1  # at one hour by the clock
    if len(set(minutes)) == 1 and (days or not zone):
        hours, rest = divmod(abs(minutes[0]), 60)
        return bare, f"{'-' if minutes[0] < 0 else '+'}{hours:02d}:{rest:02d}" if minutes[0] else "Z", none, ()
    if days:
        return bare, "", none, ("the offset from UTC changes (summer time): times are by the clock on the wall",)
    note = "the offset from UTC changes (summer time): times are written in UTC"
    if zone:
        note = f"times are written with the offset of the training, {zone}"
    return bare, zone or "Z", np.array(minutes, "timedelta64[m]") - np.timedelta64(in_minutes(zone or "Z"), "m"), (note,)


def in_minutes(offset: str) -> int:
    """Of +01, +0130, +01:30 or Z"""
    offset = offset.replace("Z", "+00")
    return (60 * int(offset[1:3]) + int(offset[3:].lstrip(":") or 0)) * (-1 if offset[0] == "-" else 1)


def dates(table: Table, name: str, column: Sequence[str], date_format: str | None) -> Array:
    """(N,) datetime64[us]"""
    import pandas

    quarters = [re.fullmatch(r"(\d{4})[- ]?(Q[1-4])|(Q[1-4])[- /]?(\d{4})", v, re.I) for v in column]
    if date_format is None and all(quarters):
        said = [f"{q[1] or q[4]}{q[2] or q[3]}" for q in quarters if q]
        return pandas.PeriodIndex(said, freq="Q").to_timestamp().to_numpy().astype("datetime64[us]")
    if date_format is None and all(re.fullmatch(r"\d{4}-?W\d\d", v) for v in column):
        column, date_format = [f"{v[:4]} {v[-2:]} 1" for v in column], "%G %V %u"  # the Monday of a week
    text = [re.sub(r"(?<=:\d\d),(?=\d)", ".", v) for v in column] if date_format is None else list(column)
    try:
        parsed = pandas.to_datetime(text, errors="coerce", format=date_format or "ISO8601")
    except (ValueError, TypeError) as e:
        raise SeriesError(f"--date-format {date_format!r}: {e}") from None
    if date_format is None and parsed.isna().any():
        parsed = in_a_form(table, name, text)
    for k in np.flatnonzero(parsed.isna()).tolist():
        raise SeriesError(
            f"{table.file}, column {name!r}, row {k + 1}: {column[k]!r} is neither a number nor a date "
            + (f"of the form {date_format}" if date_format else "as 2024-01-31 or 2024-01-31T12:00; name its form by --date-format")
        )
    return (parsed if parsed.tz is None else parsed.tz_convert(None)).to_numpy().astype("datetime64[us]")


def in_a_form(table: Table, name: str, column: Sequence[str]) -> Any:
    """As the one of FORMS says that fits the most of them.  SeriesError: two of them fit, and say different days."""
    import pandas

    parts = [re.fullmatch(r"(?s)(.*?)(?:[T\s]\s*(\d{1,2}:\d\d.*))?", v) for v in column]
    days, hours = ([p[k] or "" for p in parts if p] for k in (1, 2))
    hours = [re.sub(NOON, r" \1m", hour) for hour in hours]
    text = [f"{re.sub(BETWEEN, ' ', day)} {hour}".strip() for day, hour in zip(days, hours, strict=True)]
    mark, clock = "".join(re.findall(BETWEEN, days[0])[:1]), clock_of(hours[0])
    forms = [f for f in FORMS if not (mark == "." and f.startswith("%m %d")) and not (mark in "./" and f.startswith("%y"))]
    fit = {f: pandas.to_datetime(text, format=f + clock, errors="coerce") for f in forms if fits(text[0], f + clock)}
    whole = {f: parsed for f, parsed in fit.items() if not parsed.isna().any()}
    if any(not p.equals(q) for p in whole.values() for q in whole.values()):
        ways = {f.replace(" ", mark) + clock: "/".join(MEANT.get(word, word) for word in f.split()) for f in whole}
        choice = " or ".join(f"{form!r} ({meant})" for form, meant in ways.items())
        raise SeriesError(
            f"{table.file}, column {name!r}: {column[0]!r} can be read in two ways; name its form by --date-format: {choice}"
        )
    return min((whole or fit).values(), key=lambda parsed: parsed.isna().sum(), default=pandas.DatetimeIndex([None] * len(text)))


def clock_of(text: str) -> str:
    """The form of a time of the day, with the blank before it; none of none."""
    if not text:
        return ""
    noon = bool(re.search(NOON, text))
    seconds = ":%S" * (text.count(":") == 2) + ".%f" * ("." in re.sub(NOON, "", text))
    return f" {'%I' if noon else '%H'}:%M{seconds}{' %p' * noon}"


def fits(text: str, form: str) -> bool:
    import pandas

    return not pandas.isna(pandas.to_datetime(text, format=form, errors="coerce"))
