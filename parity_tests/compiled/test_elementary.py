"""σ and tanh of the compiled engine, over every exponent, against a higher precision; the bounds are those of notes/compiled.md."""

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine under Numba is not installed")

from reference.compiled.elementary import numbers, sigmoid, slope_of_sigmoid, slope_of_tanh, tanh
from reference.compiled.jit import compiled

ULP = 3.5  # the note derives 4.5 for σ and 5 for tanh, where all roundings are as bad as they can be
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@compiled
def sigmoids(x, out):
    for j in range(len(x)):
        out[j] = sigmoid(x[j])


@compiled
def tanhs(x, out):
    for j in range(len(x)):
        out[j] = tanh(x[j])


@compiled
def slopes(x):
    return slope_of_sigmoid(x), slope_of_tanh(x)


def by_engine(function, x):
    out = np.empty_like(x)
    function(x, out)
    return out


def exact(name, x):
    """In float64 for float32, in longdouble for float64"""
    x = x.astype(np.float64 if x.dtype == np.float32 else np.longdouble)
    with np.errstate(over="ignore", under="ignore"):
        return np.tanh(x) if name == "tanh" else 1 / (1 + np.exp(-x))


def errors_in_ulp(name, x):
    """How far off each result is, in units of its last place; below the least normal number in units of that one's"""
    right = exact(name, x)
    got = by_engine(tanhs if name == "tanh" else sigmoids, x)
    ulp = np.spacing(np.maximum(abs(right), np.finfo(x.dtype).tiny).astype(x.dtype))
    return abs(got - right) / ulp


def every_exponent(dtype, each, seed=0):
    """``each`` numbers of every exponent and sign, subnormal ones too: the first, the last, and random ones"""
    info, rng = np.finfo(dtype), np.random.default_rng(seed)
    bits = np.uint32 if dtype == np.float32 else np.uint64
    exponents = np.arange(2**info.iexp - 1, dtype=bits)[:, None] << bits(info.nmant)
    mantissas = rng.integers(0, 2**info.nmant, (len(exponents), each), dtype=bits)
    mantissas[:, 0], mantissas[:, 1] = 0, 2**info.nmant - 1
    x = (exponents | mantissas).view(dtype).ravel()
    return np.concatenate([x, -x])


@DTYPES
@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_every_exponent(name, dtype):
    x = every_exponent(dtype, 2000 if dtype == np.float32 else 250)
    dense = np.random.default_rng(1).uniform(-100, 100, 200_000).astype(dtype)
    for part in (x, dense, dense / 16, dense / 256):
        errors = errors_in_ulp(name, part)
        where = int(np.argmax(errors))
        if name == "sigmoid":  # as far as the result is not flushed to zero
            errors = errors[part > -numbers(dtype).nothing + 1]
        assert errors.max() <= ULP, (name, part[where])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_every_float32_that_there_is(name):
    for high in range(256):
        x = (np.uint32(high << 24) + np.arange(1 << 24, dtype=np.uint32)).view(np.float32)
        x = x[np.isfinite(x)]
        errors = errors_in_ulp(name, x)
        if name == "sigmoid":
            errors = errors[x > -numbers(np.float32).nothing + 1]
        assert errors.max(initial=0) <= ULP, hex(high)


@DTYPES
def test_what_is_far_out_is_flat_and_what_is_no_number_stays_none(dtype):
    nan, inf, k = np.nan, np.inf, numbers(dtype)
    x = np.array([nan, inf, -inf, 0.0, 1e30, -1e30, k.nothing, -k.nothing, k.flat, -k.flat], dtype)
    np.testing.assert_array_equal(by_engine(sigmoids, x[:8]), np.array([nan, 1, 0, 0.5, 1, 0, 1, 0], dtype))
    np.testing.assert_array_equal(by_engine(tanhs, x), np.array([nan, 1, -1, 0, 1, -1, 1, -1, 1, -1], dtype))


@DTYPES
def test_slopes_are_in_the_dtype_of_their_argument(dtype):
    """A number 1 in compiled code would make float32 float64, and half as quick."""
    x = dtype(0.3)
    np.testing.assert_allclose(slopes(x), (x * (1 - x), 1 - x * x), rtol=4 * np.finfo(dtype).eps)
    (signature,) = [s for s in slopes.nopython_signatures if str(s.args[0]) == np.dtype(dtype).name]
    assert {str(kind) for kind in signature.return_type} == {np.dtype(dtype).name}
