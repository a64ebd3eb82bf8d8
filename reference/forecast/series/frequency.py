"""What is even about the times of a series: how the next ones are found, what that is called, and when it repeats.

Months, quarters and years have no one length, business days skip two of seven: their arithmetic is that of pandas.
"""

from collections.abc import Callable
from functools import partial
from math import gcd
from typing import Any, NamedTuple

import numpy as np

from ...common.arrays import Array
from .errors import SeriesError

DAY = 86_400_000_000  # microseconds, the unit of all times
UNITS = {"day": DAY, "hour": DAY // 24, "minute": DAY // 1440, "second": 1_000_000, "ms": 1000, "us": 1}
MOST = 10_000_000  # rows that a series may have with those that are missing
MONTHS = {1: "month", 3: "quarter", 6: "half-year"}


class Frequency(NamedTuple):
    name: str
    season: int  # steps after which it usually repeats; 1 where nobody knows
    after: Callable[[Any, int], Array]  # the times from a first one on, itself included: after(first, n)


class UnevenError(Exception):
    """The steps of some times differ: after which of them, and what is usual."""

    def __init__(self, k: int, usual: str):
        self.k, self.usual = k, usual


def frequency(times: Array, before: str | None = None) -> Frequency:
    """Of two times or more, rising strictly; some may be missing between.  ``before``: the name of that of the training.

    UnevenError: they lie on no grid.
    """
    if times.dtype.kind != "M":
        return of_numbers(times)
    steps = np.diff(times).astype(int)
    if steps.min() >= 28 * DAY and (found := of_months(times)):
        return found
    if steps.min() >= DAY and (found := of_business_days(times, before == "business days")):
        return found
    return of_steps(times, steps)


def of_numbers(times: Array) -> Frequency:
    step = usual(np.diff(times))
    on_grid(np.diff(times) / step, f"steps of {step:g}")
    return Frequency(f"steps of {step:g}", 1, lambda first, n: first + step * np.arange(n))


def of_steps(times: Array, steps: Array) -> Frequency:
    step = int(usual(steps))
    name, season = called(step), day_or_week(step)
    on_grid(steps / step, name)
    return Frequency(name, season, lambda first, n: first + np.timedelta64(step, "us") * np.arange(n))


def usual(steps: Array) -> Any:
    """The most common step; the smallest of several."""
    values, counts = np.unique(steps, return_counts=True)
    close = np.isclose(values, values[np.argmax(counts)], rtol=1e-9, atol=0)
    return values[close][0]


def on_grid(multiples: Array, usual: str) -> None:
    off = abs(multiples - np.round(multiples)) > 1e-6
    if off.any():
        raise UnevenError(int(np.argmax(off)), usual)


def of_months(times: Array) -> Frequency | None:
    """The same day of every so many months, the last day where a month is too short, or their first or last business day."""
    import pandas

    index = pandas.DatetimeIndex(times)
    clock = index - index.normalize()
    months = np.asarray(index.year * 12 + index.month)
    if (clock != clock[0]).any() or (np.diff(months) == 0).any():
        return None
    every, day = gcd(*np.diff(months).tolist()), int(index.day.max())
    last = bool(index.is_month_end.all())
    name = f"every {MONTHS[every]}" if every in MONTHS else f"every {every} months"
    if every % 12 == 0:
        name = "every year" if every == 12 else f"every {every // 12} years"
    season = 12 // every if 12 % every == 0 else 1
    if last or (np.asarray(index.day) == np.minimum(day, np.asarray(index.days_in_month))).all():
        where = "at the last day" if last else f"at day {day}"
        return Frequency(f"{name}, {where}", season, partial(each_month, every=every, day=31 if last else day))
    for offset, which in ((pandas.offsets.BMonthEnd, "last"), (pandas.offsets.BMonthBegin, "first")):
        if all(offset().is_on_offset(t) for t in index.normalize()):
            return Frequency(f"{name}, at the {which} business day", season, partial(by_offset, offset=offset(every)))
    return None


def each_month(first: Any, n: int, *, every: int, day: int) -> Array:
    """From ``first`` on: this day of the month, or its last day."""
    import pandas

    start = pandas.Timestamp(first)
    firsts = pandas.date_range(start.replace(day=1), periods=n, freq=pandas.DateOffset(months=every))
    days = np.minimum(day, np.asarray(firsts.days_in_month)) - 1
    return np.asarray(firsts, "datetime64[us]") + days * np.timedelta64(DAY, "us")


def by_offset(first: Any, n: int, *, offset: Any) -> Array:
    import pandas

    return pandas.date_range(pandas.Timestamp(first), periods=n, freq=offset).to_numpy().astype("datetime64[us]")


def of_business_days(times: Array, sure: bool) -> Frequency | None:
    """Monday to Friday at one time of the day, over more than a weekend unless ``sure``; None if they are not."""
    import pandas

    index = pandas.DatetimeIndex(times)
    clock = index - index.normalize()
    steps = np.diff(times).astype(int) // DAY
    if (clock != clock[0]).any() or (index.day_of_week > 4).any() or usual(steps) != 1 or (steps.max() == 1 and not sure):
        return None
    return Frequency("business days", 5, partial(by_offset, offset=pandas.offsets.BDay()))


def called(step: int) -> str:
    if step == 7 * DAY:
        return "every week"
    if step % (7 * DAY) == 0:
        return f"every {step // (7 * DAY)} weeks"
    unit, length = next((unit, length) for unit, length in UNITS.items() if step % length == 0)
    count = step // length
    return f"every {unit}" if count == 1 else f"every {count} {unit}{'s' if len(unit) > 2 else ''}"


def day_or_week(step: int) -> int:
    """Steps in what such a series usually repeats after: a week of days, a year of weeks, a day of what is shorter.

    A second or less is too short for a day: a minute.
    """
    if step % (7 * DAY) == 0:
        return 52 // (step // (7 * DAY)) if 52 * 7 * DAY % step == 0 else 1
    cycle = 7 * DAY if step == DAY else DAY if step >= UNITS["minute"] else UNITS["minute"] if step >= UNITS["second"] else 0
    return cycle // step if cycle and cycle % step == 0 else 1


def grid(times: Array, found: Frequency) -> Array:
    """All times from the first to the last, missing ones too.  UnevenError: some are not on it, or too many are missing."""
    n = len(times)
    whole = found.after(times[0], n)
    while whole[-1] < times[-1]:
        n *= 2
        if n > max(MOST, 2 * len(times)):
            raise UnevenError(int(np.argmax(np.diff(times))), found.name)
        whole = found.after(times[0], n)
    if times.dtype.kind != "M":
        places = np.round((times - times[0]) / (whole[1] - whole[0])).astype(int)
        whole = whole[: places[-1] + 1].astype(float)
        whole[places] = times  # as they were given
        return whole
    whole = whole[whole <= times[-1]]
    off = ~np.isin(times, whole)
    if off.any():
        raise UnevenError(max(0, int(np.argmax(off)) - 1), found.name)
    return whole


def following(times: Array, found: Frequency, n: int) -> Array:
    """The next ``n`` times after the last."""
    return found.after(times[-1], n + 1)[1:]


def shown(time: Any, zone: str = "") -> str:
    """A time as it is printed and written: a day without its midnight, seconds only where there are some."""
    if np.asarray(time).dtype.kind != "M":
        return f"{float(time):.0f}" if float(time).is_integer() else f"{float(time):.12g}"
    text = str(np.datetime_as_string(np.datetime64(time, "us"), unit="auto"))
    return text if "T" not in text and not zone else (text if "T" in text else f"{text}T00:00") + zone


def require(file: Any, name: str, times: Array, before: str | None = None) -> Frequency:
    """The frequency of a column.  SeriesError: a time comes twice, or the steps differ, with the place."""
    twice = np.flatnonzero(np.diff(times) == np.zeros(1, np.diff(times).dtype))
    if len(twice):
        raise SeriesError(
            f"{file}: {shown(times[twice[0]])} comes twice in {name!r}; keep one row for each time, or name the column that "
            "tells several series apart by --id"
        )
    try:
        found = frequency(times, before)
        grid(times, found)
    except UnevenError as e:
        step = shown_step(times[e.k + 1] - times[e.k])
        raise SeriesError(
            f"{file}: the steps of {name!r} are not even: {step} after {shown(times[e.k])}, {e.usual} as a rule; bring the rows "
            "onto even steps first, for instance by the mean of each hour or day"
        ) from None
    return found


def shown_step(step: Any) -> str:
    return called(int(step.astype("timedelta64[us]").astype(int))).removeprefix("every ") if step.dtype.kind == "m" else f"{step:g}"
