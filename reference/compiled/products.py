"""Matrix products for the few rows of a time step, with a weight that is laid out once for all steps.

A BLAS copies a weight into the order in which its kernel reads it, at each call: for a step of an LSTM that is as much work
as a product with eight rows.  Here it is copied once (``pack``), into *panels* as wide as a vector of the processor, and
stays so for all T steps.  The kernel (``tile``) is then a few lines: some rows of ``a`` times some panels, every number of
the result in a register until its sum is whole.  LLVM keeps arrays in memory, so this is the one place where its vectors
are written out; everything else is plain loops.

A sum is in order of k in blocks of DEEP, whatever rows are computed with it, so no result depends on how they are shared out.
"""

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
# Panels of a tile: of the sums of several rows three times as many are in registers; one row alone needs eight, as a sum can
# be added to only when the addition before it is done.
SEVERAL, ALONE = 3, 8
SHAPES = [*((ROWS >> n, v) for n in range(ROWS.bit_length() - 1) for v in (SEVERAL, 1)), *((1, v) for v in (ALONE, 4, 2, 1))]
DEEP = 512      # rows of a panel at a time: they stay in the cache for all rows of ``a``


def place(context, b, signature, args, which, *index):
    """LLVM code for the address of a number of an array among the arguments; and the array's strides in bytes"""
    array = context.make_array(signature.args[which])(context, b, args[which])
    strides = cgutils.unpack_tuple(b, array.strides)
    offset = ir.IntType(64)(0)
    for stride, at in zip(strides, index, strict=True):
        offset = b.add(offset, b.mul(stride, at))
    return cgutils.pointer_add(b, array.data, offset), strides


def tile_in_numpy(rows, vectors, a, r, k, W, p, w, depth, out, s, c):
    """What ``tile`` is, in a line"""
    for v in range(vectors):
        columns = slice(c + v * W.shape[2], c + (v + 1) * W.shape[2])
        out[s : s + rows, columns] += a[r : r + rows, k : k + depth] @ W[p + v, w : w + depth]


