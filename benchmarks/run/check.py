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

import numpy as np

from parity_tests.judge.implementations import Implementation
from parity_tests.judge.oracle import Tensors
from parity_tests.judge.suite import run_case, worst_of
from parity_tests.judge.tolerance import NO_ERROR, Error, Verdict, error_of, largest_of, limits, within

from ..what.config import BASELINES, Config
from ..what.layer import Candidate, DeclinedError, ForwardOnly, Inputs
from ..what.precision import jittered

SECONDS = 10.0


class WrongError(Exception):
    """An implementation that did not pass; ``ratio`` is its worst error over allowed."""

    def __init__(self, reason: str, ratio: float):
        super().__init__(reason)
        self.ratio = ratio


@lru_cache(maxsize=1024)
def small(implementation: Implementation, config: Config, phase: str) -> float:
    """Judge on a configuration that is small; the worst error over allowed.

    WrongError: it did not pass.  RuntimeError: it raised something.  DeclinedError: it declines this after all.
    """
    case = config.suite_case()
    if case is None:
        return judge(config.candidate(implementation, phase), config.T, np.longdouble)
    inference = replace(implementation, load=lambda spec, weights: ForwardOnly(implementation.load(spec, weights)))
    result = run_case(inference if phase == "forward" else implementation, case)
    if result.declined:
        raise DeclinedError(result.declined)
    if result.worst and result.worst.why == "raised":
        raise RuntimeError(result.worst.detail)
    return passed(result.worst, "small case")


def judge(candidate: Candidate, T: int, exact: type = np.float64) -> float:
    """Judge a candidate on T steps by the definition in a dtype; the worst error over allowed.  WrongError: it did not pass."""
    inputs, oracle, limit = truth_of(candidate.config, T, exact)
    tensors = candidate.tensors(T, inputs)
    verdicts = [
        verdict(name, tensors.get(name), right, limit[name], candidate.config.dtype)
        for name, right in oracle.items()
        if candidate.phase == "train" or not name.startswith("d")
    ]
    return passed(worst_of(verdicts), candidate.config.part(T))


def verdict(name: str, tensor: np.ndarray | None, right: np.ndarray, limit: Error, precision: str) -> Verdict:
    if tensor is None or tensor.shape != right.shape:
        return Verdict(name, None, None, False, why="missing", detail="missing, or of another shape")
    return within(limit, name, tensor, right, precision)


def passed(worst: Verdict | None, where: str) -> float:
    """The worst error over allowed; WrongError if that is too much, or if nothing was compared."""
    if worst is None:
        raise WrongError(f"{where}, nothing was compared", np.inf)
    if not worst.ok:
        detail = worst.detail or f"error {worst.error:.1e}, allowed {worst.allowed:.1e}"
        raise WrongError(f"{where}, {worst.tensor}: {detail}", worst.ratio)
    return worst.ratio


@lru_cache(maxsize=2)
def truth_of(config: Config, T: int, exact: type = np.float64) -> tuple[Inputs, Tensors, dict[str, Error]]:
    """Inputs, what is right on them, and the error that must be allowed, tensor by tensor."""
    inputs, rng = config.inputs(T), np.random.default_rng(0)
    oracle = config.oracle(inputs, T, exact)
    noise = dict.fromkeys(oracle, NO_ERROR)
    for moved in (inputs, *(jittered(inputs, config.dtype, rng) for _ in range(BASELINES - 1))):
        for name, tensor in config.baseline(moved, T).items():
            noise[name] = largest_of([noise[name], error_of(tensor, oracle[name], config.dtype)])
    return inputs, oracle, {k: limits(noise[k], right, config.dtype) for k, right in oracle.items()}
