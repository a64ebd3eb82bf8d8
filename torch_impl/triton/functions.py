"""σ and tanh for kernels, of numbers of any shape: right for every argument, infinities and NaN too.

The exponent is never positive, so nothing overflows.  The GPU's own tanh is not used: the quick one is an approximation, and
the exact one is not there in the interpreter.
"""

import triton
import triton.language as tl


@triton.jit
def sigmoid(x):
    """1 / (1 + e⁻ˣ)"""
    e = tl.exp(-tl.abs(x))
    return tl.where(x >= 0, 1.0, e) / (1.0 + e)


@triton.jit
def tanh(x):
    """(1 - e⁻²ˣ) / (1 + e⁻²ˣ) from 0.6 on; below, where 1 - e⁻²ˣ would lose digits, tanh's continued fraction

        x / (1 + z / (3 + z / (5 + ... + z / 17))),  z = x²

    as the quotient of two polynomials, which at 0.6 is wrong by 4e-21; written as x less a small part, so that x keeps its digits.
    Every coefficient is a whole number that float32 has.
    """
    small = tl.abs(x) < 0.6
    y = tl.where(small, x, 0.0)
    z = y * y
    above = ((44.0 * z / 45.0 + 286.0) * z + 18018.0) * z + 255255.0
    below = (((z + 308.0) * z + 21021.0) * z + 360360.0) * z + 765765.0
    e = tl.exp(-2.0 * tl.abs(x))
    far = (1.0 - e) / (1.0 + e)
    return tl.where(small, y - y * (z * above / below), tl.where(x < 0, -far, far))
