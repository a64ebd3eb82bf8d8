"""How wrong a result may be: the one rule, in its one place.  Why it is what it is: notes/judge/tolerances.md

    max|candidate - oracle|  <=  the larger of  4 · noise  +  16 · eps(dtype) · max|oracle|  and  2 · libm    (T1)
    noise = the largest max|baseline - oracle| of several baselines                                           (T2)
    libm = the largest max|moved - oracle| of several baselines whose tanh and sigmoid are wrong by 4 ulp     (T5)

per output tensor.  The oracle is the definition in longdouble.  A baseline is the definition in the candidate's own
dtype: once on the data, and three times on the data with every value moved by one rounding.  So what cannot be had
more exactly in that dtype is not asked for, and one lucky baseline does not decide.  Those of T5 are told to be as wrong
as an accurate library may be (arithmetic.py): all upwards, all downwards, and up and down at random.  NaN is never allowed.

In bfloat16, float16 and TF32 products are summed in float32, so the 16 of T1 is 2 there; the baselines are PyTorch's.
Their eps is near a wrong factor's size.  So the part of the error that is a factor, which rounding hardly has, counts too:

    |<candidate - oracle, oracle>|  <=  4 · bias  +  eps · max(1/2, 2/√N) · <oracle, oracle>, of N numbers    (T6)
    bias = the largest |<baseline - oracle, oracle>| of the baselines                                         (T7)

For a training run, at each step n and per quantity:

    max|candidate_n - oracle_n|  <=  4 · noise_n  +  16 · eps(dtype) · max|oracle_n|                          (T3)
    noise_n = the largest max|baseline_m - oracle_m| of several baselines and all steps m <= n                (T4)

A baseline is a run in the candidate's dtype: once from the initial weights, and fifteen times from weights of which
every one was moved by one rounding.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .arithmetic import PRECISIONS

BASELINE_FACTOR = 4
FLOOR_EPS = 16
LIBM_ULP = 4  # the most that libraries with accurate elementary functions promise
LIBM_FACTOR = 2


NUMBERS = ("number", "non-finite")  # why a verdict is against numbers, not against what came instead of them


class Verdict(NamedTuple):
    """One tensor, judged."""

    tensor: str
    error: float | None  # max|candidate - oracle|; None where no numbers were compared
    allowed: float | None
    ok: bool
    step: int | None = None  # first time step that is wrong, in the order of computation
    why: str = "number"  # or "non-finite", or without numbers "shape", "dtype", "missing", "unexpected", "raised", "changed"
    detail: str = ""
    batch: int | None = None  # first sequence that is wrong, at that step or in that row
    row: int | None = None  # of a state: first layer and direction that is wrong, in the order of computation

    @property
    def ratio(self) -> float:
        """Error over allowed; at most 1 is accepted.  Where no numbers were compared, 0 if it is right and infinite if not."""
        if self.error is None:
            return 0.0 if self.ok else float("inf")
        if self.allowed:
            return self.error / self.allowed
        return 0.0 if self.error == 0 else float("inf")


class Error(NamedTuple):
    """How far a tensor is from the oracle, or may be."""

    largest: float  # max|tensor - oracle|
    factor: float  # <tensor - oracle, oracle> / <oracle, oracle>, without its sign: 0.02 if all is 2 % too large


NO_ERROR = Error(0.0, 0.0)


def error_of(tensor: np.ndarray, oracle: np.ndarray, precision: str) -> Error:
    """In one tensor; the factor is looked at in narrow precisions only."""
    difference = tensor - oracle
    square = float(np.vdot(oracle, oracle)) if PRECISIONS[precision].narrow else 0.0
    return Error(float(largest(difference)), abs(float(np.vdot(difference, oracle))) / square if square else 0.0)


def largest_of(errors: Iterable[Error]) -> Error:
    """The noise of T2, and the bias of T7."""
    found = [*errors, NO_ERROR]
    return Error(max(e.largest for e in found), max(e.factor for e in found))  # T2, T7


def limits(noise: Error, oracle: np.ndarray, precision: str, libm: float = 0.0) -> Error:
    """The right-hand sides of T1 and T6, by the noise of the baselines."""
    kind = PRECISIONS[precision]
    rounding = float(BASELINE_FACTOR * noise.largest + kind.floor * kind.eps * largest(oracle))
    shared = kind.eps * max(0.5, kind.floor / np.sqrt(max(oracle.size, 1)))
    factor = BASELINE_FACTOR * noise.factor + shared if kind.narrow else np.inf  # T6
    return Error(max(rounding, LIBM_FACTOR * libm), factor)  # T1


def allowed(baselines: Sequence[np.ndarray], oracle: np.ndarray, precision: str, moved: Sequence[np.ndarray] = ()) -> Error:
    """What T1 and T6 allow in a precision of the candidate; ``moved`` are the baselines of T5."""
    noise, libm = (largest_of(error_of(b, oracle, precision) for b in by) for by in (baselines, moved))  # T5
    return limits(noise, oracle, precision, libm.largest)


def judge(
    tensor: str,
    candidate: ArrayLike,
    baselines: Sequence[np.ndarray],
    oracle: np.ndarray,
    precision: str,
    axis: int | None = None,
    backwards: bool = False,
    batch: int | None = None,
    moved: Callable[[], Sequence[np.ndarray]] = tuple,
) -> Verdict:
    """Apply T1, and T6 where the precision is narrow, to one tensor.

    ``axis`` is the time axis, if there is one, to name the first wrong step; ``backwards`` if it is computed last step first;
    ``batch`` the axis of sequences, if there is one.  ``moved`` makes the baselines of T5.  They never lower a limit, so they
    are made for a tensor only that is refused without.
    """
    verdict = within(allowed(baselines, oracle, precision), tensor, candidate, oracle, precision, axis, backwards, batch)
    if verdict.ok or not (others := moved()):
        return verdict
    return within(allowed(baselines, oracle, precision, others), tensor, candidate, oracle, precision, axis, backwards, batch)


def within(
    limit: Error,
    tensor: str,
    candidate: ArrayLike,
    oracle: np.ndarray,
    precision: str,
    axis: int | None = None,
    backwards: bool = False,
    batch: int | None = None,
) -> Verdict:
    """The verdict where the limits are known."""
    candidate = np.asarray(candidate)
    if candidate.shape != oracle.shape:
        return Verdict(tensor, None, None, False, None, "shape", f"{candidate.shape} for {oracle.shape}")
    with np.errstate(invalid="ignore"):  # inf - inf
        difference = np.abs(candidate - oracle)
    astray = ~np.isfinite(difference)
    if astray.any():
        step, sequence = first_wrong(astray, axis, backwards, batch)
        return Verdict(tensor, None, None, False, step, "non-finite", non_finite(candidate[astray], oracle.size), sequence)
    error = error_of(candidate, oracle, precision)
    if not error.largest <= limit.largest:
        step, sequence = first_wrong(~(difference <= limit.largest), axis, backwards, batch)
        return Verdict(tensor, error.largest, limit.largest, False, step, batch=sequence)
    if error.factor * limit.largest <= error.largest * limit.factor:
        return Verdict(tensor, error.largest, limit.largest, True)
    ok, top = bool(error.factor <= limit.factor), float(largest(oracle))
    detail = "" if ok else f"wrong by a factor of 1 ± {error.factor:.2g}, allowed {limit.factor:.2g}"
    return Verdict(tensor, error.factor * top, limit.factor * top, ok, detail=detail)  # nearer to the limit of T6


def non_finite(values: np.ndarray, size: int) -> str:
    """What stands where it is not a finite number for a finite one: "NaN in 3 of 60 elements"."""
    there = {"NaN": np.isnan(values).any(), "inf": np.isinf(values).any(), "finite for NaN or inf": np.isfinite(values).any()}
    return f"{' and '.join(name for name, found in there.items() if found)} in {len(values)} of {size} elements"


def judge_trajectory(
    quantity: str, candidate: np.ndarray, baselines: Sequence[np.ndarray], oracle: np.ndarray, dtype: str
) -> Verdict:
    """Apply T3 to one quantity of a training run, (steps, ...): at the first wrong step, or the one nearest to its limit."""
    if candidate.shape != oracle.shape:
        return Verdict(quantity, None, None, False, None, "shape", f"{candidate.shape} for {oracle.shape}")
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


def first_wrong(wrong: np.ndarray, axis: int | None, backwards: bool, batch: int | None) -> tuple[int | None, int | None]:
    """The first step along the time axis with a wrong element, and the first sequence with one in that step."""
    step = None
    if axis is not None:
        steps = np.flatnonzero(wrong.any(tuple(k for k in range(wrong.ndim) if k != axis)))
        step = int(steps[-1] if backwards else steps[0])
        wrong = wrong.take([step], axis)
    if batch is None:
        return step, None
    return step, int(np.flatnonzero(wrong.any(tuple(k for k in range(wrong.ndim) if k != batch)))[0])


def largest(x: np.ndarray) -> np.floating:
    """max|x|, 0 for an empty array, NaN if there is one"""
    return np.abs(x).max(initial=0)
