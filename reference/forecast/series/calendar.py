"""The place in the year, the week and the day as points on circles: what is known ahead of any time."""

from collections.abc import Sequence

import numpy as np

from ...common.arrays import Array

LENGTHS = {"year": 366, "week": 7, "day": 1}  # in days


def names(cycle: str) -> tuple[str, str]:
    return f"sin of {cycle}", f"cos of {cycle}"


def of(columns: Sequence[str]) -> list[str]:
    """The cycles that a series has as columns."""
    return [cycle for cycle in LENGTHS if names(cycle)[0] in columns]


def cycles(times: Array) -> tuple[str, ...]:
    """Those that are longer than a step."""
    step = np.diff(times).min() / np.timedelta64(1, "D")
    return tuple(cycle for cycle, days in LENGTHS.items() if step < days * 0.9)


def circle(times: Array, cycle: str) -> Array:
    """Dates (N,)  ->  (N, 2)"""
    day = np.timedelta64(1, "D")
    if cycle == "year":
        year = times.astype("datetime64[Y]")
        start, end = year.astype("datetime64[us]"), (year + 1).astype("datetime64[us]")
        turn = (times - start) / (end - start)
    elif cycle == "week":
        turn = (times - np.datetime64("1970-01-05", "us")) / (7 * day)  # a Monday
    else:
        turn = (times - times.astype("datetime64[D]")) / day
    angle = 2 * np.pi * (turn % 1)
    return np.stack([np.sin(angle), np.cos(angle)], axis=1)
