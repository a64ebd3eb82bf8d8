"""What must be said in LLVM's own language: sums that stay in registers, and copies of whole vectors.

LLVM keeps arrays in memory, and must expect of two that what is written to one changes the other.  So a product's sums in a
small array would be read and written at every step, and a copy would be made number by number.  Each function here has a
twin that says in a line of NumPy what it does.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import NumbaTypeError
from numba.core.registry import cpu_target

from .jit import written_for_llvm


def registers(machine: str, features: str) -> tuple[int, int]:
    """The bytes of a vector, and how many rows of a tile there are registers for"""
    if "+avx512f" in features:
        return 64, 8
    if "+avx2" in features:
        return 32, 4
    return 16, 8 if machine.startswith(("aarch64", "arm64")) else 4     # NEON has 32 registers, SSE 16


BYTES, ROWS = registers(*cpu_target.target_context.codegen().magic_tuple()[::2])
STEP = ir.IntType(64)
# Panels of a tile: of the sums of several rows three times as many are in registers; one row alone needs eight, as a sum can
# be added to only when the addition before it is done.
SEVERAL, ALONE = 3, 8
SHAPES = [*((ROWS >> n, v) for n in range(ROWS.bit_length() - 1) for v in (SEVERAL, 2, 1)), *((1, v) for v in (ALONE, 4, 2, 1))]


def vector_of(array, lanes=None):
    """The LLVM type of so many of an array's numbers, by default as many as a register holds; and the bytes of a number"""
    size = array.dtype.bitwidth // 8
    return ir.VectorType(ir.FloatType() if size == 4 else ir.DoubleType(), lanes or BYTES // size), size


def place(context, b, signature, args, which, *index):
    """LLVM code for the address of a number of an array among the arguments; and the array's strides in bytes"""
    array = context.make_array(signature.args[which])(context, b, args[which])
    strides = cgutils.unpack_tuple(b, array.strides)
    offset = STEP(0)
    for stride, i in zip(strides, index, strict=True):
        offset = b.add(offset, b.mul(stride, i))
    return cgutils.pointer_add(b, array.data, offset), strides


def at(b, pointer, kind, *offsets):
    """LLVM code for an address some bytes on: each of the offsets a number of steps and how long one is"""
    for count, stride in offsets:
        pointer = cgutils.pointer_add(b, pointer, b.mul(count if hasattr(count, "type") else STEP(count), stride))
    return b.bitcast(pointer, kind.as_pointer())


def repeated(b, number, vector):
    """LLVM code for a vector of one number"""
    first = b.insert_element(ir.Constant(vector, ir.Undefined), number, ir.IntType(32)(0))
    return b.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count))


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
    if not W.layout == out.layout == "C":
        raise NumbaTypeError("what is multiplied by and what is added to must be in rows without gaps")
    n = types.intp
    vector, size = vector_of(a)

    def codegen(context, b, signature, args):
        rows, vectors, _, r, k, _, p, w, depth, _, s, c = args
        a_0, (to_row, to_column) = place(context, b, signature, args, 2, r, k)
        w_0, (to_panel, to_next, _) = place(context, b, signature, args, 5, p, w, STEP(0))
        out_0, (to_out, _) = place(context, b, signature, args, 9, s, c)

        def load(pointer, kind):
            return b.load(pointer, align=size, typ=kind)

        for m, n in SHAPES:
            with b.if_then(b.and_(b.icmp_signed("==", rows, STEP(m)), b.icmp_signed("==", vectors, STEP(n)))):
                zero = ir.Constant(vector, [0.0] * vector.count)
                sums = {(i, v): cgutils.alloca_once_value(b, zero) for i in range(m) for v in range(n)}
                with cgutils.for_range(b, depth) as loop:
                    weights = [load(at(b, w_0, vector, (v, to_panel), (loop.index, to_next)), vector) for v in range(n)]
                    for i in range(m):
                        one = load(at(b, a_0, vector.element, (i, to_row), (loop.index, to_column)), vector.element)
                        factor = repeated(b, one, vector)
                        for v in range(n):
                            b.store(b.fadd(b.fmul(factor, weights[v]), load(sums[i, v], vector)), sums[i, v])
                for (i, v), total in sums.items():
                    target = at(b, out_0, vector, (i, to_out), (v, STEP(BYTES)))
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


@written_for_llvm(turn_square_in_numpy)
def turn_square(typing, W, r, k, out, p):
    """out[p, k + i, j] = W[r + j, k + i],  i, j < lanes: by exchanging halves, quarters, ... of a square in registers"""
    n = types.intp
    vector, size = vector_of(W)

    def codegen(context, b, signature, args):
        _, r, k, _, p = args
        given, (stride, _) = place(context, b, signature, args, 0, r, k)
        to, (_, step, _) = place(context, b, signature, args, 3, p, k, STEP(0))
        lanes = vector.count
        rows = [b.load(at(b, given, vector, (i, stride)), align=size, typ=vector) for i in range(lanes)]
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
            b.store(row, at(b, to, vector, (i, step)), align=size)
        return context.get_dummy_value()

    return types.void(W, n, n, out, n), codegen


def copier(lanes=None):
    """copy_square(W, k, c, out, q, rows): out[q, k : k + rows] = W[k : k + rows, c : c + lanes], a row at a time"""
    def copy_square(typing, W, k, c, out, q, rows):
        n = types.intp
        vector, size = vector_of(W, lanes)

        def codegen(context, b, signature, args):
            _, k, c, _, q, rows = args
            given, (stride, _) = place(context, b, signature, args, 0, k, c)
            to, (_, step, _) = place(context, b, signature, args, 3, q, k, STEP(0))
            with cgutils.for_range(b, rows) as loop:
                row = b.load(at(b, given, vector, (loop.index, stride)), align=size, typ=vector)
                b.store(row, at(b, to, vector, (loop.index, step)), align=size)
            return context.get_dummy_value()

        return types.void(W, n, n, out, n, n), codegen

    return written_for_llvm(copy_square_in_numpy)(copy_square)


copy_strip, copy_panel = copier(ROWS), copier()
