"""Which convention would make weights and outputs agree, or two sets of outputs: at most two things read otherwise.

Two arrays agree if  max|a - b| <= 16 · noise + 64 · eps · max|b|,  noise the rounding of the definition itself: in the
coarser dtype of weights and outputs against a wider one.  A convention that is wrong is wrong by far more, so the factors are
looser than those of the parity rule (notes/judge/tolerances.md), which has the same form.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ..cells.inputs import State
from ..common import checks
from ..common.arrays import Array
from .readings import C, Case, Outputs, Reading, readings
from .stacks import Stack, checked

NOISE, EPS = 16, 64
NEAR = 0.01  # from here on rounding can decide
PAIR = 1024  # eps between two outputs whose rounding nobody knows


class Diagnosis(NamedTuple):
    """What was found."""

    agree: bool  # with the readings; without any if there are none
    readings: tuple[str, ...]  # what must be read otherwise; the nearest that was found, if nothing agrees
    error: float  # max|difference| with these readings, in units of max|given|
    allowed: float
    others: tuple[tuple[str, ...], ...] = ()  # that agree as well


def diagnose(
    stack: Stack,
    x: Array,
    y: Array,
    state: Sequence[Array] | None = None,
    state_n: Sequence[Array] = (),
    tolerance: float | None = None,
) -> Diagnosis:
    """Which readings of weights, inputs and outputs make the definition give ``y``.

    Some hundred forwards: give a small x.  Zero biases or states hide what is wrong with them; random ones do not.

    Parameters
    ----------
    stack : Stack
        The weights as they are read now.
    x : (T, B, I) ndarray
    y : (T, B, D·H) ndarray
        What the other side computes; (B, T, D·H) if it has them so.
    state, state_n : sequences of (L·D, B, H) ndarrays; optional
        h_0 and, for LSTM, c_0; h_n and c_n of the other side.
    tolerance : float; optional
        Instead of the module's, as a share of max|y|.

    Raises
    ------
    ValueError
        The shapes are none that any reading has, a state is not whole, or a tolerance below 0.
    TypeError
        Something that is no Stack, no array of floating-point numbers.
    """
    checked("stack", stack)
    x, y = checks.numbers("x", x, "f"), checks.numbers("y", y, "f")
    state = None if state is None else [checks.numbers("state", v, "f") for v in checks.several("state", state)]
    state_n = [checks.numbers("state_n", v, "f") for v in checks.several("state_n", state_n)]
    if tolerance is not None:
        checks.at_least_zero("tolerance", tolerance)
    given: Outputs = (y, *state_n)
    if x.ndim != 3 or y.ndim != 3:
        raise ValueError(f"x and y must have three axes, got {x.shape} and {y.shape}")
    if x.shape[2] != stack.weights["weight_ih_l0"].shape[1]:
        raise ValueError(f"x has {x.shape[2]} features, the weights take {stack.weights['weight_ih_l0'].shape[1]}")
    if state is not None:
        check_states(stack, x, *state)
    check_states(stack, x, *state_n, whole=False)
    case = Case(stack, x, None if state is None else tuple(state))
    coarse = max((v.dtype for v in (y, x, *stack.weights.values())), key=lambda kind: np.finfo(kind).eps)

    def measured(chosen: Sequence[Reading[Case]]) -> tuple[float, float] | None:
        return measure(apply(case, chosen), given, coarse, tolerance)

    return search(readings(case), measured)


def check_states(stack: Stack, x: Array, *states: Array, whole: bool = True) -> None:
    """ValueError: more or fewer than the cell has, or of shapes that no reading of x has."""
    names, rows = ("h", "c") if stack.cell == "lstm" else ("h",), len(stack.params)
    if len(states) > len(names) or (whole and len(states) < len(names)):
        raise ValueError(f"a state of this {stack.cell} is {' and '.join(names)}, got {len(states)} of them")
    for name, v in zip(names, states, strict=False):
        if v.ndim != 3 or v.shape[0] != rows or v.shape[1] not in x.shape[:2]:
            raise ValueError(f"{name} of the state must be ({rows}, B, ·), a row for each layer and direction, got {v.shape}")


def apply(case: Case, chosen: Iterable[Reading[Case]]) -> Case:
    for reading in chosen:
        case = reading.change(case)
    return case


def predicted(case: Case, dtype: np.dtype) -> Outputs | None:
    """What the definition gives; None where it does not fit."""
    held = tuple(v.astype(dtype) for v in case.state or ())
    state: State | None = None if case.state is None else held[0] if len(held) == 1 else (held[0], held[1])
    try:
        y, state_n = case.stack.layer(dtype).infer(case.x.astype(dtype), state)
    except (RuntimeError, TypeError):  # a state that is of another size if x is read so
        return None
    out = (y, *(state_n if isinstance(state_n, tuple) else (state_n,)))
    for change in case.after:
        out = change(out)
    return out


def measure(case: Case, given: Outputs, coarse: np.dtype, tolerance: float | None) -> tuple[float, float] | None:
    """(error, allowed) of the worst output, in units of its max; None where the shapes do not fit"""
    near = predicted(case, coarse)
    if near is None or any(a.shape != b.shape for a, b in zip(near, given, strict=False)):
        return None
    bound = EPS * float(np.finfo(coarse).eps) if tolerance is None else tolerance
    errors = shares(near, given, given)
    if tolerance is not None or not max(errors) < NEAR:
        return max(errors), bound
    oracle = predicted(case, np.dtype(np.longdouble if coarse.itemsize > 4 else np.float64))
    assert oracle is not None
    noise = shares(near, oracle, given)
    pairs = [(e, bound + NOISE * n) for e, n in zip(shares(oracle, given, given), noise, strict=True)]
    return max(pairs, key=lambda pair: pair[0] / pair[1])


def shares(a: Outputs, b: Outputs, given: Outputs) -> list[float]:
    """max|a - b| of each output that is given, as a share of its max; infinite where there is a NaN"""
    found = [(largest(x - y), largest(v) or 1.0) for x, y, v in zip(a, b, given, strict=False)]
    return [error / size if error / size == error / size else np.inf for error, size in found]


def largest(v: Array) -> float:
    return float(np.abs(v).max(initial=0))


def search(every: Sequence[Reading[C]], measured: Callable[[Sequence[Reading[C]]], tuple[float, float] | None]) -> Diagnosis:
    """No reading, then one, then two, till some agree.  ValueError: the shapes fit none."""
    nearest: tuple[float, float, tuple[Reading[C], ...]] | None = None
    for chosen in (((),), ((r,) for r in every), pairs(every)):
        agreeing = []
        for some in chosen:
            result = measured(some)
            if result is None:
                continue
            if result[0] <= result[1]:
                agreeing.append((some, *result))
            if nearest is None or result[0] < nearest[0]:
                nearest = (*result, some)
        if agreeing:
            (first, error, allowed), *others = agreeing
            return Diagnosis(True, sentences(first), error, allowed, tuple(sentences(some) for some, *_ in others))
    if nearest is None:
        raise ValueError("the outputs have shapes that no reading of these inputs gives")
    error, allowed, some = nearest
    return Diagnosis(False, sentences(some), error, allowed)


def pairs(every: Sequence[Reading[C]]) -> Iterator[tuple[Reading[C], ...]]:
    return ((a, b) for a, b in combinations(every, 2) if a.about != b.about)


def sentences(some: Iterable[Reading]) -> tuple[str, ...]:
    return tuple(reading.sentence for reading in some)
