"""One configuration in one phase: every rival is built and judged, then all are timed in turns, then profiled."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import torch

from parity_tests.judge.implementations import Implementation

from ..what.config import Config
from ..what.layer import Candidate, DeclinedError
from ..what.precision import in_force
from . import check, machine, profiling, results
from .clock import Plan, interleave
from .energy.counters import Counter
from .energy.reading import joules
from .results import Row
from .roofline import Limits

BUSY = 0.2  # cores kept busy by others from which on times are doubtful


@dataclass(frozen=True)
class Setting:
    """What all measurements of a run share."""

    limits: Mapping[str, Limits]
    plan: Plan
    counters: Mapping[str, Counter | None] = field(default_factory=dict)  # of energy, by device
    judging_s: float | None = None  # at the real size; None: check.SECONDS
    note: Callable[[str], object] = lambda text: None  # told what is done next
    warn: Callable[[str], object] = lambda text: None  # told what makes times doubtful


def measure(config: Config, phase: str, implementations: Iterable[Implementation], setting: Setting) -> list[Row]:
    """The rows of one configuration in one phase, in the order of the implementations.

    Whatever goes wrong with one of them becomes its row: "declined", "wrong" (then it is not timed), "out of memory",
    "error".  The rows are complete together, as rivals take turns.
    """
    title = f"{config.name} {phase}"
    candidates: dict[str, Candidate] = {}
    known: dict[str, Row] = {}
    with in_force(config.dtype):
        for i in {i.name: i for i in implementations}.values():
            setting.note(f"{title}: judging {i.name}")
            try:
                candidates[i.name], known[i.name] = entered(i, config, phase, setting)
            except Exception as e:  # of an implementation, whatever it is: the row says it
                known[i.name] = refusal(e)
                _free(config)
        setting.note(f"{title}: timing")
        samples = timed(candidates, known, title, setting)
        for name in list(candidates):
            known[name]["joules"] = joules(candidates[name], setting.counters.get(config.device))
            setting.note(f"{title}: profiling {name}")
            with suppress(Exception):  # what cannot be seen is no reason to drop its time
                known[name] |= profiling.kernel_and_memory(candidates.pop(name), known[name]["peak_bytes"])
    _free(config)
    return [results.row(config, name, phase, samples.get(name, []), setting.limits, **k) for name, k in known.items()]


def entered(implementation: Implementation, config: Config, phase: str, setting: Setting) -> tuple[Candidate, Row]:
    """A candidate that has passed, and what is known of it by then; raises what keeps it out."""
    parity = check.small(implementation, config.small(), phase)
    candidate = config.candidate(implementation, phase)
    begin = time.perf_counter()
    peak_bytes = profiling.first_call(candidate)
    compile_s = time.perf_counter() - begin if candidate.compiles else None
    seconds = check.SECONDS if setting.judging_s is None else setting.judging_s
    T = config.affordable(seconds, setting.limits["cpu"]["gemm_gflops"]["float64"])
    if T:
        parity = max(parity, check.judge(candidate, T))
    return candidate, {"parity": parity, "compile_s": compile_s, "peak_bytes": peak_bytes}


def timed(candidates: dict[str, Candidate], known: dict[str, Row], title: str, setting: Setting) -> dict[str, list[float]]:
    """The samples of each, with a warning if others were busy meanwhile; one that fails is no candidate any more."""
    before = machine.reading()
    tracks = interleave(list(candidates.values()), setting.plan)
    others = machine.others(before, machine.reading())
    if others > BUSY:
        setting.warn(f"while {title} was timed, others kept {others:.1f} cores busy")
    for name, track in tracks.items():
        if track.failure:
            del candidates[name]
            known[name] |= refusal(track.failure) | {"peak_bytes": None}
        else:
            known[name]["rounds"] = track.turns
    return {name: track.samples for name, track in tracks.items()}


def refusal(e: Exception) -> Row:
    """The status and reason of a row for what kept an implementation out."""
    if isinstance(e, DeclinedError):
        return {"status": "declined", "reason": str(e)}
    if isinstance(e, check.WrongError):
        return {"status": "wrong", "reason": str(e), "parity": e.ratio}
    return results.failure(e)


def _free(config: Config) -> None:
    if config.device == "cuda":
        torch.cuda.empty_cache()
