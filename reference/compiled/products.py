"""Matrix products for the few rows of a time step, with a weight that is laid out once for all steps.

A BLAS copies a weight into the order in which its kernel reads it, at each call: for a step of an LSTM that is as much work
as a product with eight rows.  Here it is copied once, into *panels* of as many columns as fit the registers (``pack``), and
stays so for all T steps.  The kernel (``tile``) is then a few lines: some rows of ``a`` times a panel, every number of the
result in a register until its sum is whole.  LLVM keeps arrays in memory, so this is the one place where its vectors are
written out; everything else is plain loops.

A sum is in order of k in blocks of DEEP, whatever rows are computed with it, so no result depends on how they are shared out.
"""

from itertools import product

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import NumbaTypeError
from numba.core.registry import cpu_target

from .jit import apart, compiled, written_for_llvm


def registers(machine: str, features: str) -> tuple[int, int]:
    """The bytes of a vector, and how many rows of a tile there are registers for"""
    if "+avx512f" in features:
        return 64, 8
    if "+avx2" in features:
        return 32, 4
    return 16, 8 if machine.startswith(("aarch64", "arm64")) else 4     # NEON has 32 registers, SSE 16


BYTES, ROWS = registers(*cpu_target.target_context.codegen().magic_tuple()[::2])
VECTORS = 3     # of a tile's row: ROWS · VECTORS sums, VECTORS of the weight and one of ``a`` are in registers at a time
DEEP = 512      # rows of a panel at a time: they stay in the cache for all rows of ``a``


def panel_width(dtype: np.dtype) -> int:
    return VECTORS * BYTES // dtype.itemsize


