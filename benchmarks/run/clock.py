"""The clock: rivals in turns, so that drift hits all alike, until their medians are stable."""

import gc
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..what.layer import Candidate

UNITS = {"s": 1.0, "ms": 1e3, "µs": 1e6, "ns": 1e9}  # how many are a second


@dataclass(frozen=True)
class Plan:
    """How long to measure."""

    seconds: float = 0.5  # per rival, after which no further round is begun
    rounds: int = 5  # at least
    fewest: int = 3  # or so many, if a round takes longer than all of the time there is
    most: int = 12  # rounds
    stable: float = 0.01  # or until every median is known to this: 1.57 · IQR / √n, as the notch of a box plot
    turn: int = 8  # samples in a turn, at most
    turn_s: float = 0.05  # or fewer, once they have taken so many seconds
    steady: float = 1.25  # a turn's clock starts once an untimed call takes at most so many times the fastest yet
    warm_s: float = 0.12  # or after so many seconds
    seed: int = 0  # of the order within each round


@dataclass
class Track:
    """What is known of one rival."""

    rival: Candidate
    samples: list[float] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)  # how many of the samples each round gave
    fastest: float = math.inf
    failure: Exception | None = None


def interleave(rivals: Sequence[Candidate], plan: Plan, clock: Callable[[], float] = time.perf_counter) -> dict[str, Track]:
    """Time rivals in rounds, each in its turn, in a new order in each round.

    A turn begins with untimed calls of the same rival.  Without them it would pay for the one before: libraries leave
    threads spinning for some milliseconds, the caches hold the other's data, and for up to a tenth of a second the
    system keeps the threads of the newcomer on the cores where the last one's are (measured on two cores: a loop of
    small torch operators right after NumPy took 50 to 100 ms, alone 8 ms).  So they go on until a call is about as
    fast as the fastest yet.

    A rival that raises is out, with its exception and without samples.
    """
    tracks = {rival.name: Track(rival) for rival in rivals}
    order, rng, begin, first = list(tracks.values()), random.Random(plan.seed), clock(), 0.0
    with no_collection():
        for track in order:
            _turn(track, plan, clock, timed=False)
        for n in range(1, plan.most + 1):
            rng.shuffle(order)
            for track in order:
                if not track.failure:
                    _turn(track, plan, clock)
            spent = clock() - begin
            first = first or spent
            enough = plan.seconds * len(order)
            least = min(plan.fewest, plan.rounds) if first > enough else plan.rounds
            running = [track for track in order if not track.failure]
            if n >= least and (spent >= enough or all(notch(t.samples) <= plan.stable for t in running)):
                break
    return tracks


def _turn(track: Track, plan: Plan, clock: Callable[[], float], timed: bool = True) -> None:
    """Untimed calls until one is steady, or for ``warm_s`` where none is known to compare with; then timed ones."""
    try:
        begin = clock()
        while True:
            last = _one(track, clock)
            if (timed and last <= plan.steady * track.fastest) or clock() - begin >= plan.warm_s:
                break
        begin = clock()
        known = len(track.samples)
        for _ in range(plan.turn if timed else 0):
            track.samples.append(_one(track, clock))
            if clock() - begin >= plan.turn_s:
                break
        track.turns += [len(track.samples) - known] * timed
    except Exception as e:  # whatever a stranger raises: its own row says so, and the others go on
        track.samples, track.turns, track.failure = [], [], e


def _one(track: Track, clock: Callable[[], float]) -> float:
    """One call, from an idle device to an idle device; what it returned is freed after the clock has stopped."""
    track.rival.sync()
    start = clock()
    out = track.rival.call()
    track.rival.sync()
    seconds = clock() - start
    del out
    track.fastest = min(track.fastest, seconds)
    return seconds


@contextmanager
def no_collection() -> Iterator[None]:
    """Python's garbage collector, which stops everything at a moment of its own choice, is off inside."""
    was = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def notch(samples: Sequence[float]) -> float:
    """How well the median is known, as a fraction of it."""
    q1, median, q3 = np.percentile(samples, (25, 50, 75))
    return float(1.57 * (q3 - q1) / len(samples) ** 0.5 / median) if median else 0.0


def summary(samples: Sequence[float]) -> dict[str, Any]:
    """The "seconds" of a row: samples, median, quartiles, and how many lie beyond Tukey's fences (1.5 IQR outside the
    quartiles).  Outliers are counted, never left out."""
    q1, median, q3 = (float(q) for q in np.percentile(samples, (25, 50, 75)))
    reach = 1.5 * (q3 - q1)
    return {
        "samples": [float(f"{s:.5g}") for s in samples],
        "median": median,
        "q1": q1,
        "q3": q3,
        "outliers": sum(not q1 - reach <= s <= q3 + reach for s in samples),
    }


def duration(seconds: float) -> str:
    """Three digits and a unit: '1.23 ms'."""
    unit = next((unit for unit, factor in UNITS.items() if seconds * factor >= 0.9995), "ns")
    return f"{three(seconds * UNITS[unit])} {unit}"


def three(x: float) -> str:
    """Three significant digits, without an exponent."""
    if not 0 < x < math.inf:
        return f"{x:g}"
    return f"{x:.{max(0, 2 - math.floor(math.log10(float(f'{x:.3g}'))))}f}"
