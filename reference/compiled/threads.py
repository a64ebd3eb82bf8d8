"""Who computes: the caller's thread and, where that pays, some more of our own.

As many as the caller allows in all: by the processors of this process, by NUMBA_NUM_THREADS, and by the thread counts of
the BLAS and OpenMP libraries that are loaded (OMP_NUM_THREADS, OPENBLAS_NUM_THREADS, or what a call of a library has set).
What is shared out are parts of a result that do not need each other, so that no digit depends on how many there are.
Threads of the caller's own may all be here at once.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise

from numba import config
from threadpoolctl import ThreadpoolController

PAYS = 3_000_000  # multiplications, from which on handing half of them to another thread costs less than it saves


class Threads:
    """The threads of this process, started when they are first needed."""

    def __init__(self) -> None:
        self.forget()
        self.libraries: list = []

    def forget(self) -> None:
        """As if none had been started: a process that was forked has none of its parent's threads."""
        self.pool: ThreadPoolExecutor | None = None

    def look(self) -> None:
        """Find the libraries that have a number of threads.  When a layer is made, since that takes a millisecond."""
        self.libraries = ThreadpoolController().lib_controllers

    def allowed(self) -> int:
        """How many threads may compute now."""
        processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(processors, config.NUMBA_NUM_THREADS, *(library.num_threads or processors for library in self.libraries))

    def submit(self, call: Callable, *given: object) -> Future | None:
        """Begin a call in another thread; None if there can be none, as when Python is about to end."""
        if self.pool is None:
            self.pool = ThreadPoolExecutor(max(1, (os.cpu_count() or 2) - 1), thread_name_prefix="reference.compiled")
        try:
            return self.pool.submit(call, *given)
        except RuntimeError:
            return None


THREADS = Threads()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=THREADS.forget)


def share(call: Callable, n: int, work: float, *given: object) -> None:
    """call(*given, 0, n), in parts by several threads if there are so many multiplications that it pays"""
    parts = min(THREADS.allowed(), n) if work > PAYS and n > 1 else 1
    if parts == 1:
        call(*given, 0, n)
        return
    cuts = [n * k // parts for k in range(parts + 1)]
    others = [(THREADS.submit(call, *given, start, stop), start, stop) for start, stop in pairwise(cuts[1:])]
    call(*given, 0, cuts[1])
    for other, start, stop in others:
        if other is None:
            call(*given, start, stop)
        else:
            other.result()
