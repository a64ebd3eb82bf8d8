"""What is particular to the Elman RNN."""

import numpy as np
import pytest
import torch

import reference

from ..helpers import assert_all, assert_close, draw, results, twins


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_agrees_with_torch_nn(nonlinearity):
    ours, theirs = twins("RNN", 3, 6, 2, nonlinearity)
    x, s = draw(1, 5, 4, 3), draw(2, 2, 4, 6)
    assert_all(assert_close, results(ours, x, s), results(theirs, x, s))


def test_the_two_biases_are_redundant():
    """They are only ever added, so their gradients are equal, and they are two arrays."""
    layer = reference.RNN(3, 6, dtype=np.float64)
    y, _ = layer(draw(1, 5, 4, 3))
    layer.backward(np.ones_like(y))
    np.testing.assert_array_equal(layer.grads["bias_ih_l0"], layer.grads["bias_hh_l0"])
    assert layer.grads["bias_ih_l0"] is not layer.grads["bias_hh_l0"]


def test_relu_at_zero_has_derivative_zero_and_keeps_nan_like_torch():
    a = np.array([[-1.0, 0.0, 2.0, np.nan]])
    p = reference.cells.rnn.Params(np.eye(4), np.zeros((4, 4)), np.zeros(4), np.zeros(4))
    h = reference.cells.rnn.step_forward(p, a, np.zeros((1, 4)), "relu")
    np.testing.assert_array_equal(h, torch.relu(torch.tensor(a)).numpy())
    da, _ = reference.cells.rnn.step_backward(p, np.ones((1, 4)), h[:, :3] @ np.eye(3, 4), "relu")
    np.testing.assert_array_equal(da[0, :3], [0, 0, 1])


def test_an_unbounded_relu_overflows_to_inf_without_a_warning():
    layer = reference.RNN(1, 1, nonlinearity="relu", bias=False, dtype=np.float32)
    layer.load_state_dict({"weight_ih_l0": [[1.0]], "weight_hh_l0": [[1e6]]})
    y, _ = layer(np.ones((10, 1, 1), np.float32))
    assert np.isinf(y[-1]).all()
