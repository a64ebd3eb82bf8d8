"""Truncated BPTT: against detach in PyTorch, and full BPTT where nothing is cut."""

import numpy as np
import pytest

import torch_impl.gradients.truncated_bptt as twin
from reference.cells import lstm, rnn
from reference.gradients import truncated_bptt

from ..helpers import assert_all, assert_close, assert_equal, draw
from ..judge.cases import KINDS
from .problem import ROOMS, TWINS, by_autograd, flat, outputs, problem

T = 11  # of which 4 is no divisor


def ours(kind, q, window, reach=1):
    y, s_n, k = truncated_bptt.forward(ROOMS[kind], q.p, q.x, q.s, window, **q.options)
    return outputs(y, s_n), flat(*truncated_bptt.backward(q.dy, q.ds, k, reach))


def full(kind, q):
    y, s_n, k = ROOMS[kind].forward(q.p, q.x, q.s, **q.options)
    return outputs(y, s_n), flat(*ROOMS[kind].backward(q.dy, q.ds, k))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("window", "reach"), [(1, 1), (4, 1), (4, 2), (3, 3), (11, 1), (2, 99)])
def test_agrees_with_detach(kind, window, reach):
    q = problem(kind, T)
    expected = by_autograd(lambda p, x, s: twin.forward(TWINS[kind].loop, p, x, s, window, reach, **q.options), q)
    for actual, autograd in zip(ours(kind, q, window, reach), expected, strict=True):
        assert_all(assert_close, actual, autograd)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("window", [T, T + 5])
def test_a_window_as_long_as_the_sequence_is_full_bptt_to_the_last_bit(kind, window):
    q = problem(kind, T)
    for actual, expected in zip(ours(kind, q, window), full(kind, q), strict=True):
        assert_all(assert_equal, actual, expected)


def test_by_itself_a_window_reaches_no_further_than_it_is_long():
    """On both sides ``reach`` is 1 if nothing is said."""
    q = problem("lstm", T)
    _, _, k = truncated_bptt.forward(lstm, q.p, q.x, q.s, 4)
    plain, one, two = (flat(*truncated_bptt.backward(q.dy, q.ds, k, *reach)) for reach in ((), (1,), (2,)))
    assert_all(assert_equal, plain, one)
    assert np.abs(one["dx"] - two["dx"]).max() > 1e-6
    _, expected = by_autograd(lambda p, x, s: twin.forward(TWINS["lstm"].loop, p, x, s, 4), q)
    assert_all(assert_close, plain, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reach_over_all_windows_is_full_bptt(kind):
    q = problem(kind, T)
    for actual, expected in zip(ours(kind, q, 4, 3), full(kind, q), strict=True):
        assert_all(assert_close, actual, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_cut_is_felt_by_the_gradient_and_not_by_the_state(kind):
    q = problem(kind, T)
    (out, grads), (out_full, grads_full) = ours(kind, q, 4), full(kind, q)
    assert_all(assert_close, out, out_full)
    assert np.abs(grads["dW_hh"] - grads_full["dW_hh"]).max() > 1e-3
    assert_close(grads["dx"][8:], grads_full["dx"][8:])  # the last window is cut on neither side
    assert np.abs(grads["dx"][:8] - grads_full["dx"][:8]).max() > 1e-6


def test_the_error_shrinks_with_the_window_as_the_products_do():
    """With all singular values 0.8 what a cut drops is a geometric series, so doubling k2 squares the relative error."""
    Q, _ = np.linalg.qr(draw(0, 6, 6))
    rest = np.full(6, 50.0)  # the state stays near this: relu, all on, linear
    p = rnn.Params(np.eye(6), 0.8 * Q, np.zeros(6), rest - 0.8 * Q @ rest)
    x, s = 0.1 * draw(2, 64, 1, 6), rnn.State(rest[None])
    _, _, cache = rnn.forward(p, x, s, "relu")
    assert (cache.h[1:] > 0).all()
    ds, dy = rnn.State(draw(3, 1, 6)), np.zeros((64, 1, 6))
    exact, errors = rnn.backward(dy, ds, cache)[1], []
    for k2 in (8, 16, 32):
        _, _, k = truncated_bptt.forward(rnn, p, x, s, 8, nonlinearity="relu")
        errors.append(np.linalg.norm(truncated_bptt.backward(dy, ds, k, k2 // 8)[1] - exact) / np.linalg.norm(exact))
    np.testing.assert_allclose(errors, 0.8 ** np.array([8, 16, 32]), rtol=1e-3)


def test_windows_may_be_taken_one_at_a_time():
    """As a training loop does: what is held is one window's Cache."""
    q = problem("lstm", T)
    whole = truncated_bptt.forward(lstm, q.p, q.x, q.s, 4)[0]
    parts = [y for y, _, _ in truncated_bptt.windows(lstm, q.p, q.x, q.s, 4)]
    assert [len(y) for y in parts] == [4, 4, 3]
    assert_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize(("value", "error"), [(0, ValueError), (-3, ValueError), (2.5, TypeError), (True, TypeError)])
def test_a_window_or_reach_that_is_no_count_is_refused(value, error):
    q = problem("rnn", T)
    with pytest.raises(error, match="window must be"):
        truncated_bptt.forward(rnn, q.p, q.x, q.s, value)
    k = truncated_bptt.forward(rnn, q.p, q.x, q.s, 4)[2]
    with pytest.raises(error, match="reach must be"):
        truncated_bptt.backward(q.dy, q.ds, k, value)
