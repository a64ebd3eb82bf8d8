"""Checkpointed BPTT: the same bits as keeping everything, the same numbers as the room, a fraction of the memory."""

import tracemalloc

import numpy as np
import pytest
import torch

import torch_impl.gradients.checkpointed_bptt as twin
from reference.cells import gru, lstm, rnn
from reference.gradients import checkpointed_bptt

from ..helpers import assert_all, assert_close, assert_equal
from ..judge.cases import KINDS
from .problem import ROOMS, TWINS, by_autograd, flat, outputs, problem

T = 23  # a prime: no segment divides it


def ours(kind, q, segment=None, **kwargs):
    y, s_n, k = checkpointed_bptt.forward(ROOMS[kind], q.p, q.x, q.s, segment, **kwargs, **q.options)
    return outputs(y, s_n), flat(*checkpointed_bptt.backward(q.dy, q.ds, k))


def full(kind, q):
    y, s_n, k = ROOMS[kind].forward(q.p, q.x, q.s, **q.options)
    return outputs(y, s_n), flat(*ROOMS[kind].backward(q.dy, q.ds, k))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("segment", [None, 1, 7, T])
def test_recomputing_changes_no_bit(kind, segment, dtype):
    q = problem(kind, T, dtype=dtype)
    for actual, kept in zip(ours(kind, q, segment), ours(kind, q, segment, recompute=False), strict=True):
        assert_all(assert_equal, actual, kept)


