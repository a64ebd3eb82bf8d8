"""What the three rooms of ``compiled`` share: weights in panels, the input product, and what is summed over all steps.

Arrays of steps are seen as rows: that of sequence n at step t is t·B + n.
"""

import math
from collections.abc import Iterator

import numpy as np

from ..common.arrays import Array
from .jit import compiled
from .products import add_panels, add_product, clear, pack, pack_strips, pack_transposed
from .threads import share
from .vectors import BYTES, ROWS, SEVERAL

AT_ONCE = 1 << 17   # numbers of a forward's gates from one input product to the next: they stay in the cache until they are read
KEPT = 1 << 20      # numbers of the deltas of a chunk of steps in a backward, at most
DEPTH = 256         # rows of deltas at a time: an input gradient reads them from the cache, the others sum them in registers
PARTS = 64          # of the sums over steps, at most so many for threads to share
STRIPS = 64         # of ROWS columns of the deltas, packed together


def ready(a: Array) -> Array:
    """The array, or a copy if it has gaps or may not be written: Numba compiles anew for each kind of array"""
    return a if a.flags.c_contiguous and a.flags.writeable and a.flags.aligned else np.array(a, order="C")


def in_panels(W: Array, transposed: bool) -> Array:
    """W, or Wᵀ, in panels: products.py"""
    W = ready(W)
    N, K = W.shape if transposed else W.shape[::-1]
    lanes = BYTES // W.itemsize
    out = aligned(-(-N // lanes), K, lanes, dtype=W.dtype)
    share(pack_transposed if transposed else pack, len(out), 8 * W.size, W, out)
    return out


@compiled
def address(a):
    """Where its numbers begin, asked in compiled code: in Python it takes longer than to make the array"""
    return a.ctypes.data


def aligned(*shape: int, dtype: np.dtype) -> Array:
    """As np.empty, but beginning where a line of the cache does: no vector then lies in two"""
    memory = np.empty(math.prod(shape) * dtype.itemsize + BYTES, np.uint8)
    return np.ndarray(shape, dtype, memory, -address(memory) % BYTES)


def steps_at_once(B: int, N: int, most: int) -> int:
    """How many steps of B rows of N numbers are no more than ``most`` numbers; at least 1"""
    return max(1, most // max(1, B * N))


def chunks_from_the_end(T: int, size: int) -> Iterator[tuple[int, int]]:
    """0 to T in chunks of ``size`` steps, the last one first"""
    for t1 in range(T, 0, -size):
        yield max(0, t1 - size), t1


@compiled
def input_product(x, W, b, out, t, g, steps, B, n0, n1, c, N, edge):
    """out[:, c : c + N] = x W + b for the sequences n0 to n1 of some steps: from t on in x, from g on in out; b as wide as out"""
    for step in range(steps):
        for n in range(n0, n1):
            row = out[(g + step) * B + n]
            for j in range(len(row)):
                row[j] = b[j]
    if n1 - n0 == B:
        add_product(x, t * B, 0, W, out, g * B, c, steps * B, N, 1, 0, False, edge)
    else:
        add_product(x, t * B + n0, 0, W, out, g * B + n0, c, n1 - n0, N, steps, B, False, edge)


@compiled
def set_product(a, r, W, out, s, M):
    """out[s : s + M] = a[r : r + M, : K] @ W, which is in panels"""
    edge = np.empty((ROWS, W.shape[2]), W.dtype)
    clear(out, s, s + M)
    for i in range(0, M, DEPTH):
        add_product(a, r + i, 0, W, out, s + i, 0, min(DEPTH, M - i), out.shape[1], 1, 0, False, edge)


@compiled
def add_weight_gradient(D, c, x, r, m0, m1, out, left, right):
    """out[m0 : m1] += D[:, c + m0 : c + m1]ᵀ @ x[r : r + len(D)], DEPTH rows at a time; left (·, DEPTH, ROWS) and right
    (·, DEPTH, lanes) are scratch, for strips of D and panels of x"""
    I, R, lanes = x.shape[1], len(D), right.shape[2]
    edge = np.empty((ROWS, lanes), D.dtype)
    for k in range(0, R, DEPTH):
        deep = min(DEPTH, R - k)
        pack(x[r + k : r + k + deep], right, 0, (I + lanes - 1) // lanes)
        for m in range(m0, m1, len(left) * ROWS):
            wide = min(len(left) * ROWS, m1 - m)
            pack_strips(D[k : k + deep], c + m, wide, left)
            for p in range(0, (I + lanes - 1) // lanes, SEVERAL):
                for q in range((wide + ROWS - 1) // ROWS):
                    add_panels(left[q].T, 0, 0, right, p, 0, deep, out, m + q * ROWS, p * lanes, min(ROWS, wide - q * ROWS),
                               min(SEVERAL * lanes, I - p * lanes), edge)


@compiled
def add_columns(D, c, m0, m1, out):
    """out[m0 : m1] += the sum of the rows of D[:, c + m0 : c + m1], DEPTH of them at a time"""
    total = np.empty(m1 - m0, out.dtype)
    for r in range(0, len(D), DEPTH):
        for m in range(len(total)):
            total[m] = 0
        for k in range(r, min(r + DEPTH, len(D))):
            row = D[k, c + m0 : c + m1]
            for m in range(len(row)):
                total[m] += row[m]
        for m in range(m1 - m0):
            out[m0 + m] += total[m]


def sum_over_steps(D: Array, W_ih: Array, dx: Array, r: int, products: list[tuple], db: Array) -> None:
    """What is left to do for a chunk of steps when its deltas are known.

    D (R, N), whose first columns are those of the input product; W_ih in panels; dx, of which rows r to r + R are set;
    products, each (D, c, a, row, out) for  out += D[:, c : c + len(out)]ᵀ @ a[row : row + R];  db (N,), to which the sum is added
    """
    R, N = D.shape
    lanes = W_ih.shape[2]
    panels = -(-max(out.shape[1] for *_, out in products) // lanes)
    strips = min(STRIPS, -(-max(len(out) for *_, out in products) // ROWS))

    def part(k0: int, k1: int) -> None:
        first, last = cut(R, k0), cut(R, k1)
        set_product(D, first, W_ih, dx, r + first, last - first)
        left = np.empty((strips, min(DEPTH, R), ROWS), D.dtype)
        right = aligned(panels, min(DEPTH, R), lanes, dtype=D.dtype)
        for deltas, c, a, row, out in products:
            add_weight_gradient(deltas, c, a, row, cut(len(out), k0), cut(len(out), k1), out, left, right)
        add_columns(D, 0, cut(N, k0), cut(N, k1), db)

    share(part, PARTS, R * (dx.shape[1] * N + sum(out.size for *_, out in products)))


def cut(n: int, k: int) -> int:
    """Where part k of PARTS of n begins: between two strips"""
    return n if k == PARTS else n * k // PARTS // ROWS * ROWS
