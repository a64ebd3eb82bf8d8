"""What a forecast must beat, on the same windows: persistence, seasonal naive, linear autoregression."""

import numpy as np

from ...common.arrays import Array
from ..windows import Windows

NAMES = ("persistence", "seasonal naive", "linear")
RIDGES = (0.0, *np.logspace(-6, 3, 19))  # penalties, over the number of windows; the best on the validation part is taken


def persistence(windows: Windows) -> Array:
    """The last value, again and again (K, W)"""
    return np.repeat(windows.rows[windows.origins - 1, 0][None], windows.horizon, axis=0)


def seasonal(windows: Windows, season: int) -> Array:
    """The value one season before (K, W); more seasons where one does not reach back before the origin."""
    k = np.arange(windows.horizon)[:, None]
    return windows.rows[windows.origins - season + k % season, 0]


class Linear:
    """Every step ahead is a linear function of all numbers that the network reads, by least squares with a ridge.

    What is explained is the change from the last value, so the ridge draws it to persistence.  The ridge is the one of
    ``RIDGES`` with the lowest squared error on the validation windows.
    """

    def __init__(self, train: Windows, validation: Windows, known: int = 0):
        self.known = known
        X, Y = self.design(train), self.change(train)
        self.mean, self.start = X.mean(0), Y.mean(0)
        X = X - self.mean
        values, vectors = np.linalg.eigh(X.T @ X / len(X))
        turned, right = vectors.T @ (X.T @ (Y - self.start) / len(X)), values > values[-1] * 1e-12
        self.weights = [vectors[:, right] @ (turned[right] / (values[right] + r)[:, None]) for r in RIDGES]
        held, truth = self.design(validation) - self.mean, self.change(validation) - self.start
        errors = [((held @ W - truth) ** 2).mean() for W in self.weights]
        self.ridge, self.weights = RIDGES[int(np.argmin(errors))], [self.weights[int(np.argmin(errors))]]

    def design(self, windows: Windows) -> Array:
        """(W, T F + K known)"""
        W, seen = len(windows.origins), windows.past.reshape(len(windows.origins), -1)
        return np.hstack([seen, windows.future[..., windows.rows.shape[1] - self.known :].reshape(W, -1)])

    def change(self, windows: Windows) -> Array:
        """(W, K)"""
        return windows.future[..., 0] - windows.past[:, -1:, 0]

    def __call__(self, windows: Windows) -> Array:
        """The forecast (K, W)"""
        change = (self.design(windows) - self.mean) @ self.weights[0] + self.start
        return (windows.past[:, -1:, 0] + change).T


def all_of(linear: Linear, windows: Windows, season: int) -> dict[str, Array]:
    """Every baseline's forecast (K, W), by name"""
    return dict(zip(NAMES, (persistence(windows), seasonal(windows, season), linear(windows)), strict=True))
