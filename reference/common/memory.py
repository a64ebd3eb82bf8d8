"""Arrays whose memory is used again.

The first write to memory that is fresh from the system costs a page fault for every 4 kB.  So arrays come from a pool: a
buffer is free again as soon as nobody holds an array in it.  An allocator that keeps what it was given back does the
same: measured, the pool gives something at a few sizes and nothing at most ("memory is used again" in notes/benchmarks.md).
"""

import math
import sys
import threading

import numpy as np

from .arrays import Array

LIMIT = 32      # buffers kept
SMALL = 1 << 15  # bytes, below which the allocator has memory at hand
_buffers: list[Array] = []
_lock = threading.Lock()
for _buffer in [np.empty(0)]:
    UNUSED = sys.getrefcount(_buffer)  # what a loop over a list counts for an array that nobody else holds


def empty(shape: tuple[int, ...], dtype) -> Array:
    """As np.empty: an array that nobody else holds, its contents undefined.

    It may lie in memory that another array had before.  Whoever still holds any view of that one keeps it safe.
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if size < SMALL:
        return np.empty(shape, dtype)
    with _lock:
        buffer = _take(size)
        array = buffer[:size].view(dtype).reshape(shape)
    return array


def copied(x: Array) -> Array:
    """A contiguous copy of x."""
    y = empty(x.shape, x.dtype)
    y[...] = x
    return y


def _take(size: int) -> Array:
    """The smallest free buffer that is large enough, but not twice as large; a new one if there is none."""
    best = None
    for buffer in _buffers:
        if sys.getrefcount(buffer) == UNUSED and size <= buffer.nbytes <= 2 * size + 4096 and (
                best is None or buffer.nbytes < best.nbytes):
            best = buffer
    if best is not None:
        return best
    _buffers.append(np.empty(size, np.uint8))
    if len(_buffers) > LIMIT:
        del _buffers[0]
    return _buffers[-1]


def clear() -> None:
    """Give back every buffer that is not in use."""
    with _lock:
        _buffers.clear()