@pytest.mark.parametrize("kind", KINDS)
def test_one_segment_is_the_room_itself_to_the_last_bit(kind):
    q = problem(kind, T)
    for actual, expected in zip(ours(kind, q, T), full(kind, q), strict=True):
        assert_all(assert_equal, actual, expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("segment", [None, 1, 7])
def test_many_segments_are_the_room_to_rounding(kind, segment):
    q = problem(kind, T)
    for actual, expected in zip(ours(kind, q, segment), full(kind, q), strict=True):
        assert_all(assert_close, actual, expected)


@pytest.mark.parametrize("segment", [None, 1, 5])
def test_without_rounding_many_segments_are_the_room_to_the_last_bit(segment):
    """Small integers and relu: every sum is exact, so its order does not matter, and only a wrong term could show."""
    rng = np.random.default_rng(0)

    def whole(*shape):
        return rng.integers(-1, 2, shape).astype(float)

    p = rnn.Params(whole(6, 3), whole(6, 6), whole(6), whole(6))
    x, s, dy, ds = whole(12, 4, 3), rnn.State(whole(4, 6)), whole(12, 4, 6), rnn.State(whole(4, 6))
    y, s_n, k = rnn.forward(p, x, s, "relu")
    expected = outputs(y, s_n) | flat(*rnn.backward(dy, ds, k))
    y, s_n, k = checkpointed_bptt.forward(rnn, p, x, s, segment, nonlinearity="relu")
    assert_all(assert_equal, outputs(y, s_n) | flat(*checkpointed_bptt.backward(dy, ds, k)), expected)
    assert 500 < max(np.abs(v).max() for v in expected.values()) < 2**53


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("recompute", [True, False])
def test_agrees_with_torch_checkpoint(kind, recompute):
    q = problem(kind, T)
    expected = by_autograd(lambda p, x, s: twin.forward(TWINS[kind].hoisted, p, x, s, 5, recompute, **q.options), q)
    for actual, autograd in zip(ours(kind, q, 5), expected, strict=True):
        assert_all(assert_close, actual, autograd)


@pytest.mark.parametrize("kind", KINDS)
def test_torch_too_changes_no_bit_by_recomputing(kind):
    q = problem(kind, T)
    twice = [
        by_autograd(lambda p, x, s, again=again: twin.forward(TWINS[kind].hoisted, p, x, s, 5, again, **q.options), q)
        for again in (True, False)
    ]
    for recomputed, kept in zip(*twice, strict=True):
        assert_all(assert_equal, recomputed, kept)


@pytest.mark.parametrize(("recompute", "runs"), [(True, 2), (False, 1)])
def test_each_segment_runs_once_more_only_where_it_is_recomputed(recompute, runs, monkeypatch):
    q, called = problem("lstm", T), []
    forward = lstm.forward
    monkeypatch.setattr(lstm, "forward", lambda p, x, s, **options: (called.append(len(x)), forward(p, x, s, **options))[1])
    _, _, k = checkpointed_bptt.forward(lstm, q.p, q.x, q.s, 5, recompute=recompute)
    checkpointed_bptt.backward(q.dy, q.ds, k)
    assert sum(called) == runs * T
    called.clear()

    def way(p, x, s, **options):
        called.append(len(x))
        return TWINS["lstm"].hoisted(p, x, s, **options)

    by_autograd(lambda p, x, s: twin.forward(way, p, x, s, 5, recompute), q)
    assert sum(called) == runs * T


def test_the_gradient_may_be_asked_for_segment_by_segment():
    q = problem("lstm", T)
    y, _, k = checkpointed_bptt.forward(lstm, q.p, q.x, q.s, 5)
    asked = []

    def dy(steps, y_steps):
        asked.append(steps)
        assert_equal(y_steps, y[steps])
        return q.dy[steps]

    assert_all(assert_equal, flat(*checkpointed_bptt.backward(dy, q.ds, k)), flat(*checkpointed_bptt.backward(q.dy, q.ds, k)))
    assert asked == [slice(n, n + 5) for n in (20, 15, 10, 5, 0)]
    nothing, s_n, _ = checkpointed_bptt.forward(lstm, q.p, q.x, q.s, 5, outputs=False)
    assert nothing is None
    assert_equal(s_n.h, y[-1])


def test_nothing_given_is_written_to_and_backward_runs_twice():
    q = problem("gru", T)
    before = [v.copy() for v in (*q.p, q.x, *q.s, q.dy, *q.ds)]
    y, _, k = checkpointed_bptt.forward(ROOMS["gru"], q.p, q.x, q.s, 5)
    kept = y.copy()
    first = flat(*checkpointed_bptt.backward(q.dy, q.ds, k))
    assert_all(assert_equal, flat(*checkpointed_bptt.backward(q.dy, q.ds, k)), first)
    assert_equal(y, kept)
    for old, new in zip(before, (*q.p, q.x, *q.s, q.dy, *q.ds), strict=True):
        assert_equal(new, old)


def peak(room, T, B, H, segment=None):
    """Bytes that forward and backward of a room hold at most, beyond what they are given and return as dx"""
    G, rng = len(room.GATES), np.random.default_rng(0)
    p = room.Params(rng.standard_normal((G * H, 1)), rng.standard_normal((G * H, H)), np.zeros(G * H), np.zeros(G * H))
    x, s = rng.standard_normal((T, B, 1)), room.State(*(np.zeros((B, H)) for _ in room.State._fields))
    tracemalloc.start()
    _, s_n, k = checkpointed_bptt.forward(room, p, x, s, segment, outputs=False)
    checkpointed_bptt.backward(lambda steps, y: y, s_n, k)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most - x.nbytes


def test_memory_grows_with_the_root_of_the_length():
    one_segment, many = peak(lstm, 4096, 1, 8, 4096), peak(lstm, 4096, 1, 8)
    assert 12 < one_segment / peak(lstm, 256, 1, 8, 256) < 20  # 16 times the steps
    assert many / peak(lstm, 256, 1, 8) < 6  # 4 times the root
    assert many < one_segment / 10


@pytest.mark.parametrize(("room", "held"), [(rnn, 3), (lstm, 6), (gru, 12)])
def test_the_default_segment_holds_little_more_than_the_best_one(room, held):
    """``held``: states that a step is worth while its segment goes back; T/k states and k steps are least at √(T/held)."""
    T, B, H = 600, 16, 16
    by_segment = {k: peak(room, T, B, H, k) for k in (5, 7, 10, 14, 24)}
    best = min(by_segment, key=by_segment.__getitem__)
    assert best == min(by_segment, key=lambda k: T / k + held * k)
    assert peak(room, T, B, H) < 1.1 * by_segment[best]


@pytest.mark.parametrize("segment", [0, -1])
def test_a_segment_below_one_is_refused(segment):
    q = problem("rnn", T)
    with pytest.raises(ValueError, match=f"segment must be greater than zero, got {segment}"):
        checkpointed_bptt.forward(rnn, q.p, q.x, q.s, segment)
    with pytest.raises(ValueError, match=f"segment must be greater than zero, got {segment}"):
        twin.forward(None, q.p, torch.from_numpy(q.x), q.s, segment)