@written_for_llvm(tile_in_numpy)
def tile(typing, rows, vectors, a, r, k, W, p, w, depth, out, s, c):
    """out[s + i, c + v · lanes + l] += Σ a[r + i, k + κ] · W[p + v, w + κ, l],  i < rows, v < vectors, l < lanes, κ < depth;
    (rows, vectors) is one of SHAPES"""
    if not a.dtype == W.dtype == out.dtype:
        raise NumbaTypeError(f"one dtype is wanted, got {a.dtype}, {W.dtype} and {out.dtype}")
    n = types.intp
    number = ir.FloatType() if a.dtype == types.float32 else ir.DoubleType()
    size = a.dtype.bitwidth // 8
    vector, lanes = ir.VectorType(number, BYTES // size), ir.VectorType(ir.IntType(32), BYTES // size)

    def codegen(context, b, signature, args):
        rows, vectors, _, r, k, _, p, w, depth, _, s, c = args
        step = ir.IntType(64)

        def at(pointer, kind, *offsets):
            """A pointer so many bytes on: each a number of steps and how long one is"""
            for count, stride in offsets:
                pointer = cgutils.pointer_add(b, pointer, b.mul(count, stride))
            return b.bitcast(pointer, kind.as_pointer())

        def load(pointer, kind):
            return b.load(pointer, align=size, typ=kind)

        a_0, (to_row, to_column) = place(context, b, signature, args, 2, r, k)
        w_0, (to_panel, to_next, _) = place(context, b, signature, args, 5, p, w, step(0))
        out_0, (to_out, _) = place(context, b, signature, args, 9, s, c)
        for m, n in SHAPES:
            with b.if_then(b.and_(b.icmp_signed("==", rows, step(m)), b.icmp_signed("==", vectors, step(n)))):
                sums = {(i, v): cgutils.alloca_once_value(b, ir.Constant(vector, [0.0] * vector.count))
                        for i in range(m) for v in range(n)}
                with cgutils.for_range(b, depth) as loop:
                    weights = [load(at(w_0, vector, (step(v), to_panel), (loop.index, to_next)), vector) for v in range(n)]
                    for i in range(m):
                        one = load(at(a_0, number, (step(i), to_row), (loop.index, to_column)), number)
                        one = b.insert_element(ir.Constant(vector, ir.Undefined), one, ir.IntType(32)(0))
                        factor = b.shuffle_vector(one, one, ir.Constant(lanes, [0] * lanes.count))
                        for v in range(n):
                            b.store(b.fadd(b.fmul(factor, weights[v]), load(sums[i, v], vector)), sums[i, v])
                for (i, v), total in sums.items():
                    target = at(out_0, vector, (step(i), to_out), (step(v), step(BYTES)))
                    b.store(b.fadd(load(target, vector), load(total, vector)), target, align=size)
        return context.get_dummy_value()

    return types.void(n, n, a, n, n, W, n, n, n, out, n, n), codegen


def copy_square_in_numpy(W, k, c, out, q, rows):
    """What ``copy_square`` is, in a line"""
    out[q, k : k + rows] = W[k : k + rows, c : c + out.shape[2]]


def turn_square_in_numpy(W, r, k, out, p):
    """What ``turn_square`` is, in a line"""
    lanes = out.shape[2]
    out[p, k : k + lanes] = W[r : r + lanes, k : k + lanes].T


def vector_of(array, lanes):
    """The LLVM type of so many of an array's numbers, and how many bytes one number has"""
    return ir.VectorType(ir.FloatType() if array.dtype == types.float32 else ir.DoubleType(), lanes), array.dtype.bitwidth // 8


def moved(b, vector, size, pointer, stride, i):
    """LLVM code for the address of a vector i strides on"""
    return cgutils.pointer_add(b, pointer, b.mul(ir.IntType(64)(i), stride), vector.as_pointer())


@written_for_llvm(turn_square_in_numpy)
def turn_square(typing, W, r, k, out, p):
    """out[p, k + i, j] = W[r + j, k + i],  i, j < lanes: by exchanging halves, quarters, ... of a square in registers"""
    n = types.intp
    vector, size = vector_of(W, BYTES * 8 // W.dtype.bitwidth)

    def codegen(context, b, signature, args):
        _, r, k, _, p = args
        given, (stride, _) = place(context, b, signature, args, 0, r, k)
        to, (_, step, _) = place(context, b, signature, args, 3, p, k, ir.IntType(64)(0))
        lanes = vector.count
        rows = [b.load(moved(b, vector, size, given, stride, i), align=size, typ=vector) for i in range(lanes)]
        half = lanes // 2
        while half:
            for i in (i for i in range(lanes) if not i & half):
                low = [j if not j & half else lanes + j - half for j in range(lanes)]
                high = [j + half if not j & half else lanes + j for j in range(lanes)]
                rows[i], rows[i + half] = (
                    b.shuffle_vector(rows[i], rows[i + half], ir.Constant(ir.VectorType(ir.IntType(32), lanes), which))
                    for which in (low, high))
            half //= 2
        for i, row in enumerate(rows):
            b.store(row, moved(b, vector, size, to, step, i), align=size)
        return context.get_dummy_value()

    return types.void(W, n, n, out, n), codegen


def copier(lanes_of):
    """copy_square(W, k, c, out, q, rows): out[q, k : k + rows] = W[k : k + rows, c : c + lanes], a row at a time; in a loop over
    the columns LLVM must expect that what is written changes what is read"""
    def copy_square(typing, W, k, c, out, q, rows):
        n = types.intp
        vector, size = vector_of(W, lanes_of(W.dtype))

        def codegen(context, b, signature, args):
            _, k, c, _, q, rows = args
            given, (stride, _) = place(context, b, signature, args, 0, k, c)
            to, (_, step, _) = place(context, b, signature, args, 3, q, k, ir.IntType(64)(0))
            with cgutils.for_range(b, rows) as loop:
                row = b.load(cgutils.pointer_add(b, given, b.mul(loop.index, stride), vector.as_pointer()), align=size, typ=vector)
                b.store(row, cgutils.pointer_add(b, to, b.mul(loop.index, step), vector.as_pointer()), align=size)
            return context.get_dummy_value()

        return types.void(W, n, n, out, n, n), codegen

    return written_for_llvm(copy_square_in_numpy)(copy_square)


copy_strip, copy_panel = copier(lambda dtype: ROWS), copier(lambda dtype: BYTES * 8 // dtype.bitwidth)


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
                vectors //= 2
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
