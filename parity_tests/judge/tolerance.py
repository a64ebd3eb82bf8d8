"""How wrong a result may be: the one rule, in its one place.  Why it is what it is: notes/tolerances.md

    max|candidate - oracle|  <=  the larger of  4 · noise  +  16 · eps(dtype) · max|oracle|  and  2 · libm    (T1)
    noise = the largest max|baseline - oracle| of several baselines                                           (T2)
    libm = the largest max|moved - oracle| of several baselines whose tanh and sigmoid are wrong by 4 ulp     (T5)

per output tensor.  The oracle is the definition in longdouble.  A baseline is the definition in the candidate's own
dtype: once on the data, and three times on the data with every value moved by one rounding.  So what cannot be had
more exactly in that dtype is not asked for, and one lucky baseline does not decide.  Those of T5 are told to be as wrong
as an accurate library may be (arithmetic.py): all upwards, all downwards, and up and down at random.  NaN is never allowed.

For a training run, at each step n and per quantity:

    max|candidate_n - oracle_n|  <=  4 · noise_n  +  16 · eps(dtype) · max|oracle_n|                          (T3)
    noise_n = the largest max|baseline_m - oracle_m| of several baselines and all steps m <= n                (T4)

A baseline is a run in the candidate's dtype: once from the initial weights, and fifteen times from weights of which
every one was moved by one rounding.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

BASELINE_FACTOR = 4
FLOOR_EPS = 16
LIBM_ULP = 4  # the most that libraries with accurate elementary functions promise
LIBM_FACTOR = 2


class Verdict(NamedTuple):
    """One tensor, judged."""

    tensor: str
    error: float  # max|candidate - oracle|
    allowed: float
    ok: bool
    step: int | None = None  # first time step that is wrong, in the order of computation
    why: str = "number"  # or, where no numbers are compared, "shape", "dtype", "missing", "unexpected", "raised", "changed"
    detail: str = ""

    @property
    def ratio(self) -> float:
        """Error over allowed; at most 1 is accepted."""
        if self.allowed:
            return self.error / self.allowed
        return 0.0 if self.error == 0 else float("inf")


def allowed(baselines: Sequence[np.ndarray], oracle: np.ndarray, dtype: str, moved: Sequence[np.ndarray] = ()) -> float:
    """The right-hand side of T1; ``dtype`` is that of the candidate, ``moved`` are the baselines of T5."""
    noise = max(float(largest(baseline - oracle)) for baseline in baselines)  # T2
    libm = max((float(largest(baseline - oracle)) for baseline in moved), default=0.0)  # T5
    rounding = float(BASELINE_FACTOR * noise + FLOOR_EPS * np.finfo(dtype).eps * largest(oracle))
    return max(rounding, LIBM_FACTOR * libm)  # T1


def judge(
    tensor: str,
    candidate: ArrayLike,
    baselines: Sequence[np.ndarray],
    oracle: np.ndarray,
    dtype: str,
    axis: int | None = None,
    backwards: bool = False,
    moved: Sequence[np.ndarray] = (),
) -> Verdict:
    """Apply T1 to one tensor.

    ``axis`` is the time axis, if there is one, to name the first wrong step; ``backwards`` if it is computed last step first.
    """
    limit = allowed(baselines, oracle, dtype, moved)
    candidate = np.asarray(candidate)
    if candidate.shape != oracle.shape:
        return Verdict(tensor, float("inf"), limit, False, None, "shape", f"{candidate.shape} for {oracle.shape}")
    difference = np.abs(candidate - oracle)
    error = float(largest(difference))
    ok = bool(error <= limit)
    return Verdict(tensor, error, limit, ok, None if ok else first_wrong(difference, limit, axis, backwards))


def judge_trajectory(
    quantity: str, candidate: np.ndarray, baselines: Sequence[np.ndarray], oracle: np.ndarray, dtype: str
) -> Verdict:
    """Apply T3 to one quantity of a training run, (steps, ...): at the first wrong step, or the one nearest to its limit."""
    if candidate.shape != oracle.shape:
        return Verdict(quantity, float("inf"), 0.0, False, None, "shape", f"{candidate.shape} for {oracle.shape}")
    floor = FLOOR_EPS * np.finfo(dtype).eps * step_maxima(oracle)
    limits = BASELINE_FACTOR * trajectory_noise(baselines, oracle) + floor  # T3
    errors = step_maxima(candidate - oracle)
    wrong = np.flatnonzero(~(errors <= limits))
    n = int(wrong[0]) if len(wrong) else int(np.argmax(errors / np.where(limits > 0, limits, 1)))
    return Verdict(quantity, float(errors[n]), float(limits[n]), not len(wrong), n if len(wrong) else None)


def trajectory_noise(baselines: Sequence[np.ndarray], oracle: np.ndarray) -> np.ndarray:
    """The noise of T3 at each step: it never falls."""
    return np.maximum.accumulate(np.max([step_maxima(b - oracle) for b in baselines], axis=0))  # T4


def step_maxima(x: np.ndarray) -> np.ndarray:
    """(steps, ...)  ->  max|x| of each step"""
    return np.abs(x).reshape(len(x), -1).max(-1, initial=0)


def first_wrong(difference: np.ndarray, limit: float, axis: int | None, backwards: bool) -> int | None:
    """The first step along the time axis at which the difference is not within the limit."""
    if axis is None:
        return None
    others = tuple(k for k in range(difference.ndim) if k != axis)
    steps = np.flatnonzero(~(difference <= limit).all(others))
    return int(steps[-1] if backwards else steps[0])


def largest(x: np.ndarray) -> np.floating:
    """max|x|, 0 for an empty array, NaN if there is one"""
    return np.abs(x).max(initial=0)
