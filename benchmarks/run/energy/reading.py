"""Joules of one call, from a counter that is read before and after many of them."""

import time
from collections.abc import Callable

from ...what.layer import Candidate
from .counters import Counter

SECONDS = 0.5  # counters move a thousand times a second, some a hundred times
LEAST = 2  # calls


def joules(candidate: Candidate, counter: Counter | None, clock: Callable[[], float] = time.perf_counter) -> float | None:
    """Of a candidate that has been timed, so that nothing of this is in its time.

    None: nothing counts, or what does has stopped or has not moved.
    """
    if counter is None:
        return None
    try:
        candidate.sync()
        before, start, calls = counter.read(), clock(), 0
        while calls < LEAST or clock() - start < SECONDS:
            candidate.call()
            candidate.sync()
            calls += 1
        spent = counter.joules(before, counter.read())
    except OSError:
        return None
    return spent / calls if spent > 0 else None
