"""Series that ship in packages."""

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


def sunspots() -> Packaged:
    """Monthly sunspot numbers."""
    values = datasets.sunspots()
    months = (np.datetime64("1749-01", "M") + np.arange(len(values))).astype("datetime64[us]")
    return Packaged(months, ("sunspots",), values[:, None], 132, "the cycle of the sun, about eleven years")


def weather() -> Packaged:
    """Seattle's daily maximum temperature, with what else was measured, and the time of year as a point on a circle."""
    table = datasets.seattle_weather()
    times = np.array([d.replace("/", "-") for d in table["date"]], "datetime64[us]")
    names = ("temp_max", "temp_min", "precipitation", "wind")
    values = np.stack([np.array(table[n], float) for n in names], axis=1)
    return Packaged(times, names, values, 365, "the year", calendar=True)


DATASETS = {"sunspots": sunspots, "weather": weather}
