"""No parity, no number: what must hold before an implementation is timed, by the rule of parity_tests/judge/tolerance.py.

Each implementation is judged twice for each configuration and phase, in phase "forward" as an inference.

1. On a small configuration with the same options (kind of cell, layers, directions, projection, dtype, device, lengths), by
   the parity suite itself where that has such a case: against the definition in longdouble.
2. At the real size, the very candidate that is timed, against the definition in float64.  Where that would take longer than
   SECONDS, by the machine's measured rate of products, the sequences are shortened until it does not; every other size
   stays real.  Where not even two steps fit, there is the small one only.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from parity_tests.judge.implementations import Implementation
from parity_tests.judge.oracle import Tensors
from parity_tests.judge.suite import run_case, worst_of
from parity_tests.judge.tolerance import BASELINE_FACTOR, FLOOR_EPS, Verdict, largest

from ..what.config import Candidate, Configuration, Problem
from ..what.layer import DeclinedError, ForwardOnly
from ..what.precision import PRECISIONS

SECONDS = 10.0


class WrongError(Exception):
    """An implementation that did not pass; ``ratio`` is its worst error over allowed."""

    def __init__(self, reason: str, ratio: float):
        super().__init__(reason)
        self.ratio = ratio


class Truth(NamedTuple):
    """What is right on some inputs, and the largest error that must be allowed, tensor by tensor."""

    inputs: Any
    oracle: Tensors
    allowed: dict[str, float]


def small(implementation: Implementation, config: Configuration, phase: str) -> float:
    """Judge at the small size; the worst error over allowed.

    Raises
    ------
    WrongError
        It did not pass.
    RuntimeError
        It raised something.
    DeclinedError
        It declines this after all.
    """
    return _small(implementation, config.small(), phase)


@lru_cache(maxsize=1024)
def _small(implementation: Implementation, config: Configuration, phase: str) -> float:
    case = config.suite_case()
    if case is None:
        return judge(config.candidate(implementation, phase), config.problem(np.longdouble))
    judged = implementation
    if phase == "forward":
        judged = replace(implementation, load=lambda spec, weights: ForwardOnly(implementation.load(spec, weights)))
    result = run_case(judged, case)
    if result.declined:
        raise DeclinedError(result.declined)
    if result.worst and result.worst.why == "raised":
        raise RuntimeError(result.worst.detail)
    return passed(result.worst, "small case")


def judge(candidate: Candidate, problem: Problem) -> float:
    """Judge a candidate on a problem; the worst error over allowed.

    Raises
    ------
    WrongError
        It did not pass.
    """
    truth = truth_of(problem)
    tensors = candidate.tensors(problem, truth.inputs)
    verdicts = [
        verdict(name, tensors.get(name), exact, truth.allowed[name])
        for name, exact in truth.oracle.items()
        if candidate.phase == "train" or not name.startswith("d")
    ]
    return passed(worst_of(verdicts), problem.label)


def verdict(name: str, tensor: np.ndarray | None, exact: np.ndarray, allowed: float) -> Verdict:
    if tensor is None or tensor.shape != exact.shape:
        return Verdict(name, np.inf, allowed, False, detail="missing, or of another shape")
    error = float(largest(tensor - exact))
    return Verdict(name, error, allowed, error <= allowed)


def passed(worst: Verdict | None, where: str) -> float:
    """The worst error over allowed; WrongError if that is too much, or if nothing was compared."""
    if worst is None:
        raise WrongError(f"{where}, nothing was compared", np.inf)
    if not worst.ok:
        detail = worst.detail or f"error {worst.error:.1e}, allowed {worst.allowed:.1e}"
        raise WrongError(f"{where}, {worst.tensor}: {detail}", worst.ratio)
    return worst.ratio


@lru_cache(maxsize=2)
def truth_of(problem: Problem) -> Truth:
    """The oracle of a problem, and what is allowed by the noise of its baselines."""
    inputs = problem.inputs()
    oracle = problem.oracle(inputs)
    noise = dict.fromkeys(oracle, 0.0)
    for tensors in problem.baselines(inputs):
        for name, tensor in tensors.items():
            noise[name] = max(noise[name], float(largest(tensor - oracle[name])))
    eps = PRECISIONS[problem.dtype].eps
    return Truth(
        inputs,
        oracle,
        {name: BASELINE_FACTOR * noise[name] + FLOOR_EPS * eps * float(largest(exact)) for name, exact in oracle.items()},
    )