def tile_in_numpy(rows, vectors, a, r, k, W, p, w, j, depth, out, s, c):
    """What ``tile`` is, in a line"""
    columns = vectors * (W.shape[2] // VECTORS)
    out[s : s + rows, c : c + columns] += a[r : r + rows, k : k + depth] @ W[p, w : w + depth, j : j + columns]


@written_for_llvm(tile_in_numpy)
def tile(typing, rows, vectors, a, r, k, W, p, w, j, depth, out, s, c):
    """out[s + i, c + l] += Σ a[r + i, k + κ] · W[p, w + κ, j + l],  i < rows, l < vectors · lanes, κ < depth; vectors is 1 or
    VECTORS, rows is ROWS halved some times"""
    if not a.dtype == W.dtype == out.dtype:
        raise NumbaTypeError(f"one dtype is wanted, got {a.dtype}, {W.dtype} and {out.dtype}")
    n = types.intp
    number = ir.FloatType() if a.dtype == types.float32 else ir.DoubleType()
    size = a.dtype.bitwidth // 8
    vector = ir.VectorType(number, BYTES // size)

    def codegen(context, b, signature, args):
        rows, vectors, _, r, k, _, p, w, j, depth, _, s, c = args
        step = ir.IntType(64)

        def place(which, *index):
            """The address of a number of an array, and the array's strides in bytes"""
            array = context.make_array(signature.args[which])(context, b, args[which])
            strides = cgutils.unpack_tuple(b, array.strides)
            offset = step(0)
            for stride, at in zip(strides, index, strict=True):
                offset = b.add(offset, b.mul(stride, at))
            return cgutils.pointer_add(b, array.data, offset), strides

        def load(pointer, offset, kind):
            return b.load(cgutils.pointer_add(b, pointer, offset, kind.as_pointer()), align=size, typ=kind)

        a_0, (to_row, to_column) = place(2, r, k)
        w_0, (_, to_next, _) = place(5, p, w, j)
        out_0, (to_out, _) = place(10, s, c)
        for m, v in product((ROWS >> i for i in range(ROWS.bit_length())), (1, VECTORS)):
            with b.if_then(b.and_(b.icmp_signed("==", rows, step(m)), b.icmp_signed("==", vectors, step(v)))):
                each = list(product(range(m), range(v)))
                sums = {each_one: cgutils.alloca_once_value(b, ir.Constant(vector, [0.0] * vector.count)) for each_one in each}
                with cgutils.for_range(b, depth) as loop:
                    from_w, from_a = b.mul(loop.index, to_next), b.mul(loop.index, to_column)
                    weights = [load(w_0, b.add(from_w, step(l * BYTES)), vector) for l in range(v)]
                    for i in range(m):
                        factor = load(a_0, b.add(from_a, b.mul(step(i), to_row)), number)
                        factor = b.insert_element(ir.Constant(vector, ir.Undefined), factor, ir.IntType(32)(0))
                        factor = b.shuffle_vector(factor, factor, ir.Constant(ir.VectorType(ir.IntType(32), vector.count),
                                                                              [0] * vector.count))
                        for l in range(v):
                            b.store(b.fadd(b.fmul(factor, weights[l]), b.load(sums[i, l], typ=vector)), sums[i, l])
                for i, l in each:
                    target = cgutils.pointer_add(b, out_0, b.add(b.mul(step(i), to_out), step(l * BYTES)), vector.as_pointer())
                    b.store(b.fadd(b.load(target, align=size, typ=vector), b.load(sums[i, l], typ=vector)), target, align=size)
        return context.get_dummy_value()

    return types.void(n, n, a, n, n, W, n, n, n, n, out, n, n), codegen


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
def add_panel(a, r, k, W, p, w, depth, out, s, c, M, N, edge):
    """out[s : s + M, c : c + N] += a[r : r + M, k : k + depth] @ W[p, w : w + depth], as many rows at a time as there are
    registers for; the columns that are left of a vector by way of ``edge`` (rows, lanes)"""
    apart()
    lanes = edge.shape[1]
    whole = N // lanes
    i = 0
    while i < M:
        rows = ROWS
        while rows > M - i:
            rows //= 2
        if whole == VECTORS:
            tile(rows, VECTORS, a, r + i, k, W, p, w, 0, depth, out, s + i, c)
        else:
            for l in range(whole):
                tile(rows, 1, a, r + i, k, W, p, w, l * lanes, depth, out, s + i, c + l * lanes)
        if whole * lanes < N:
            clear(edge, 0, rows)
            tile(rows, 1, a, r + i, k, W, p, w, whole * lanes, depth, edge, 0, 0)
            for m in range(rows):
                for j in range(N - whole * lanes):
                    out[s + i + m, c + whole * lanes + j] += edge[m, j]
        i += rows


@compiled
def add_product(a, r, k0, W, out, s, c, M, N, steps, stride, from_end):
    """out[s : s + M, c : c + N] += a[r : r + M, k0 : k0 + K] @ W, which is in panels; and so at each of some steps, ``stride``
    rows from one to the next.  ``from_end``: the last panel first, since at the end of the step before it was in the cache."""
    apart()
    panels, K, width = W.shape
    edge = np.empty((ROWS, width // VECTORS), out.dtype)
    for q in range(panels):
        p = panels - 1 - q if from_end else q
        for k in range(0, K, DEEP):
            for t in range(steps):
                add_panel(a, r + t * stride, k0 + k, W, p, k, min(DEEP, K - k), out, s + t * stride, c + p * width, M,
                          min(width, N - p * width), edge)


@compiled
def pack(W, out, p0, p1):
    """W (K, N) into the panels p0 to p1 of out (panels, K, width), zeros at the end"""
    (K, N), width = W.shape, out.shape[2]
    for p in range(p0, p1):
        n = min(N - p * width, width)
        for k in range(K):
            row, to = W[k, p * width : p * width + n], out[p, k]
            for j in range(n):
                to[j] = row[j]
            for j in range(n, width):
                to[j] = 0


@compiled
def pack_transposed(W, out, p0, p1):
    """W (N, K), as pack of Wᵀ: a square at a time, so that the lines of the cache that it lies in stay there"""
    (N, K), width = W.shape, out.shape[2]
    for p in range(p0, p1):
        n = min(N - p * width, width)
        for k0 in range(0, K, 16):
            for j in range(n):
                for k in range(k0, min(k0 + 16, K)):
                    out[p, k, j] = W[p * width + j, k]
        for k in range(K):
            for j in range(n, width):
                out[p, k, j] = 0


@compiled
def pack_strips(W, r, K, c, N, out):
    """W[r : r + K, c : c + N] into strips of ROWS columns, out (strips, K, ROWS)"""
    for q in range((N + ROWS - 1) // ROWS):
        n, first = min(ROWS, N - q * ROWS), c + q * ROWS
        if n == ROWS:
            for k in range(K):
                row, to = W[r + k, first : first + ROWS], out[q, k]
                for j in range(ROWS):
                    to[j] = row[j]
        else:
            for k in range(K):
                for j in range(n):
                    out[q, k, j] = W[r + k, first + j]
