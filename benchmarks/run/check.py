"""No parity, no number: what must hold before an implementation is timed, by the rule of parity_tests/judge/tolerance.py.

Each implementation is judged twice for each configuration and phase, in phase "forward" as an inference.

1. On a small case of the same options (kind of cell, layers, directions, projection, dtype, device, lengths), by the
   parity suite itself: against the definition in longdouble.
2. At the real size, the very layer that is timed, against the definition in float64.  That takes one run of the definition
   in float64 and three in the candidate's own precision as baselines.  Where they would take longer than SECONDS, by the
   machine's measured rate of products, the sequences are shortened until they do not; every other size stays real.
   Where not even two steps fit, there is the small case only.

Where an argument of relu is so near 0 that rounding decides on which side it is, the gradient jumps, and two right layers
differ by all that one unit passes on.  Among the millions of a large layer there are such: no gradient is sent through
them (``before_kinks``, which takes a forward more in both precisions).

In TF32, bfloat16 and float16 the baseline is torch's own hoisted loop in that precision, as NumPy has none of them.
"""

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from parity_tests.judge.cases import Case, Data
from parity_tests.judge.implementations import BUILTIN, Implementation
from parity_tests.judge.oracle import Tensors, compute, define, transform
from parity_tests.judge.suite import run_case, worst_of
from parity_tests.judge.tolerance import BASELINE_FACTOR, FLOOR_EPS, Verdict, largest

from ..what.config import Config
from ..what.precision import LOW, PRECISIONS, in_force, jittered, rounded
from .candidate import DeclinedError, ForwardOnly, Subject, data_of

SECONDS = 10.0
JITTERED = 2


class WrongError(Exception):
    """An implementation that did not pass; ``ratio`` is its worst error over allowed."""

    def __init__(self, reason: str, ratio: float):
        super().__init__(reason)
        self.ratio = ratio


class Truth(NamedTuple):
    """What is right at a size, and the largest error that must be allowed, tensor by tensor."""

    data: Data
    oracle: Tensors
    allowed: dict[str, float]


def small(implementation: Implementation, config: Config, phase: str) -> float:
    """Judge on the small case; the worst error over allowed.

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
def _small(implementation: Implementation, config: Config, phase: str) -> float:
    if config.dtype in LOW:
        return judge(Subject(implementation, config, phase), config.case())
    candidate = implementation
    if phase == "forward":
        candidate = replace(implementation, load=lambda spec, weights: ForwardOnly(implementation.load(spec, weights)))
    case = replace(config.case(), gain=0.6)
    result = run_case(candidate, case)
    if result.declined:
        raise DeclinedError(result.declined)
    worst = result.worst
    if worst and worst.why == "raised":
        raise RuntimeError(worst.detail)
    if worst is None or not result.ok:
        raise WrongError(f"small case, {sentence(worst)}", worst.ratio if worst else np.inf)
    return worst.ratio


def judge(subject: Subject, case: Case) -> float:
    """Judge a layer at a size, against the definition in float64; the worst error over allowed.

    Raises
    ------
    WrongError
        It did not pass.
    """
    config = subject.config
    truth = truth_of(case, config)
    candidate = subject.tensors(case, truth.data)
    verdicts = []
    for name, exact in truth.oracle.items():
        if subject.phase == "forward" and name.startswith("d"):
            continue
        fits = name in candidate and candidate[name].shape == exact.shape
        error = float(largest(candidate[name] - exact)) if fits else np.inf
        verdicts.append(Verdict(name, error, truth.allowed[name], error <= truth.allowed[name],
                                detail="" if fits else "missing, or of another shape"))
    worst = worst_of(verdicts)
    if worst is None or not worst.ok:
        raise WrongError(f"T = {case.T}, {sentence(worst)}", worst.ratio if worst else np.inf)
    return worst.ratio


def sentence(worst: Verdict | None) -> str:
    """What is wrong with a tensor."""
    if worst is None:
        return "nothing was compared"
    return f"{worst.tensor}: " + (worst.detail or f"error {worst.error:.1e}, allowed {worst.allowed:.1e}")


@lru_cache(maxsize=2)
def truth_of(case: Case, config: Config) -> Truth:
    """The oracle and what is allowed at a size; the data is rounded to the precision first.

    The weights are those of the configuration, which a layer has been loaded with: a shortened case has others of its own.
    """
    rng, dtype = np.random.default_rng(0), config.dtype
    data = rounded(case.data(), dtype)._replace(weights=data_of(config).weights)
    if case.spec.nonlinearity == "relu" and dtype not in LOW:
        data = before_kinks(case, data)
    oracle = define(case, transform(data, lambda v: v.astype(np.float64)))
    noise = dict.fromkeys(oracle, 0.0)
    for d in (data, *(jittered(data, dtype, rng) for _ in range(JITTERED))):
        for name, tensor in baseline(case, d, dtype, config.device).items():
            noise[name] = max(noise[name], float(largest(tensor - oracle[name])))
    allowed = {name: BASELINE_FACTOR * noise[name] + FLOOR_EPS * PRECISIONS[dtype].eps * float(largest(exact))
               for name, exact in oracle.items()}
    return Truth(data, oracle, allowed)


def before_kinks(case: Case, data: Data) -> Data:
    """The data of one layer of relu, one direction, with no gradient given to a sequence's outputs from the first step on at
    which rounding decides on which side of 0 an argument is.

    That is where the argument, in float64, is no farther from 0 than an output may be from the right one.
    """
    exact = transform(data, lambda v: v.astype(np.float64))
    y, rough = (compute(ForwardOnly(BUILTIN["numpy"].load(case.spec, d.weights)), case, d)["y"] for d in (exact, data))
    margin = BASELINE_FACTOR * largest(rough - y) + FLOOR_EPS * np.finfo(data.x.dtype).eps * largest(y)
    (h_0,), w = exact.state or (np.zeros_like(y[:1]),), exact.weights
    bias = w["bias_ih_l0"] + w["bias_hh_l0"]
    a = exact.x @ w["weight_ih_l0"].T + np.concatenate([h_0, y[:-1]]) @ w["weight_hh_l0"].T + bias
    clear = ~np.logical_or.accumulate((abs(a) <= margin).any(-1))         # (T, B)
    return data._replace(dy=data.dy * clear[..., None], dstate=(data.dstate[0] * clear[-1][:, None],))


def baseline(case: Case, data: Data, dtype: str, device: str) -> Tensors:
    """The definition in the candidate's precision; where NumPy has none, torch's hoisted loop."""
    if dtype not in LOW:
        return define(case, data)
    spec = replace(case.spec, dtype=PRECISIONS[dtype].dtype, device=device)
    with in_force(dtype), torch.enable_grad():
        return compute(BUILTIN["torch.hoisted"].load(spec, data.weights), case, data)


def real_case(config: Config, gflops: float) -> Case | None:
    """The largest size that can be judged in SECONDS: the real one, or with fewer steps; None if not even two fit.

    gflops: the machine's rate of float64 products.  The definition is taken to reach half of it, to be as fast again in
    float32, and to need 0.1 ms for the small work of a step.
    """
    steps = config.T * config.num_layers * (1 + config.bidirectional)
    once = config.flops("train") / (0.5e9 * gflops) + steps * 1e-4
    fitting = int(config.T * SECONDS / (once * (1 + 0.5 * (1 + JITTERED))))
    return None if fitting < min(2, config.T) else config.case(min(config.T, fitting))
