"""σ and tanh without a branch, a call or a table, so that a loop over them becomes vector instructions.

    eˣ = 2ⁿ eʳ,  n = round(x / ln 2),  r = x - n ln 2                (X1)
    eʳ - 1 = r + r²/2! + r³/3! + ...,  |r| ≤ ½ ln 2                  (X2)
    σ(x) = (1 or e) / (1 + e),  e = e^-|x|,  1 where x ≥ 0           (X3)
    tanh(x) = e / (e + 2),  e = e²ˣ - 1                              (X4)

n comes from rounding by addition: 1.5 · 2^p + x / ln 2 has no bits left for a fraction.  Its last bits are then n, and
shifted to the exponent's place they are 2ⁿ.  ln 2 is cut in two, so that n times its first part is exact.  How far off the
results can be is derived in notes/compiled.md.  NaN stays NaN.
"""

from decimal import Decimal, localcontext
from math import factorial, floor, log
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from ..common import arrays
from .jit import OPTIONS

SIZES: dict[types.Type, type[np.floating]] = {types.float32: np.float32, types.float64: np.float64}
BITS = {types.float32: ir.IntType(32), types.float64: ir.IntType(64)}


class Numbers(NamedTuple):
    """The constants of a dtype."""

    one: np.floating
    two: np.floating
    log2e: np.floating      # 1 / ln 2
    high: np.floating       # the first bits of ln 2
    low: np.floating        # the others
    rounder: np.floating    # 1.5 · 2^p, p the bits after the point
    nothing: np.floating    # from here on e⁻ˣ is 0: below, n is above the least exponent
    flat: np.floating       # from here on tanh is 1


def numbers(dtype: type[np.floating]) -> Numbers:
    p, least = np.finfo(dtype).nmant, np.finfo(dtype).minexp - 1
    with localcontext() as context:
        context.prec = 50
        ln2 = Decimal(2).ln()
        high = Decimal(floor(ln2 * 2 ** (p - 11))) / 2 ** (p - 11)
        return Numbers(*(dtype(float(v)) for v in (1, 2, 1 / ln2, high, ln2 - high, 1.5 * 2**p, floor(-least * ln2),
                                                   floor((p + 3) * ln2 / 2) + 1)))


def terms(dtype: type[np.floating]) -> int:
    """How many of the series are taken: the first one that is left out is below 1/32 of a rounding of the sum."""
    r = log(2) / 2
    return next(k for k in range(1, 30) if r**k / factorial(k + 1) < np.finfo(dtype).eps / 64)


@intrinsic
def series(typing, r):
    """r + r²/2! + r³/3! + ...                                                  X2"""
    def codegen(context, b, signature, args):
        number, (r,) = context.get_value_type(r_type), args
        total = number(1 / factorial(count))
        for k in range(count - 1, 0, -1):
            total = b.fadd(b.fmul(total, r), number(1 / factorial(k)))
        return b.fmul(total, r)
    r_type, count = r, terms(SIZES[r])
    return r(r), codegen


@intrinsic
def power(typing, n):
    """rounder + n  ->  2ⁿ, 0 for the least n                                   X1"""
    def codegen(context, b, signature, args):
        number, bits = context.get_value_type(n_type), BITS[n_type]
        info = np.finfo(SIZES[n_type])
        exponent = b.add(b.bitcast(args[0], bits), bits(1 - info.minexp))
        return b.bitcast(b.shl(exponent, bits(info.nmant)), number)
    n_type = n
    return n(n), codegen


def sigmoid(x: Any) -> Any:
    """σ(x), float32 or float64; what is said here is for where nothing is compiled, as in the three that follow"""
    return arrays.sigmoid(x)


def tanh(x: Any) -> Any:
    """tanh(x), float32 or float64"""
    return np.tanh(x)


def slope_of_sigmoid(s: Any) -> Any:
    """s (1 - s), the derivative of σ where it is s; in the dtype of s, which a number 1 in compiled code would make float64"""
    return s * (1 - s)


def slope_of_tanh(u: Any) -> Any:
    """1 - u², the derivative of tanh where it is u; likewise"""
    return 1 - u * u


@overload(sigmoid, jit_options=OPTIONS)
def sigmoid_of(x):
    k = numbers(SIZES[x])
    one, log2e, high, low, rounder, nothing = k.one, k.log2e, k.high, k.low, k.rounder, k.nothing

    def compute(x):
        a = abs(x)
        a = nothing if a > nothing else a
        t = rounder - a * log2e
        n = t - rounder
        r = -a - n * high - n * low                             # X1
        scale = power(t)
        e = scale + scale * series(r)                           # X2
        return (one if x >= 0 else e) / (one + e)               # X3
    return compute


@overload(tanh, jit_options=OPTIONS)
def tanh_of(x):
    k = numbers(SIZES[x])
    one, two, log2e, high, low, rounder, flat = k.one, k.two, k.log2e, k.high, k.low, k.rounder, k.flat

    def compute(x):
        a = flat if x > flat else x
        a = two * (-flat if a < -flat else a)
        t = rounder + a * log2e
        n = t - rounder
        r = a - n * high - n * low                              # X1
        scale = power(t)
        e = scale * series(r) + (scale - one)                   # X2
        return e / (e + two)                                    # X4
    return compute


@overload(slope_of_sigmoid, jit_options=OPTIONS)
def slope_of_sigmoid_of(s):
    one = SIZES[s](1)
    return lambda s: s * (one - s)


@overload(slope_of_tanh, jit_options=OPTIONS)
def slope_of_tanh_of(u):
    one = SIZES[u](1)
    return lambda u: one - u * u
