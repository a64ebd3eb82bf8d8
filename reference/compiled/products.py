"""Matrix products for the few rows of a time step, with a weight that is laid out once for all steps.

A BLAS copies a weight into the order in which its kernel reads it, at each call: for a step of an LSTM that is as much work
as a product with eight rows.  Here it is copied once (``pack``), into *panels* as wide as a vector of the processor, and
stays so for all T steps.  What is left to do is plain loops around ``tile`` (vectors.py): some rows times some panels.

A sum is in order of k in blocks of DEEP, whatever rows are computed with it, so no result depends on how they are shared out.
"""

from .jit import apart, compiled
from .vectors import ALONE, ROWS, SEVERAL, copy_panel, copy_strip, tile, turn_square

DEEP = 512      # rows of a panel at a time: they stay in the cache for all rows of ``a``


@compiled
def clear(out, first, last):
    """out[first : last] = 0.  Here as below loops say what Numba could be told in a line, which it would compile for seconds"""
    for r in range(first, last):
        row = out[r]
        for j in range(len(row)):
            row[j] = 0


@compiled
def copy(a, r, out, s, rows):
    """out[s : s + rows] = a[r : r + rows]"""
    for n in range(rows):
        row, to = a[r + n], out[s + n]
        for j in range(len(row)):
            to[j] = row[j]


@compiled
def add(a, r, out, s, rows):
    """out[s : s + rows] += a[r : r + rows]"""
    for n in range(rows):
        row, to = a[r + n], out[s + n]
        for j in range(len(row)):
            to[j] += row[j]


@compiled
def add_panels(a, r, k, W, p, w, depth, out, s, c, M, N, edge):
    """out[s : s + M, c : c + N] += a[r : r + M, k : k + depth] @ W[p :, w : w + depth], as many rows and panels at a time as
    there are registers for; the columns that are left of a vector by way of ``edge`` (rows, lanes)"""
    apart()
    lanes = W.shape[2]
    i = 0
    while i < M:
        rows = ROWS
        while rows > M - i:
            rows //= 2
        v, most = 0, ALONE if rows == 1 else SEVERAL
        while (v + 1) * lanes <= N:
            vectors = most
            while (v + vectors) * lanes > N:
                vectors -= vectors // 2 if rows == 1 else 1
            tile(rows, vectors, a, r + i, k, W, p + v, w, depth, out, s + i, c + v * lanes)
            v += vectors
        if v * lanes < N:
            clear(edge, 0, rows)
            tile(rows, 1, a, r + i, k, W, p + v, w, depth, edge, 0, 0)
            for m in range(rows):
                for j in range(N - v * lanes):
                    out[s + i + m, c + v * lanes + j] += edge[m, j]
        i += rows


@compiled
def add_product(a, r, k0, W, out, s, c, M, N, steps, stride, from_end, edge):
    """out[s : s + M, c : c + N] += a[r : r + M, k0 : k0 + K] @ W, which is in panels; and so at each of some steps, ``stride``
    rows from one to the next.  ``from_end``: the last panels first, since at the end of the step before they were in the cache;
    ``edge`` (ROWS, lanes) is scratch."""
    apart()
    K, width = W.shape[1], W.shape[2] * (ALONE if M == 1 else SEVERAL)
    groups = (N + width - 1) // width
    for q in range(groups):
        g = groups - 1 - q if from_end else q
        for k in range(0, K, DEEP):
            for t in range(steps):
                add_panels(a, r + t * stride, k0 + k, W, g * width // W.shape[2], k, min(DEEP, K - k), out, s + t * stride,
                           c + g * width, M, min(width, N - g * width), edge)


@compiled
def pack(W, out, p0, p1):
    """W (K, N) into the panels p0 to p1 of out (panels, K, lanes), zeros at the end"""
    (K, N), lanes = W.shape, out.shape[2]
    for p in range(p0, p1):
        n = min(N - p * lanes, lanes)
        if n == lanes:
            copy_panel(W, 0, p * lanes, out, p, K)
        else:
            for k in range(K):
                for j in range(lanes):
                    out[p, k, j] = W[k, p * lanes + j] if j < n else 0


@compiled
def pack_transposed(W, out, p0, p1):
    """W (N, K), as pack of Wᵀ"""
    (N, K), lanes = W.shape, out.shape[2]
    for p in range(p0, p1):
        n = min(N - p * lanes, lanes)
        squares = K // lanes if n == lanes else 0
        for square in range(squares):
            turn_square(W, p * lanes, square * lanes, out, p)
        for k in range(squares * lanes, K):
            for j in range(lanes):
                out[p, k, j] = W[p * lanes + j, k] if j < n else 0


@compiled
def pack_strips(W, c, N, out):
    """W[:, c : c + N] into strips of ROWS columns, out (strips, K, ROWS)"""
    for q in range((N + ROWS - 1) // ROWS):
        n, first = min(ROWS, N - q * ROWS), c + q * ROWS
        if n == ROWS:
            copy_strip(W, 0, first, out, q, len(W))
        else:
            for k in range(len(W)):
                for j in range(n):
                    out[q, k, j] = W[k, first + j]
