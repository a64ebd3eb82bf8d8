"""One configuration in one phase: every rival is built and judged, then all are timed in turns, then profiled."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import torch

from parity_tests.judge.implementations import Implementation

from ..what.config import Candidate, Configuration
from ..what.layer import DeclinedError
from ..what.precision import in_force
from . import check, machine, profiling, results
from .clock import Plan, interleave

BUSY = 0.2  # cores kept busy by others from which on times are doubtful


@dataclass(frozen=True)
class Setting:
    """What all measurements of a run share."""

    limits: Mapping[str, Any]
    plan: Plan
    clock: Callable[[], float] = time.perf_counter
    note: Callable[[str], object] = lambda text: None  # told what is done next
    warn: Callable[[str], object] = lambda text: None  # told what makes times doubtful


@dataclass
class Rival:
    """One implementation's way through a measurement: what takes part, and what is known for its row."""

    implementation: Implementation
    candidate: Candidate | None = None  # None: kept out, for a reason that is known
    known: dict[str, Any] = field(default_factory=dict)
    samples: list[float] = field(default_factory=list)


def measure(config: Configuration, phase: str, implementations: Iterable[Implementation], setting: Setting) -> list[dict[str, Any]]:
    """The rows of one configuration in one phase, in the order of the implementations.

    Whatever goes wrong with one of them becomes its row: "declined", "wrong" (then it is not timed), "out of memory",
    "error".  The rows are complete together, as rivals take turns.
    """
    with in_force(config.dtype):
        rivals = [entered(i, config, phase, setting) for i in {i.name: i for i in implementations}.values()]
        setting.note("timing")
        time_in_turns(rivals, f"{config.name} {phase}", setting)
        for rival in rivals:
            if rival.candidate:
                setting.note(f"profiling {rival.implementation.name}")
                with suppress(Exception):  # what cannot be seen is no reason to drop its time
                    rival.known |= profiling.kernel_and_memory(rival.candidate, rival.known.get("peak_bytes"))
            rival.candidate = None
    _free(config)
    return [results.row(config, r.implementation.name, phase, r.samples, setting.limits, **r.known) for r in rivals]


def entered(implementation: Implementation, config: Configuration, phase: str, setting: Setting) -> Rival:
    """A rival that has passed, or one without a candidate."""
    setting.note(f"judging {implementation.name}")
    rival = Rival(implementation)
    try:
        parity = check.small(implementation, config, phase)
        candidate = config.candidate(implementation, phase)
        begin = setting.clock()
        peak_bytes = profiling.first_call(candidate)
        compile_s = setting.clock() - begin if candidate.compiles else None
        problem = config.affordable(check.SECONDS, setting.limits["cpu"]["gemm_gflops"]["float64"])
        if problem:
            parity = max(parity, check.judge(candidate, problem))
    except Exception as e:  # of an implementation, whatever it is: the row says it
        rival.known = refusal(e)
        _free(config)
    else:
        rival.candidate = candidate
        rival.known = {"parity": parity, "compile_s": compile_s, "peak_bytes": peak_bytes}
    return rival


def time_in_turns(rivals: Iterable[Rival], name: str, setting: Setting) -> None:
    """Fill in the samples; one that fails is out."""
    running = {r.implementation.name: r for r in rivals if r.candidate}
    with machine.Others() as others:
        tracks = interleave([r.candidate for r in running.values() if r.candidate], setting.plan, setting.clock)
    if others.cores > BUSY:
        setting.warn(f"while {name} was timed, others kept {others.cores:.1f} cores busy")
    for key, track in tracks.items():
        running[key].samples = track.samples
        if track.failure:
            running[key].candidate = None
            running[key].known |= refusal(track.failure) | {"peak_bytes": None}


def refusal(e: Exception) -> dict[str, Any]:
    """The status and reason of a row for what kept an implementation out."""
    if isinstance(e, DeclinedError):
        return {"status": "declined", "reason": str(e)}
    if isinstance(e, check.WrongError):
        return {"status": "wrong", "reason": str(e), "parity": e.ratio}
    return results.failure(e)


def _free(config: Configuration) -> None:
    if config.device == "cuda":
        torch.cuda.empty_cache()
