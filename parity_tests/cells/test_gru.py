"""What is particular to the GRU: where the reset acts, and two biases that are not redundant."""

import numpy as np
import pytest

import reference

from ..helpers import assert_all, assert_close, draw, results, twins


def run(reset_after):
    layer = reference.GRU(3, 6, reset_after=reset_after, dtype=np.float64, rng=np.random.default_rng(0))
    y, _ = layer(draw(1, 5, 4, 3), draw(2, 1, 4, 6))
    layer.backward(draw(3, 5, 4, 6), draw(4, 1, 4, 6))
    return y, layer.grads


def test_agrees_with_torch_nn():
    ours, theirs = twins("GRU", 3, 6, 2)
    x, s = draw(1, 5, 4, 3), draw(2, 2, 4, 6)
    assert_all(assert_close, results(ours, x, s), results(theirs, x, s))


@pytest.mark.parametrize("reset_after", [True, False])
def test_the_biases_differ_only_where_the_reset_gate_scales_one_of_them(reset_after):
    _, grads = run(reset_after)
    b_ih, b_hh = grads["bias_ih_l0"], grads["bias_hh_l0"]
    np.testing.assert_array_equal(b_ih[:12], b_hh[:12])  # r and z
    if reset_after:
        assert (np.abs(b_ih[12:] - b_hh[12:]) > 1e-3).all()  # n
    else:
        np.testing.assert_array_equal(b_ih[12:], b_hh[12:])


def test_before_and_after_are_different_networks():
    assert np.abs(run(True)[0] - run(False)[0]).max() > 1e-2


def test_before_and_after_are_one_network_where_the_reset_gate_is_open():
    """With r = 1 both definitions read n = tanh(a_x + h W_hn + b_hn)."""
    outputs = []
    for reset_after in (True, False):
        layer = reference.GRU(3, 6, reset_after=reset_after, dtype=np.float64, rng=np.random.default_rng(0))
        weights = layer.state_dict()
        weights["bias_ih_l0"][:6] = 1e3
        layer.load_state_dict(weights)
        y, _ = layer(draw(1, 5, 4, 3), draw(2, 1, 4, 6))
        outputs.append(y)
    assert_close(outputs[0], outputs[1])


def test_update_gate_keeps_the_old_state():
    """torch's convention: z = 1 means h stays."""
    layer = reference.GRU(3, 6, dtype=np.float64)
    weights = {k: np.zeros_like(v) for k, v in layer.params.items()}
    weights["bias_ih_l0"][6:12] = 1e3
    layer.load_state_dict(weights)
    h = draw(2, 1, 4, 6)
    np.testing.assert_array_equal(layer(draw(1, 5, 4, 3), h)[1], h)
