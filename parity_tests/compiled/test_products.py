"""The product with a weight in panels: every size around those of tiles and panels, and no digit that depends on the rows."""

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine under Numba is not installed")

from numba.core.errors import TypingError

from reference.compiled import products, steps
from reference.compiled.products import add_product
from reference.compiled.vectors import ALONE, BYTES, ROWS, SEVERAL

from ..helpers import assert_equal

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
PRECISE = {np.float32: 1e-5, np.float64: 1e-13}


def numbers(seed, *shape, dtype):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def near(actual, expected, dtype, terms):
    """Sums of so many terms of about 1, by any order"""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=PRECISE[dtype] * max(1, terms) ** 0.5)


def edge(dtype):
    return np.empty((ROWS, BYTES // np.dtype(dtype).itemsize), dtype)


def sizes(dtype):
    """Rows around a tile, depths around a block, columns around vectors and panels"""
    lanes = BYTES // np.dtype(dtype).itemsize
    ends = (lanes, 2 * lanes, SEVERAL * lanes, 5 * lanes, ALONE * lanes, (ALONE + 7) * lanes)
    columns = sorted({1, 2, *(end + d for end in ends for d in (-1, 0, 1))})
    yield from ((M, 5, N) for M in (1, 2, 3, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS + 3) for N in columns)
    yield from ((3, K, lanes + 2) for K in (0, 1, products.DEEP - 1, products.DEEP, products.DEEP + 1, 2 * products.DEEP + 5))


@DTYPES
def test_a_product_of_every_size(dtype):
    for M, K, N in sizes(dtype):
        a, W, out = numbers(1, M + 2, K + 1, dtype=dtype), numbers(2, N, K, dtype=dtype), numbers(3, M + 1, N + 2, dtype=dtype)
        for in_panels, transposed in ((steps.in_panels(W, True), True), (steps.in_panels(np.ascontiguousarray(W.T), False), False)):
            got = out.copy()
            add_product(a, 2, 1, in_panels, got, 1, 2, M, N, 1, 0, transposed, edge(dtype))
            expected = out.copy()
            expected[1:, 2:] += a[2:, 1:].astype(np.float64) @ W.T.astype(np.float64)
            near(got, expected, dtype, K)
            assert_equal(got[:1], out[:1])
            assert_equal(got[:, :2], out[:, :2])


@DTYPES
def test_a_row_is_the_same_whatever_rows_are_computed_with_it(dtype):
    """On which rests that results do not depend on how many threads share the sequences."""
    a, W = numbers(1, 21, 600, dtype=dtype), steps.in_panels(numbers(2, 70, 600, dtype=dtype), True)
    whole = np.zeros((21, 70), dtype)
    add_product(a, 0, 0, W, whole, 0, 0, 21, 70, 1, 0, False, edge(dtype))
    for M in (1, 2, 3, 5, 8, 13):
        for first in (0, 1, 21 - M):
            part = np.zeros((M, 70), dtype)
            add_product(a, first, 0, W, part, 0, 0, M, 70, 1, 0, True, edge(dtype))
            assert_equal(part, whole[first : first + M])


@DTYPES
def test_some_steps_at_a_stride(dtype):
    a, W, out = numbers(1, 12, 4, dtype=dtype), numbers(2, 6, 4, dtype=dtype), np.zeros((12, 6), dtype)
    add_product(a, 1, 0, steps.in_panels(W, True), out, 1, 0, 2, 6, 3, 4, False, edge(dtype))
    rows = [1, 2, 5, 6, 9, 10]
    near(out[rows], a[rows] @ W.T, dtype, 4)
    assert not out[[0, 3, 4, 7, 8, 11]].any()


@DTYPES
@pytest.mark.parametrize("R", [1, steps.DEPTH, 4 * steps.DEPTH + 3])
@pytest.mark.parametrize(("N", "I"), [(1, 1), (ROWS * 3 + 1, 5), (ROWS * (steps.STRIPS + 1) + 3, 60)])
def test_what_is_summed_over_steps(R, N, I, dtype, monkeypatch):
    """dx, a weight's gradient that is added to what is there, and a bias's, in parts."""
    D, x, W = numbers(1, R, N, dtype=dtype), numbers(2, R + 2, I, dtype=dtype), numbers(3, N, I, dtype=dtype)
    dx, dW, db = numbers(4, R + 2, I, dtype=dtype), numbers(5, N, I, dtype=dtype), numbers(6, N, dtype=dtype)
    expected = [dx.copy(), dW + D.T @ x[2:], db + D.sum(0)]
    expected[0][1 : R + 1] = D @ W
    monkeypatch.setattr(steps, "share", lambda call, n, work, *given: [call(*given, k, min(k + 23, n)) for k in range(0, n, 23)])
    steps.sum_over_steps(D, steps.in_panels(W, False), dx, 1, [(D, 0, x, 2, dW)], db)
    for got, right in zip((dx, dW, db), expected, strict=True):
        near(got, right, dtype, R + N)


def test_a_result_that_does_not_lie_in_rows_is_refused():
    W = steps.in_panels(np.ones((6, 4)), True)
    with pytest.raises(TypingError, match="must be in rows without gaps"):
        add_product(np.ones((2, 4)), 0, 0, W, np.ones((6, 2)).T, 0, 0, 2, 6, 1, 0, False, edge(np.float64))


def test_two_dtypes_in_one_product_are_refused():
    """They would be read as one: there is no bound to stop at."""
    W = steps.in_panels(np.ones((6, 4)), True)
    with pytest.raises(TypingError, match="one dtype is wanted, got float32, float64 and float32"):
        add_product(np.ones((2, 4), np.float32), 0, 0, W, np.ones((2, 6), np.float32), 0, 0, 2, 6, 1, 0, False, edge(np.float32))
