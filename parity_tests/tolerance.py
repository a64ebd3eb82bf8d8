"""How wrong a result may be: the one rule, in its one place.  Why it is what it is: notes/tolerances.md

    max|candidate - oracle|  <=  4 · noise  +  16 · eps(dtype) · max|oracle|                            (T1)
    noise = the largest max|baseline - oracle| of several baselines                                     (T2)

per output tensor.  The oracle is the definition in longdouble.  A baseline is the definition in the candidate's own
dtype: once on the data, and three times on the data with every value moved by one rounding.  So what cannot be had
more exactly in that dtype is not asked for, and one lucky baseline does not decide.  NaN is never allowed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

BASELINE_FACTOR = 4
FLOOR_EPS = 16


class Verdict(NamedTuple):
    """One tensor, judged."""

    tensor: str
    error: float          # max|candidate - oracle|
    allowed: float
    ok: bool
    step: int | None = None  # first time step that is wrong, in the order of computation
    why: str = "number"   # or, where no numbers are compared, "shape", "dtype", "missing", "unexpected", "raised", "changed"
    detail: str = ""

    @property
    def ratio(self) -> float:
        """Error over allowed; at most 1 is accepted."""
        if self.allowed:
            return self.error / self.allowed
        return 0.0 if self.error == 0 else float("inf")


def allowed(baselines: Sequence[np.ndarray], oracle: np.ndarray, dtype: str) -> float:
    """The right-hand side of T1.

    Parameters
    ----------
    baselines, oracle : ndarrays of one shape
    dtype : "float32" or "float64", that of the candidate
    """
    noise = max(float(largest(baseline - oracle)) for baseline in baselines)                                   # T2
    return float(BASELINE_FACTOR * noise + FLOOR_EPS * np.finfo(dtype).eps * largest(oracle))  # T1


def judge(tensor: str, candidate, baselines: Sequence[np.ndarray], oracle: np.ndarray, dtype: str,
          axis: int | None = None, backwards: bool = False) -> Verdict:
    """Apply the rule to one tensor.

    Parameters
    ----------
    candidate : array-like
    axis : int or None
        The time axis, if there is one, to name the first wrong step; ``backwards`` if it is computed last step first.
    """
    limit = allowed(baselines, oracle, dtype)
    candidate = np.asarray(candidate)
    if candidate.shape != oracle.shape:
        return Verdict(tensor, float("inf"), limit, False, None, "shape", f"{candidate.shape} for {oracle.shape}")
    difference = np.abs(candidate - oracle)
    error = float(largest(difference))
    ok = bool(error <= limit)
    return Verdict(tensor, error, limit, ok, None if ok else first_wrong(difference, limit, axis, backwards))


def first_wrong(difference: np.ndarray, limit: float, axis: int | None, backwards: bool) -> int | None:
    """The first step along the time axis at which the difference is not within the limit."""
    if axis is None:
        return None
    others = tuple(k for k in range(difference.ndim) if k != axis)
    steps = np.flatnonzero(~(difference <= limit).all(others))
    return int(steps[-1] if backwards else steps[0])


def largest(x: np.ndarray):
    """max|x|, 0 for an empty array, NaN if there is one"""
    return np.abs(x).max(initial=0)
