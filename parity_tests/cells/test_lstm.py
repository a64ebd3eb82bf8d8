"""What is particular to the LSTM: the cell state, the projection, saturation."""

import numpy as np
import pytest

import reference
from reference.common.arrays import sigmoid

from ..helpers import assert_all, assert_close, draw, draw_state, results, twins


@pytest.mark.parametrize("proj_size", [0, 2])
def test_agrees_with_torch_nn(proj_size):
    ours, theirs = twins("LSTM", 3, 6, 2, proj_size=proj_size)
    x, s = draw(1, 5, 4, 3), draw_state(2, "LSTM", 2, 4, 6, proj_size=proj_size)
    assert_all(assert_close, results(ours, x, s), results(theirs, x, s))


def test_a_projection_narrows_h_and_not_c():
    y, (h_n, c_n) = reference.LSTM(3, 6, proj_size=2)(draw(1, 5, 4, 3, dtype="float32"))
    assert (y.shape, h_n.shape, c_n.shape) == ((5, 4, 2), (1, 4, 2), (1, 4, 6))


def test_the_identity_as_projection_changes_nothing():
    """With P = H and W_hr = 1 the room must give what it gives without: outputs and every shared gradient."""
    p = reference.LSTM(3, 6, dtype=np.float64, rng=np.random.default_rng(0)).params.values()
    x, s = draw(1, 5, 4, 3), reference.cells.lstm.State(draw(2, 4, 6), draw(3, 4, 6))
    both = []
    for W_hr in (None, np.eye(6)):
        y, s_n, k = reference.cells.lstm.forward(reference.cells.lstm.Params(*p, W_hr), x, s)
        dp, dx, ds = reference.cells.lstm.backward(draw(4, 5, 4, 6), s, k)
        both.append([y, *s_n, *dp[:4], dx, *ds])
    for without, with_one in zip(*both, strict=True):
        assert_close(with_one, without)


def test_an_open_forget_gate_carries_the_cell_state_and_its_gradient_unchanged():
    """The constant-error carousel: f = 1, i = 0 gives c_T = c_0 and dc_0 = dc_T."""
    layer = reference.LSTM(2, 3, dtype=np.float64)
    zero = {k: np.zeros_like(v) for k, v in layer.params.items()}
    zero["bias_ih_l0"] = np.repeat([-1e3, 1e3, 0.0, -1e3], 3)  # i f g o
    layer.load_state_dict(zero)
    c_0, dc_n = draw(1, 1, 4, 3), draw(2, 1, 4, 3)
    _, (_, c_n) = layer(draw(3, 50, 4, 2), (np.zeros((1, 4, 3)), c_0))
    _, (_, dc_0) = layer.backward(None, (np.zeros((1, 4, 3)), dc_n))
    np.testing.assert_array_equal(c_n, c_0)
    np.testing.assert_array_equal(dc_0, dc_n)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_sigmoid_is_accurate_in_both_tails_and_never_overflows(dtype):
    x = np.array([-1e5, -80, -30, -1, 0, 1, 30, 80, 1e5, np.inf, -np.inf, np.nan], dtype)
    s = sigmoid(x)
    assert s.dtype == dtype
    exact = np.exp(x[1:4].astype(np.longdouble)) / (1 + np.exp(x[1:4].astype(np.longdouble)))
    assert (np.abs(s[1:4] - exact) <= 4 * np.finfo(dtype).eps * exact).all()
    np.testing.assert_array_equal(s[[0, 4, 8, 9, 10]], np.array([0, 0.5, 1, 1, 0], dtype))
    assert np.isnan(s[-1])
