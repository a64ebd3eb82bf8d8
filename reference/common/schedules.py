"""Learning-rate schedules: plain functions of the step, shared by both backends.  Derivation: notes/common/schedules.md

    η_n = η · γ^⌊n / s⌋                                          step                 (V1)
    η_n = η_min + (η - η_min) (1 + cos(π n / N)) / 2             cosine               (V2)
    η_n = η · (f + (e - f) min(n, N) / N)                        linear warm-up       (V3)
    η_n = the k-th schedule at n - milestone_k                   one after another    (V4)

A schedule is ``n -> learning rate``, with n the number of optimiser steps taken so far.  It has no state, so nothing of
it is in a checkpoint.  The same numbers as torch.optim.lr_scheduler, whose classes compute them one from another.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from . import checks

Schedule = Callable[[int], float]


def constant(lr: float) -> Schedule:
    """The same at every step.  ValueError: lr is not 0 or more."""
    lr = checks.zero_or_more("lr", lr)
    return lambda n: lr


def step(lr: float, step_size: int, gamma: float = 0.1) -> Schedule:
    """StepLR: times gamma after every ``step_size`` steps.  ValueError: an argument that is no number, or out of range."""
    lr, gamma, size = checks.zero_or_more("lr", lr), checks.at_least_zero("gamma", gamma), checks.positive("step_size", step_size)
    return lambda n: lr * float(np.power(gamma, n // size))                           # V1


def cosine(lr: float, T_max: int, eta_min: float = 0.0) -> Schedule:
    """CosineAnnealingLR: down to eta_min in T_max steps.  Past T_max it rises again, as torch's does.  Raises as ``step``."""
    lr, low, steps = checks.zero_or_more("lr", lr), checks.at_least_zero("eta_min", eta_min), checks.positive("T_max", T_max)
    return lambda n: low + (lr - low) * (1 + math.cos(math.pi * n / steps)) / 2       # V2


def warmup(lr: float, total_iters: int, start_factor: float = 1 / 3, end_factor: float = 1.0) -> Schedule:
    """LinearLR: from start_factor to end_factor of lr in ``total_iters`` steps, then constant.  Raises as ``step``."""
    lr, steps = checks.zero_or_more("lr", lr), checks.positive("total_iters", total_iters)
    start, end = checks.fraction("start_factor", start_factor), checks.probability("end_factor", end_factor)
    return lambda n: lr * (start + (end - start) * min(n, steps) / steps)             # V3


def sequential(schedules: Sequence[Schedule], milestones: Sequence[int]) -> Schedule:
    """SequentialLR: each from its milestone on, counting from 0 there; the first starts at step 0.

    TypeError, ValueError: a schedule that cannot be called, milestones that are no rising whole numbers, or not one fewer.
    """
    for k, schedule in enumerate(checks.several("schedules", schedules)):
        checks.function(f"schedules[{k}]", schedule)
    steps = [checks.whole(f"milestones[{k}]", m) for k, m in enumerate(checks.several("milestones", milestones))]
    if len(steps) != len(schedules) - 1 or steps != sorted(set(steps)):
        raise ValueError(f"{len(schedules)} schedules need {len(schedules) - 1} increasing milestones, got {steps}")
    starts = [0, *steps]

    def at(n: int) -> float:
        k = sum(n >= m for m in steps)
        return schedules[k](n - starts[k])                                            # V4

    return at
