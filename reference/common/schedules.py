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

from . import checks

Schedule = Callable[[int], float]


def constant(lr: float) -> Schedule:
    """The same at every step."""
    return lambda n: lr


def step(lr: float, step_size: int, gamma: float = 0.1) -> Schedule:
    """StepLR: times gamma after every ``step_size`` steps."""
    checks.positive("step_size", step_size)
    return lambda n: lr * gamma ** (n // step_size)                                   # V1


def cosine(lr: float, T_max: int, eta_min: float = 0.0) -> Schedule:
    """CosineAnnealingLR: down to eta_min in T_max steps.  Past T_max it rises again, as torch's does."""
    checks.positive("T_max", T_max)
    return lambda n: eta_min + (lr - eta_min) * (1 + math.cos(math.pi * n / T_max)) / 2  # V2


def warmup(lr: float, total_iters: int, start_factor: float = 1 / 3, end_factor: float = 1.0) -> Schedule:
    """LinearLR: from start_factor to end_factor of lr in ``total_iters`` steps, then constant."""
    checks.positive("total_iters", total_iters)
    if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
        raise ValueError(f"start_factor must be above 0 and at most 1, end_factor from 0 to 1, "
                         f"got {start_factor!r} and {end_factor!r}")
    return lambda n: lr * (start_factor + (end_factor - start_factor) * min(n, total_iters) / total_iters)  # V3


def sequential(schedules: Sequence[Schedule], milestones: Sequence[int]) -> Schedule:
    """SequentialLR: each from its milestone on, counting from 0 there; the first starts at step 0."""
    if len(milestones) != len(schedules) - 1 or list(milestones) != sorted(set(milestones)):
        raise ValueError(f"{len(schedules)} schedules need {len(schedules) - 1} increasing milestones, "
                         f"got {list(milestones)}")
    starts = [0, *milestones]

    def at(n: int) -> float:
        k = sum(n >= m for m in milestones)
        return schedules[k](n - starts[k])                                            # V4

    return at
