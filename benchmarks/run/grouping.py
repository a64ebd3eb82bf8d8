"""One configuration in one phase: every rival is judged, then all are timed in turns, then looked into."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from parity_tests.judge.implementations import Implementation

from ..what import apps, models
from ..what.config import Config
from ..what.precision import in_force
from . import check, inside, machine, rows
from . import clock as measure
from .candidate import DeclinedError, Subject

BUSY = 0.2  # cores kept busy by others from which on times are doubtful


@dataclass(frozen=True)
class Setting:
    """What all groups of a run share."""

    limits: Mapping[str, Any]
    plan: measure.Plan
    clock: Callable[[], float] = time.perf_counter
    note: Callable[[str], object] = lambda text: None  # told what is done next
    warn: Callable[[str], object] = lambda text: None  # told what makes times doubtful


def group(config: Config, phase: str, implementations: Iterable[Implementation], setting: Setting) -> list[dict[str, Any]]:
    """The rows of one configuration in one phase, in the order of the implementations.

    Whatever goes wrong with one of them becomes its row: "declined", "wrong" (then it is not timed), "out of memory",
    "error".  The rows are complete together, as rivals take turns.
    """
    chosen = {i.name: i for i in implementations}
    made: dict[str, dict[str, Any]] = {}
    with in_force(config.dtype):
        entered: dict[str, tuple[Any, dict[str, Any]]] = {}
        for name, implementation in chosen.items():
            setting.note(f"judging {name}")
            try:
                entered[name] = enter(implementation, config, phase, setting)
            except Exception as e:  # of an implementation, whatever it is: the row says it
                made[name] = rows.row(config, name, phase, **refusal(e))
                _free(config)
        setting.note("timing")
        with machine.Others() as others:
            tracks = measure.interleave([subject for subject, _ in entered.values()], setting.plan, setting.clock)
        if others.cores > BUSY:
            setting.warn(f"while {config.name} {phase} was timed, others kept {others.cores:.1f} cores busy")
        for name, (_, known) in entered.items():
            failure = tracks[name].failure
            if failure:
                made[name] = rows.row(config, name, phase, **known, **rows.failure(failure))
                continue
            setting.note(f"looking into {name}")
            seen = look(chosen[name], config, phase)
            if getattr(config, "model", "") in apps.APPS:
                seen = seen._replace(peak_bytes=None)  # the optimiser makes its state in the first step, which is looked at
            made[name] = rows.timed(config, name, phase, tracks[name].samples, setting.limits, **known, **seen._asdict())
    _free(config)
    return [made[name] for name in chosen]


def enter(implementation: Implementation, config: Config, phase: str, setting: Setting) -> tuple[Any, dict[str, Any]]:
    """A subject that has passed, and what its row says so far; raises what keeps it out."""
    if isinstance(config, models.ModelConfig):
        parity = models.check(implementation, config)
        return subject_of(implementation, config, phase), {"parity": parity, "compile_s": None}
    parity = check.small(implementation, config, phase)
    subject = Subject(implementation, config, phase)
    begin = setting.clock()
    subject.call()
    subject.sync()
    compile_s = setting.clock() - begin if subject.compiles else None
    case = check.real_case(config, setting.limits["cpu"]["gemm_gflops"]["float64"])
    if case is not None:
        parity = max(parity, check.judge(subject, case))
    return subject, {"parity": parity, "compile_s": compile_s}


def subject_of(implementation: Implementation, config: Config, phase: str) -> Any:
    """A layer or a model, ready to be called."""
    if isinstance(config, models.ModelConfig):
        return models.ModelSubject(implementation, config, phase)
    return Subject(implementation, config, phase)


def refusal(e: Exception) -> dict[str, Any]:
    """The status and reason of a row for what kept an implementation out."""
    if isinstance(e, DeclinedError):
        return {"status": "declined", "reason": str(e)}
    if isinstance(e, check.WrongError):
        return {"status": "wrong", "reason": str(e), "parity": e.ratio}
    return rows.failure(e)


def look(implementation: Implementation, config: Config, phase: str) -> inside.Inside:
    """What a call does inside; nothing if that cannot be seen, which is no reason to drop its time."""
    try:
        return inside.look(lambda: subject_of(implementation, config, phase))
    except Exception:
        return inside.Inside(None, None)


def _free(config: Config) -> None:
    if config.device == "cuda":
        torch.cuda.empty_cache()
