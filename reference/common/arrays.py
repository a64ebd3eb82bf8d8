"""The few array operations that every room shares; no dtype is named anywhere."""

import numpy as np

Array = np.ndarray  # of any dtype: float32 and float64, longdouble for the oracle, complex for the complex step


def as_array(value: object) -> Array:
    """An array, or a tensor of whatever device, as an array."""
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


def sigmoid(x: Array) -> Array:
    """1 / (1 + e⁻ˣ) without overflow: the exponent is never positive.  Complex x branches on its real part."""
    positive = x.real >= 0
    e = np.exp(np.where(positive, -x, x))
    return np.where(positive, 1, e) / (1 + e)


def relu(x: Array) -> Array:
    """max(x, 0), NaN kept.  Complex x branches on its real part."""
    return np.where(x.real <= 0, 0, x)


def rows(x: Array) -> Array:
    """(T, B, F) -> (T·B, F).  One matrix product over all rows is one GEMM; a 3-D ``@`` in NumPy is T of them."""
    return x.reshape(-1, x.shape[-1])


def split(a: Array, n: int) -> list[Array]:
    """(..., n·H) -> n views (..., H)"""
    H = a.shape[-1] // n
    return [a[..., k * H : (k + 1) * H] for k in range(n)]


def join(*parts: Array) -> Array:
    """n arrays (..., H) -> (..., n·H); one is not copied"""
    return np.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]


def stacked(parts: list[Array]) -> Array:
    """Arrays (N_k, F), one below the other; one is not copied"""
    return np.concatenate(parts) if len(parts) > 1 else parts[0]
