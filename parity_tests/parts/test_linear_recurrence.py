"""What is particular to the linear recurrence: who else computes it, scan against loop, and what a scan promises."""

import numpy as np
import pytest
import torch
from scipy import signal
from torch import nn

from reference import linear_recurrence as room
from reference.common.arrays import sigmoid

from ..helpers import assert_close, assert_equal, draw, tensor

T, B, H = 13, 2, 3
each_run = pytest.mark.parametrize("run", [room.loop, room.scan], ids=lambda run: run.__name__)


def problem(T=T, low=-1.0, high=1.0, dtype="float64"):
    """a, u, h_0"""
    a = low + (high - low) * np.random.default_rng(0).random((T, B, H))
    return a.astype(dtype), draw(1, T, B, H, dtype=dtype), draw(2, B, H, dtype=dtype)


@each_run
def test_it_is_the_sum_written_out(run):
    """Every input, times all factors after it."""
    a, u, h_0 = problem()
    h = run(a, u, h_0)
    for t in range(T + 1):
        assert_close(h[t], a[:t].prod(0) * h_0 + sum(a[s + 1 : t].prod(0) * u[s] for s in range(t)))


@each_run
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_the_states_have_the_dtype_that_holds_all_three(run, dtype):
    """Whole numbers for u and h_0 do not round the states, and complex factors stay complex."""
    h = run(np.full(2, 0.5, dtype), np.array([1, 1]), np.array(1))
    assert h.dtype == dtype
    assert h.tolist() == [1, 1.5, 1.75]


@each_run
@pytest.mark.parametrize("a", [0.9, 1.0, -0.5])
def test_with_one_factor_it_is_a_filter_of_signal_processing(run, a):
    _, u, h_0 = problem()
    expected, last = signal.lfilter([1], [1, -a], u, axis=0, zi=a * h_0[None])
    h = run(np.full_like(u, a), u, h_0)
    assert_close(h[1:], expected)
    assert_close(a * h[-1], last[0])


@each_run
def test_a_gru_whose_gates_do_not_read_h_is_one(run):
    """torch.nn.GRU with W_hh = 0: values, and gradients through the gates."""
    gru = nn.GRU(4, H, dtype=torch.float64)
    with torch.no_grad():
        for name, v in gru.named_parameters():
            v.mul_(0.0 if name.endswith("hh_l0") else 2.0)
    W, b = gru.weight_ih_l0.detach().numpy(), gru.bias_ih_l0.detach().numpy()
    x, (dy, h_0) = draw(3, T, B, 4), (draw(4, T, B, H), draw(5, B, H))
    leaf = tensor(x).requires_grad_()
    y, h_n = gru(leaf, tensor(h_0)[None])
    (dx,) = torch.autograd.grad([y, h_n], leaf, [tensor(dy), tensor(h_0)[None]])

    z, n = sigmoid(x @ W[H : 2 * H].T + b[H : 2 * H]), np.tanh(x @ W[2 * H :].T + b[2 * H :])
    h = run(z, (1 - z) * n, h_0)
    assert_close(h[1:], y)
    da, du, _ = room.recurrence_backward(dy, h_0, z, h, run)
    by_z, by_n = (da - du * n) * z * (1 - z), du * (1 - z) * (1 - n**2)
    assert_close(by_z @ W[H : 2 * H] + by_n @ W[2 * H :], dx)


@pytest.mark.parametrize("T", [*range(1, 18), 31, 32, 33, 1000])
def test_the_scan_is_the_loop_at_every_length(T):
    a, u, h_0 = problem(T)
    assert_close(room.scan(a, u, h_0), room.loop(a, u, h_0))


def test_on_whole_numbers_they_agree_to_the_last_bit():
    """What differs elsewhere is rounding and nothing else."""
    rng = np.random.default_rng(0)
    a, u, h_0 = rng.integers(-1, 2, (40, B, H)) * 1.0, rng.integers(-9, 10, (40, B, H)) * 1.0, rng.integers(-9, 10, (B, H)) * 1.0
    assert_equal(room.scan(a, u, h_0), room.loop(a, u, h_0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("low", [0.99, 1.0])
def test_rounding_grows_with_the_steps_and_without_factors_with_the_rounds(low, dtype):
    """A term of a sum goes through as many products and sums as there are steps, in the scan its sums are the rounds; exact
    factors leave the sums."""
    a, u, h_0 = problem(2000, low, 1.0, dtype)
    exact = room.loop(*(v.astype(np.longdouble) for v in (a, u, h_0)))
    terms = room.loop(*(np.abs(v).astype(np.longdouble) for v in (a, u, h_0)))  # what is added, without its signs
    for run, sums in ((room.loop, 2000), (room.scan, 11)):
        roundings = sums if low == 1 else sums + 2000
        assert (np.abs(run(a, u, h_0) - exact) <= roundings * np.finfo(dtype).eps / 2 * terms).all()


@each_run
def test_a_factor_of_zero_forgets_and_a_factor_of_one_keeps(run):
    a, u, h_0 = problem()
    a[6], a[7:] = 0, 1
    assert_equal(run(a, u, h_0)[7], u[6])
    assert_close(run(a, u, h_0)[-1], u[6:].sum(0))


@each_run
def test_a_gradient_is_not_damped_where_the_factor_is_one(run):
    a, u, h_0 = np.ones((1000, B, H)), draw(1, 1000, B, H), draw(2, B, H)
    dh_n = draw(3, B, H)
    _, du, dh_0 = room.recurrence_backward(np.zeros_like(u), dh_n, a, run(a, u, h_0), run)
    assert_equal(dh_0, dh_n)
    assert_equal(du, np.broadcast_to(dh_n, u.shape))


@each_run
def test_a_stream_may_be_cut_anywhere(run):
    a, u, h_0 = problem()
    whole = run(a, u, h_0)
    first = run(a[:5], u[:5], h_0)
    assert_close(run(a[5:], u[5:], first[-1]), whole[5:])


@each_run
def test_no_steps_move_nothing(run):
    a, u, h_0 = problem(0)
    assert_equal(run(a, u, h_0), h_0[None])
    da, du, dh_0 = room.recurrence_backward(u, h_0, a, h_0[None], run)
    assert da.shape == du.shape == (0, B, H)
    assert_equal(dh_0, h_0)


def test_the_layer_computes_the_same_by_either():
    p = room.Params(draw(1, 2 * H, 4), draw(2, 2 * H))
    x, h_0, dy, dh_n = draw(3, T, B, 4), draw(4, B, H), draw(5, T, B, H), draw(6, B, H)
    results = []
    for run in (room.loop, room.scan):
        y, h_n, k = room.forward(p, x, h_0, run)
        dp, dx, dh_0 = room.backward(dy, dh_n, k)
        results.append((y, h_n, *dp, dx, dh_0))
    for by_loop, by_scan in zip(*results, strict=True):
        assert_close(by_scan, by_loop)
