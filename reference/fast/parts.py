"""Work in parts, shared out among the processors.

- The batch: sequences do not see each other until the weight gradients are summed, so each part runs through time alone.
  NumPy lets other threads run while it computes.  On one processor too the parts are small, for the sake of tiles.py.
- OpenBLAS has threads of its own for a large product, which must not be in the way of these here: see ../blas.py.  So what
  is shared out asks for small products only, and what is large waits until the threads are done.
- Where OpenBLAS was not told to keep out of the way, or has no kernels for small products, the batch is one part.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from ..common.blas import quiet

ROWS, FEWEST = 32, 8  # sequences in a part, at most; and at least, where there is a part for each processor
LEAST = 4096          # numbers in a part's state from which on a thread gains more than it costs
WORK = 1 << 23        # multiplications for a gate, all steps together, from which on threads are worth starting
KERNELS = ("skylakex", "cooperlake", "sapphirerapids")  # of OpenBLAS, with some for small products


def small_kernels() -> bool:
    """Whether NumPy's BLAS has kernels for small products on this processor, as far as we know: OpenBLAS with AVX-512"""
    try:
        features = import_module("numpy._core._multiarray_umath").__cpu_features__  # NumPy has no public name for it
        config: Any = np.show_config(mode="dicts")
        blas = config["Build Dependencies"]["blas"]["name"]
    except (ImportError, AttributeError, KeyError, TypeError):
        return False
    chosen = os.environ.get("OPENBLAS_CORETYPE", "SkylakeX").lower()
    return "openblas" in blas and features.get("AVX512_SKX", False) and chosen in KERNELS


def processors() -> int:
    """How many this process may use"""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


PARTED = small_kernels() and (quiet() or processors() == 1)


@cache
def threads(n: int) -> ThreadPoolExecutor:
    """They are kept from call to call."""
    return ThreadPoolExecutor(n)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=threads.cache_clear)  # a child has none of its parent's threads


def cut(N: int, n: int, unit: int = 1) -> list[slice]:
    """0 to N in at most n parts of nearly one size, multiples of ``unit`` but for the last"""
    units = -(-N // unit)
    n = min(n, units)
    return [slice(units * i // n * unit, min(units * (i + 1) // n * unit, N)) for i in range(n)]


def sharers(T: int, B: int, H: int) -> int:
    """How many threads share out T steps of a batch of B sequences with H numbers each"""
    n = min(B * H // LEAST, B // FEWEST) if PARTED and T * B * H * H >= WORK else 1
    return min(n, processors()) if n > 1 else 1


def batch(T: int, B: int, H: int) -> list[slice]:
    """That batch in parts: one if one thread has all, unless there is but one processor and its calls are long"""
    n = sharers(T, B, H)
    if PARTED and (n > 1 or (B * H >= 2 * LEAST and processors() == 1)):
        n = max(n, -(-B // ROWS))
    return cut(B, n)


def share(call: Callable[[slice], object], parts: list[slice], n: int) -> None:
    """``call(part)`` for each part, in any order, on n threads"""
    if n == 1:
        for part in parts:
            call(part)
    else:
        contexts = [copy_context() for _ in parts]  # np.errstate is a matter of the context
        list(threads(n).map(lambda context, part: context.run(call, part), contexts, parts))
