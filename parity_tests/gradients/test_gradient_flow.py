"""Gradient flow: norms, step Jacobians, products and spectra against autograd, and what theory says of them."""

import numpy as np
import pytest

import torch_impl.gradients.gradient_flow as twin
from reference.cells import gru, lstm, rnn
from reference.gradients import gradient_flow

from ..helpers import assert_close, draw
from ..judge.cases import KINDS
from .problem import ROOMS, TWINS, problem, tensors


@pytest.mark.parametrize("kind", KINDS)
def test_norms_are_those_of_autograd(kind):
    q = problem(kind, T=7)
    room = ROOMS[kind]
    _, _, k = room.forward(q.p, q.x, q.s, **q.options)
    actual = gradient_flow.norms(room, q.dy, q.ds, k)
    t = tensors(q)
    expected = twin.norms(TWINS[kind], t.p, t.x, t.s, t.dy, t.ds, **q.options)
    for name, by_hand, autograd in zip(actual._fields, actual, expected, strict=True):
        assert by_hand.shape == (8, 4)
        assert_close(by_hand, autograd, name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("b", [0, 3])
def test_step_jacobians_are_those_of_autograd(kind, b):
    q = problem(kind, T=6)
    room = ROOMS[kind]
    _, _, k = room.forward(q.p, q.x, q.s, **q.options)
    J = gradient_flow.step_jacobians(room, k, b)
    t = tensors(q)
    expected = twin.step_jacobians(TWINS[kind], t.p, t.x, t.s, b, **q.options)
    assert_close(J, expected)
    P = gradient_flow.products(J)
    assert_close(P, twin.products(expected))
    ours, theirs = gradient_flow.spectrum(P), twin.spectrum(expected.new_tensor(P))
    assert_close(ours.singular, theirs[0])
    assert_close(ours.radius, theirs[1])


@pytest.mark.parametrize("kind", KINDS)
def test_products_carry_the_gradient_of_the_last_state(kind):
    """GF1 unrolled: what backward brings to the first state is the caller's row times P_0."""
    q = problem(kind, T=9)
    room = ROOMS[kind]
    _, _, k = room.forward(q.p, q.x, q.s, **q.options)
    _, _, ds_0 = room.backward(np.zeros_like(q.dy), q.ds, k)
    for b in range(4):
        P = gradient_flow.products(gradient_flow.step_jacobians(room, k, b))
        row = np.concatenate([v[b] for v in q.ds])
        assert_close(row @ P[0], np.concatenate([v[b] for v in ds_0]))


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_the_bound_holds_and_is_met_where_nothing_is_lost(nonlinearity):
    q = problem("rnn", T=8)
    _, _, k = rnn.forward(q.p, q.x, q.s, nonlinearity)
    largest = gradient_flow.spectrum(gradient_flow.step_jacobians(rnn, k)).singular[:, 0]
    assert (largest <= gradient_flow.gain_bound(rnn, k) * (1 + 1e-12)).all()
    still = rnn.Params(*(0 * v for v in q.p))._replace(W_hh=q.p.W_hh)
    _, _, k = rnn.forward(still, q.x, rnn.State(0 * q.s.h))  # h stays 0, where tanh' is 1
    assert_close(gradient_flow.spectrum(gradient_flow.step_jacobians(rnn, k)).singular[:, 0], gradient_flow.gain_bound(rnn, k))


def test_an_orthogonal_linear_recurrence_keeps_every_norm():
    """relu where every unit is on is linear: with an orthogonal matrix all singular values of all products are 1."""
    Q, _ = np.linalg.qr(draw(0, 6, 6))
    rest = np.full(6, 100.0)  # the state turns around this point
    p = rnn.Params(np.zeros((6, 3)), Q, np.zeros(6), rest - Q @ rest)
    _, _, k = rnn.forward(p, draw(1, 50, 2, 3), rnn.State(rest + draw(2, 2, 6)), "relu")
    assert (k.h[1:] > 0).all()
    assert_close(gradient_flow.spectrum(gradient_flow.products(gradient_flow.step_jacobians(rnn, k))).singular, np.ones((51, 6)))


def test_a_forget_gate_held_open_is_a_constant_error_carousel():
    """f = 1 and no recurrent weights: the cell state's gradient passes 200 steps unchanged."""
    H, T = 5, 200
    zero = lstm.Params(np.zeros((4 * H, 3)), np.zeros((4 * H, H)), np.zeros(4 * H), np.zeros(4 * H))
    zero.b_hh[H : 2 * H] = 40.0  # σ(40) is 1 to the last bit
    _, _, k = lstm.forward(zero, draw(0, T, 2, 3), lstm.State(draw(1, 2, H), draw(2, 2, H)))
    assert (gradient_flow.memory(lstm, k) == 1).all()
    dc = draw(3, 2, H)
    n = gradient_flow.norms(lstm, np.zeros((T, 2, H)), lstm.State(np.zeros((2, H)), dc), k)
    assert_close(n.c, np.tile(np.linalg.norm(dc, axis=-1), (T + 1, 1)))


def test_an_update_gate_held_open_is_one_too():
    H, T = 5, 200
    zero = gru.Params(np.zeros((3 * H, 3)), np.zeros((3 * H, H)), np.zeros(3 * H), np.zeros(3 * H))
    zero.b_hh[H : 2 * H] = 40.0
    _, _, k = gru.forward(zero, draw(0, T, 2, 3), gru.State(draw(1, 2, H)))
    assert (gradient_flow.memory(gru, k) == 1).all()
    assert_close(gradient_flow.products(gradient_flow.step_jacobians(gru, k))[0], np.eye(H))


def test_a_radius_below_one_vanishes_at_its_own_rate():
    """At rest an RNN's Jacobian is W_hh itself, so the product over T steps is its T-th power."""
    W = draw(0, 6, 6)
    W *= 0.9 / np.abs(np.linalg.eigvals(W)).max()
    p = rnn.Params(np.zeros((6, 3)), W, np.zeros(6), np.zeros(6))
    _, _, k = rnn.forward(p, np.zeros((100, 1, 3)), rnn.State(np.zeros((1, 6))))
    P = gradient_flow.products(gradient_flow.step_jacobians(rnn, k))
    assert_close(gradient_flow.spectrum(P).radius[::-1], 0.9 ** np.arange(101))


def test_what_does_not_apply_is_one_sentence():
    q = problem("lstm")
    _, _, k = lstm.forward(q.p, q.x, q.s)
    with pytest.raises(ValueError, match=r"gain_bound knows the RNN only, got reference\.cells\.lstm"):
        gradient_flow.gain_bound(lstm, k)
    r = problem("rnn")
    with pytest.raises(ValueError, match="an RNN lacks"):
        gradient_flow.memory(rnn, rnn.forward(r.p, r.x, r.s)[2])


def test_nothing_given_is_written_to():
    q = problem("lstm-proj")
    _, _, k = lstm.forward(q.p, q.x, q.s)
    before = [v.copy() for v in (*q.p, q.dy, *q.ds, k.h, k.c, k.gates)]
    gradient_flow.norms(lstm, q.dy, q.ds, k)
    gradient_flow.step_jacobians(lstm, k, 1)
    for old, new in zip(before, (*q.p, q.dy, *q.ds, k.h, k.c, k.gates), strict=True):
        np.testing.assert_array_equal(old, new)
