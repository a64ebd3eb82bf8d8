"""How the arrays of a case lie in memory.  Their numbers are the same in every layout."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from .case import Data

Nest = TypeVar("Nest")


def laid_out(data: "Data", layout: str) -> "Data":
    """The data with every array in a layout; masks stay as they are."""
    if not layout:
        return data
    change = LAYOUTS[layout]
    return data._replace(
        weights={k: change(v) for k, v in data.weights.items()},
        x=change(data.x),
        state=data.state and tuple(map(change, data.state)),
        dy=change(data.dy),
        dstate=tuple(map(change, data.dstate)),
        lengths=None if data.lengths is None else change(data.lengths),
    )


def strided(v: np.ndarray) -> np.ndarray:
    """Every second number of an array twice as long, with NaN between, or with ones between whole numbers."""
    wide = np.full((*v.shape[:-1], 2 * v.shape[-1]), np.nan if v.dtype.kind == "f" else 1, v.dtype)
    wide[..., ::2] = v
    return wide[..., ::2]


def backwards(v: np.ndarray) -> np.ndarray:
    """Negative strides along every axis."""
    turn = (slice(None, None, -1),) * v.ndim
    return v[turn].copy()[turn]


def read_only(v: np.ndarray) -> np.ndarray:
    v.flags.writeable = False
    return v


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "fortran": np.asfortranarray,
    "strided": strided,
    "backwards": backwards,
    "read_only": read_only,
}
