"""What is put where values or whole rows are missing: only what was known before them."""

from typing import Any

import numpy as np

from ...common.arrays import Array
from .errors import SeriesError
from .frequency import shown

WAYS = {
    "previous": "the value before them",
    "seasonal": "the value one season before them",
    "zero": "0",
}


def filled(
    place: str, columns: list[str], times: Array, values: Array, inside: Array, way: str | None, season: int, notes: list[str]
) -> Array:
    """Values (N, F) without gaps; ``inside`` (N,) says which rows there are.  SeriesError: nothing was asked to be put there."""
    gaps = len(inside) - int(inside.sum())
    how = " or ".join(f"--fill {name} ({text})" for name, text in WAYS.items())
    if gaps:
        first = shown(times[int(np.argmin(inside))])
        if way is None:
            raise SeriesError(
                f"{place}: {gaps} of {len(inside)} rows are missing, the first at {first}; put them there, or fill them: {how}"
            )
        notes.append(f"{gaps} of {len(inside)} rows were missing, the first at {first}: they took {WAYS[way]}")
    for k, name in enumerate(columns):
        holes = np.isnan(values[:, k])
        count = int((holes & inside).sum())
        if not holes.any():
            continue
        if count:
            first = shown(times[int(np.argmax(holes & inside))])
            if way is None:
                raise SeriesError(f"{place}, column {name!r}: {count} missing values, the first at {first}; fill them: {how}")
            notes.append(f"column {name!r}: {count} missing values took {WAYS[way]}")
        if holes[0] and way != "zero":
            raise SeriesError(
                f"{place}, column {name!r}: the value at {shown(times[0])} is missing, and there is none before it to put there; "
                "leave out the rows before its first one, or give --fill zero"
            )
        values[:, k] = put(values[:, k], holes, str(way), season)
    return values


def put(values: Array, holes: Array, way: str, season: int) -> Array:
    """One column (N,) without holes."""
    whole: Any = values.copy()
    for n in np.flatnonzero(holes):
        whole[n] = 0.0 if way == "zero" else whole[n - season] if way == "seasonal" and n >= season else whole[n - 1]
    return whole
