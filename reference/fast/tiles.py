"""Products in tiles, each small enough for the BLAS's small kernel.

For a large product a BLAS first copies both matrices into the order in which its kernel reads them.  That pays where many
rows share the copy; a step of a recurrent network has as few rows as there are sequences, and the weights are copied anew
at each.  OpenBLAS reads small products (M·N·K of at most 10⁶) where they lie, on one thread, if it has kernels for them
(parts.py says where).  So the weights are laid out once as tiles, WIDTH columns and at most DEPTH rows each, and one call of
matmul runs through them.  The other matrix has at most ROWS rows at a time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..common.arrays import Array, rows
from ..common.memory import empty
from . import parts
from .parts import ROWS, cut
from .weights import moves, transposed

SMALL = 10**6  # M·N·K up to which there are small kernels
WIDTH = 32
DEPTH = SMALL // (ROWS * WIDTH)
LINES = 64  # rows turned round together, so that the lines of the cache that they lie in stay there


def padded(N: int) -> int:
    """The next multiple of WIDTH"""
    return -(-N // WIDTH) * WIDTH


class Tiles(NamedTuple):
    """A matrix (K, N), N a multiple of WIDTH, as the right factor of products."""

    parts: list[tuple[slice, Array]]  # some of its rows, (N / WIDTH, rows, WIDTH)

    @property
    def width(self):
        return self.parts[0][1].shape[0] * WIDTH

    def into(self, out: Array):
        """out (b, N)  ->  (call, M, at): call(a, M, at) writes a @ matrix into out, a (b, K)"""
        (first, M), *others = self.parts
        at = by_tile(out)
        if not others:
            return np.matmul, M, at
        more = empty(out.shape, out.dtype)
        at_more = by_tile(more)

        def call(a, M, at):
            np.matmul(a[:, first], M, at)
            for k, M_k in others:
                np.matmul(a[:, k], M_k, at_more)
                np.add(out, more, out)

        return call, M, at

    def every(self, x: Array, out: Array) -> None:
        """x (n, b, K) @ matrix into out (n, b, N)"""
        more = empty(out.shape if len(self.parts) > 1 else (0,), out.dtype)
        for i, (k, M) in enumerate(self.parts):
            np.matmul(x[:, None, :, k], M, by_tile(more if i else out))
            if i:
                np.add(out, more, out)


class Whole(NamedTuple):
    """A matrix (K, N) as the right factor of products, where tiles give nothing."""

    M: Array

    @property
    def width(self):
        return self.M.shape[1]

    def into(self, out: Array):
        """out (N,) or (b, N)  ->  as of Tiles, a (K,) or (b, K)"""
        return np.matmul if out.ndim > 1 else np.ndarray.dot, self.M, out

    def every(self, x: Array, out: Array) -> None:
        """x (n, b, K) @ matrix into out (n, b, N) or (n, N)"""
        if x.flags.c_contiguous:
            np.matmul(rows(x), self.M, rows(out))
        else:
            np.matmul(x, self.M, out)


def whole(batch: list[slice], W: Array) -> bool:
    """Whether tiles of W give nothing for products with the parts of a batch: they are small as they are, or have one row; or
    there is one part, and other processors can help with a large product"""
    b = batch[-1].stop - batch[-1].start
    return b == 1 or b * W.size <= SMALL or not parts.PARTED or (len(batch) == 1 and parts.processors() > 1)


def factor(W: Array, whole: bool = False) -> Tiles | Whole:
    """W (K, N) as the right factor of products; zeros where N is not a multiple of WIDTH"""
    return Whole(W) if whole else tiles((W,), (1.0,))


def factor_transposed(W: Array, whole: bool, fold: tuple[str, str, str] = (" ", " ", ""), unit: int = 1) -> Tiles | Whole:
    """Wᵀ likewise, W (G·H, K) in blocks of rows: in another order, some negated (``fold``, as in weights.py), each with
    zeros to fill it up to a multiple of ``unit``; of WIDTH for tiles"""
    if whole:
        return Whole(transposed(W, *fold, unit=unit))
    blocks, chosen = W.reshape(len(fold[0]), -1, W.shape[1]).swapaxes(1, 2), moves(*fold)
    return tiles([blocks[at] for at, _, _ in chosen], [times for _, _, times in chosen])


def tiles(matrices: Sequence[Array], factors: Sequence[float]) -> Tiles:
    """Matrices (K, N), each multiplied by a number, side by side"""
    (K, N), n = matrices[0].shape, len(matrices)
    memory, made = empty((K * n * padded(N),), matrices[0].dtype), []
    for k in depths(K):
        out = memory[k.start * n * padded(N) : k.stop * n * padded(N)].reshape(n, -1, k.stop - k.start, WIDTH)
        for W, times, to in zip(matrices, factors, out, strict=True):
            fill(to, W[k], times)
        made.append((k, out.reshape(-1, *out.shape[2:])))
    return Tiles(made)


def fill(to: Array, W: Array, times: float) -> None:
    """W (K, N) times a number, into tiles (N / WIDTH, K, WIDTH)"""
    K, N = W.shape
    if N % WIDTH:
        to[-1] = 0
    for k in cut(K, -(-K // LINES)):
        for n, width in spans(0, N, WIDTH):
            part = W[k, n].reshape(k.stop - k.start, -1, width).transpose(1, 2, 0)
            np.multiply(part, times, to[n.start // WIDTH :, k, :width].swapaxes(1, 2)[: len(part)])


def left(W: Array, out: Array):
    """W (G, K), out (G, b)  ->  a call that writes W x into out, x (K, b)"""
    (G, K), b = W.shape, out.shape[1]
    if b * G * K <= SMALL or not parts.PARTED:
        return lambda x: np.matmul(W, x, out)
    sums = [out, *empty((len(depths(K)) - 1, G, b), out.dtype)]
    tiled = [(k, W[m, k].reshape(-1, high, k.stop - k.start), to[m].reshape(-1, high, b))
             for to, k in zip(sums, depths(K), strict=True) for m, high in spans(0, G, WIDTH)]

    def call(x):
        for k, M, at in tiled:
            np.matmul(M, x[k], at)
        for more in sums[1:]:
            np.add(out, more, out)

    return call


def left_every(W: Array, x: Array, out: Array) -> None:
    """W (G, K) times x (n, K, b) into out (n, G, b)"""
    (G, K), b = W.shape, x.shape[2]
    sums = [out, *empty((len(depths(K)) - 1, *out.shape), out.dtype)]
    for to, k in zip(sums, depths(K), strict=True):
        for m, high in spans(0, G, WIDTH):
            np.matmul(W[m, k].reshape(-1, high, k.stop - k.start), x[:, None, k], to[:, m].reshape(len(x), -1, high, b))
    for more in sums[1:]:
        np.add(out, more, out)


def by_tile(out: Array, width: int = WIDTH) -> Array:
    """(..., b, N)  ->  (..., N / width, b, width), a view"""
    return out.reshape(*out.shape[:-1], -1, width).swapaxes(-2, -3)


def depths(K: int) -> list[slice]:
    """0 to K in as few parts of at most DEPTH as there can be, of nearly one size"""
    return cut(K, -(-K // DEPTH))


def spans(start: int, stop: int, unit: int) -> list[tuple[slice, int]]:
    """What is a multiple of ``unit`` and what is left, each with the length of its tiles"""
    whole = stop - (stop - start) % unit
    return [(part, n) for part, n in ((slice(start, whole), unit), (slice(whole, stop), stop - whole))
            if part.start < part.stop]
