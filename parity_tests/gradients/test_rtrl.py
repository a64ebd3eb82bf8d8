"""RTRL: equal to BPTT though it never goes back; its influence matrices against autograd's."""

import numpy as np
import pytest
import torch

import torch_impl.gradients.rtrl as twin
from reference.cells import lstm
from reference.gradients import gradient_flow, rtrl

from ..helpers import assert_all, assert_close, assert_equal, draw
from ..judge.cases import KINDS
from .problem import ROOMS, TWINS, flat, outputs, problem, tensors

T = 6


@pytest.mark.parametrize("kind", KINDS)
def test_equals_bptt(kind):
    q = problem(kind, T)
    y, s_n, k = ROOMS[kind].forward(q.p, q.x, q.s, **q.options)
    dp, _, ds_0 = ROOMS[kind].backward(q.dy, q.ds, k)
    y_found, s_found, dp_found, ds_found = rtrl.gradient(ROOMS[kind], q.p, q.x, q.s, q.dy, q.ds, **q.options)
    assert_all(assert_close, outputs(y_found, s_found) | flat(dp_found, None, ds_found), outputs(y, s_n) | flat(dp, None, ds_0))


@pytest.mark.parametrize("kind", KINDS)
def test_all_is_in_the_dtype_of_what_goes_in(kind):
    q = problem(kind, T, dtype="float32")
    y, s_n, dp, ds_0 = rtrl.gradient(ROOMS[kind], q.p, q.x, q.s, q.dy, q.ds, **q.options)
    assert rtrl.start(q.p, q.s).dtype == np.float32
    assert {v.dtype for v in (outputs(y, s_n) | flat(dp, None, ds_0)).values()} == {np.dtype("float32")}


@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_its_twin(kind):
    q = problem(kind, T, B=2)
    t = tensors(q)
    dp, ds_0 = twin.gradient(TWINS[kind], t.p, t.x, t.s, t.dy, t.ds, **q.options)
    _, _, dp_found, ds_found = rtrl.gradient(ROOMS[kind], q.p, q.x, q.s, q.dy, q.ds, **q.options)
    assert_all(assert_close, flat(dp_found, None, ds_found), flat(dp, None, ds_0))


@pytest.mark.parametrize("kind", KINDS)
def test_the_influence_is_the_jacobian_of_the_whole_run(kind):
    """RT1 and RT2: after T steps M is the derivative of the last state with respect to every parameter, by autograd."""
    q = problem(kind, T, B=1)
    M, s = rtrl.start(q.p, q.s), q.s
    for t in range(T):
        s, J, D = rtrl.step(ROOMS[kind], q.p, q.x[t : t + 1], s, q.options)
        M = J @ M + D
    t = tensors(q)
    given = [v for v in (*t.p, *t.s) if v is not None]

    def last(*arrays):
        arrays = iter(arrays)
        p = type(t.p)(*(None if v is None else next(arrays) for v in t.p))
        return torch.cat(TWINS[kind].loop(p, t.x, type(t.s)(*arrays), **q.options)[1], -1)[0]

    expected = torch.autograd.functional.jacobian(last, tuple(given))
    assert_close(M, torch.cat([v.reshape(len(M), -1) for v in expected], 1))


def test_its_step_jacobian_is_that_of_gradient_flow():
    q = problem("lstm", T, B=1)
    k = lstm.forward(q.p, q.x, q.s)[2]
    s = q.s
    for t, J in enumerate(gradient_flow.step_jacobians(lstm, k)):
        s, actual, _ = rtrl.step(lstm, q.p, q.x[t : t + 1], s, {})
        assert_close(actual, J)


def test_the_gradient_of_a_step_is_asked_for_before_the_next_step():
    q = problem("gru", T)
    seen = []

    def dy(steps, y):
        seen.append((steps.start, y.copy()))
        return q.dy[steps]

    asked = rtrl.gradient(ROOMS["gru"], q.p, q.x, q.s, dy, q.ds)
    given = rtrl.gradient(ROOMS["gru"], q.p, q.x, q.s, q.dy, q.ds)
    assert [t for t, _ in seen] == list(range(T))
    assert_equal(np.concatenate([y for _, y in seen]), given[0])
    assert_all(assert_equal, flat(asked[2], None, asked[3]), flat(given[2], None, given[3]))


def test_ravel_has_an_inverse():
    p = problem("lstm-proj").p
    again = rtrl.unravel(rtrl.ravel(p), p)
    for name, value in p._asdict().items():
        assert_equal(getattr(again, name), value)
    assert rtrl.unravel(draw(0, 4 * 6 * 10 + 48), problem("lstm").p).W_hr is None
