"""Series that ship in packages, by name."""

from typing import NamedTuple

import numpy as np

from ...common import datasets
from ...common.arrays import Array


class Packaged(NamedTuple):
    times: Array  # datetime64[us]
    columns: tuple[str, ...]
    values: Array  # (N, F)
    season: int
    why: str  # it has this season
    calendar: bool = False  # whether the time of the year is read besides


def sunspots() -> dict[str, Packaged]:
    """Monthly sunspot numbers."""
    values = datasets.sunspots()
    months = (np.datetime64("1749-01", "M") + np.arange(len(values))).astype("datetime64[us]")
    return {"sunspots": Packaged(months, ("sunspots",), values[:, None], 132, "the cycle of the sun, about eleven years")}


def weather() -> dict[str, Packaged]:
    """Seattle's daily maximum temperature, with what else was measured, and the time of year as a point on a circle."""
    table = datasets.seattle_weather()
    times = np.array([d.replace("/", "-") for d in table["date"]], "datetime64[us]")
    names = ("temp_max", "temp_min", "precipitation", "wind")
    values = np.stack([np.array(table[n], float) for n in names], axis=1)
    return {"weather": Packaged(times, names, values, 365, "the year", calendar=True)}


def tourism() -> dict[str, Packaged]:
    """The 366 monthly series of the tourism forecasting competition, each with the 24 rows that were to be forecast.

    The package does not say when a series begins, so rows are numbered.
    """
    rows = {name: np.concatenate(both) for name, both in datasets.tourism().items()}
    return {name: Packaged(np.arange(float(len(v))), ("visitors",), v[:, None], 12, "rows are months") for name, v in rows.items()}


DATASETS = {"sunspots": sunspots, "weather": weather, "tourism": tourism}
