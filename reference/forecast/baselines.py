"""What a forecast must beat, on the same windows: persistence, seasonal naive, linear autoregression."""

import numpy as np

from ..common.arrays import Array
from .windows import Windows

NAMES = ("persistence", "seasonal naive", "linear")


def persistence(windows: Windows) -> Array:
    """The last value, again and again (K, W)"""
    return np.repeat(windows.past[:, -1, 0][None], windows.future.shape[1], axis=0)


def seasonal(values: Array, windows: Windows, season: int) -> Array:
    """The value one season before (K, W); more seasons where one does not reach back before the origin.

    values (N, F): the whole series, of which only rows before the origin are read.
    """
    k = np.arange(windows.future.shape[1])[:, None]
    return values[windows.origins - season + k % season, 0]


def linear(train: Windows, windows: Windows) -> Array:
    """Every step ahead (K, W) is a linear function of all numbers of the window, by least squares on the training windows."""
    W, *_ = np.linalg.lstsq(design(train.past), train.future[..., 0], rcond=None)
    return (design(windows.past) @ W).T


def design(past: Array) -> Array:
    """past (W, T, F)  ->  (W, 1 + T F)"""
    return np.concatenate([np.ones((len(past), 1)), past.reshape(len(past), -1)], axis=1)


def all_of(values: Array, train: Windows, windows: Windows, season: int) -> dict[str, Array]:
    """Every baseline's forecast (K, W), by name"""
    forecasts = persistence(windows), seasonal(values, windows, season), linear(train, windows)
    return dict(zip(NAMES, forecasts, strict=True))
