"""What the three rooms of ``fast`` share: weights turned round once, input products for many steps at a time, views.

- h W is quicker than h Wᵀ for the few rows of a step, so each W is turned round once for all steps (``transposed``).
- The input products of many steps are one product (``input_products``): of a chunk of steps, not of all, to save memory.
- An axis of one sequence is left out (``batch_axis``): NumPy calls a product of a vector and a matrix with less overhead.
"""

from collections.abc import Iterator

import numpy as np

from ..common.arrays import Array, rows

ROWS = 1024      # of an input product, at most
STRIP = 1 << 14  # numbers that are turned round together, so that the lines of the cache that they lie in stay there

# Memory that is fresh from the system costs a page fault for every 4 kB, which can be a fifth of a training step.  glibc
# gives free memory back to the system when there is more than twice the size of the largest block that it once mapped, of
# at most 32 MB.  So here it sees such a block, which is never written to and takes no memory.  Elsewhere this does nothing.
np.empty((1 << 25) - (1 << 16), np.uint8)


def chunks(N: int, size: int) -> list[slice]:
    """0 to N in slices of ``size``, at least 1, the last one shorter"""
    size = max(1, size)
    return [slice(start, min(start + size, N)) for start in range(0, N, size)]


def batch_axis(B: int) -> tuple[int, ...]:
    """The shape between T and H: (B,), or () for one sequence"""
    return () if B == 1 else (B,)


def by_gate(a: Array, n: int, axis: int = 0) -> Array:
    """A view of one step's array (B, n·H) as (n, B, H), a block for each gate; with axis 1 of all steps', as (T, n, B, H)"""
    return a.reshape(*a.shape[:-1], n, a.shape[-1] // n).swapaxes(axis, -2)


def transposed(W: Array, given: str = " ", order: str = " ", negated: str = "") -> Array:
    """W (G·H, K), a block of rows for each gate of ``given``  ->  Wᵀ (K, G·H), contiguous: the blocks in another order, those
    of the gates in ``negated`` negated"""
    blocks = W.reshape(len(given), len(W) // len(given), W.shape[1])
    out = np.empty((W.shape[1], len(order), blocks.shape[1]), W.dtype)
    for k, gate in enumerate(order):
        block, sign = blocks[given.index(gate)], -1 if gate in negated else 1
        for strip in chunks(len(block), max(16, STRIP // W.shape[1])):
            np.multiply(block[strip].T, sign, out[:, k, strip])
    return out.reshape(W.shape[1], len(order) * blocks.shape[1])


def input_products(x: Array, W: Array, b: Array) -> Iterator[Array]:
    """x (T, B, I), W (I, N), b (N,)  ->  x W + b of one step after the other, (B, N), or (N,) where B is 1"""
    T, B, _ = x.shape
    at_once = chunks(T, ROWS // max(B, 1))
    product = np.empty((at_once[0].stop if at_once else 0, *batch_axis(B), W.shape[1]), x.dtype)
    for chunk in at_once:
        a = product[: chunk.stop - chunk.start]
        np.matmul(rows(x[chunk]), W, rows(a))
        np.add(a, b, a)
        yield from a
