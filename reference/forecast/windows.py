"""Parts of a series in time, scaling by the first of them, and sliding windows, of one series or of several."""

from typing import NamedTuple

import numpy as np

from ..common.arrays import Array
from ..common.batches import Windowed
from .series import Series, SeriesError, calendar

LEAST = 0.5  # deviation of the calendar; that of a whole turn is 0.71


class Parts(NamedTuple):
    """Rows [0, train) are for training, [train, validation) for choosing, [validation, end) for the figures."""

    train: int
    validation: int
    end: int

    def rows(self, part: str) -> tuple[int, int]:
        return {"train": (0, self.train), "validation": (self.train, self.validation), "test": (self.validation, self.end)}[part]


class Scaling(NamedTuple):
    """z = (x - mean) / deviation, column by column, of the training rows alone."""

    mean: Array  # (F,)
    deviation: Array  # (F,)

    def forth(self, x: Array) -> Array:
        return (x - self.mean) / self.deviation

    def back(self, target: Array) -> Array:
        """The target, of any shape, in its own units"""
        return target * self.deviation[0] + self.mean[0]


class Windows(NamedTuple):
    """W windows of a part of every series, as places in the rows of all of them; cut out when they are asked for."""

    rows: Array  # (N, F)   scaled, one series after another
    origins: Array  # (W,)   the row of the first step that is forecast
    series: Array  # (W,)   which series it is of
    length: int  # T, steps that are read
    horizon: int  # K, steps that are forecast
    relative: bool = False  # whether the network reads the target less its last value before the origin

    @property
    def past(self) -> Array:
        """(W, T, F)"""
        return self.rows[self.origins[:, None] + np.arange(-self.length, 0)]

    @property
    def future(self) -> Array:
        """(W, K, F)"""
        return self.rows[self.origins[:, None] + np.arange(self.horizon)]

    @property
    def level(self) -> Array:
        """(W,)   what is taken off the target of each"""
        return self.rows[self.origins - 1, 0] * self.relative

    def batch(self, chosen: Array | slice) -> Windowed:
        """Some of them, time first, as the network reads them."""
        at, level = self.origins[chosen], self.level[chosen]
        past, future = (self.rows[at + np.arange(*steps)[:, None]] for steps in ((-self.length, 0), (0, self.horizon)))
        past[..., 0] -= level
        future[..., 0] -= level
        return Windowed(past, future)


def parts(rows: int, length: int, horizon: int, validation: float, test: float, season: int = 1, name: str = "") -> Parts:
    """Where a series is cut.  SeriesError: a part would hold no window."""
    left = rows - share(rows, validation) - share(rows, test)
    if not (validation > 0 and test > 0 and whole(validation) and whole(test) and left > 0):
        raise SeriesError(
            "--validation and --test must be shares above 0, or numbers of rows, that leave something for training, "
            f"got {validation:g} and {test:g} of {rows} rows"
        )
    b = rows - share(rows, test)
    a = b - share(rows, validation) if validation >= 1 or test >= 1 else rows - round(rows * (validation + test))
    needed = max(length + horizon + 1, season)
    if a < needed or b - a < horizon or rows - b < horizon:
        smaller = "--season" if a < season and a >= length + horizon + 1 else "--window or --horizon"
        raise SeriesError(
            f"{name + ': ' if name else ''}{rows} rows are too few: windows of {length} and {horizon} steps and a season of "
            f"{season} need {needed} rows for training and {horizon} for validation and for test, there are {a}, {b - a} "
            f"and {rows - b}; try a smaller {smaller}"
        )
    return Parts(a, b, rows)


def whole(part: float) -> bool:
    return part < 1 or part == int(part)


def share(rows: int, part: float) -> int:
    """Below 1 a share of the rows, else how many."""
    return round(rows * part) if part < 1 else int(part)


def scaling(series: Series, train: int, shared: bool = False) -> Scaling:
    """Mean and deviation of the rows before ``train``; ``shared`` says that the model has other series too.

    The calendar lies on circles of radius 1, of which a short part is no reason to blow them up.  A deviation of 0 counts as 1
    for what another series may have: a place without a promotion.
    SeriesError: the target is constant there, or a column of the only series.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = series.values[:train].mean(0), series.values[:train].std(0)
    if not np.isfinite(deviation).all():
        name = series.columns[int(np.argmin(np.isfinite(deviation)))]
        raise SeriesError(f"{series.name}: the numbers of column {name!r} are too large to square; divide them by a power of ten")
    given = len(series.columns) - 2 * len(calendar.of(series.columns))
    deviation[given:] = np.maximum(deviation[given:], LEAST)
    for k, name in enumerate(series.columns):
        if deviation[k] > 1e-14 * abs(mean[k]):
            continue
        if k == 0 or not shared:
            raise SeriesError(
                f"{series.name}: column {name!r} is constant in the training part, so it says nothing"
                + ("; leave it out" if k else "; there is nothing to forecast")
            )
        deviation[k] = 1.0
    return Scaling(mean, deviation)


def origins(length: int, horizon: int, start: int, stop: int) -> Array:
    """Those whose every forecast step lies in rows [start, stop); the past may reach back before ``start``."""
    found = np.arange(max(start, length), stop - horizon + 1)
    if not len(found):
        raise SeriesError(f"rows {start} to {stop} hold no window of {length} and {horizon} steps")
    return found
