"""What is particular to embedding: torch.nn.Embedding itself, ways to scatter, the module, and its errors."""

import numpy as np
import pytest
import torch
from torch import nn

import reference
from reference.parts.embedding import scatter

from ..helpers import assert_close, assert_equal, draw, tensor


@pytest.mark.parametrize("padding_idx", [None, 0, 4, -1])
@pytest.mark.parametrize("shape", [(), (5,), (5, 4), (0, 4)])
def test_agrees_with_torch_nn(shape, padding_idx):
    ours = reference.Embedding(7, 3, padding_idx, dtype=np.float64, rng=np.random.default_rng(0))
    theirs = nn.Embedding(7, 3, padding_idx, dtype=torch.float64)
    theirs.load_state_dict({k: tensor(v) for k, v in ours.state_dict().items()})
    assert ours.padding_idx == theirs.padding_idx
    ids, dy = np.random.default_rng(1).integers(0, 7, shape), draw(2, *shape, 3)
    y = theirs(tensor(ids))
    y.backward(tensor(dy))
    assert_equal(ours(ids), y)
    ours.backward(dy)
    assert_close(ours.grads["weight"], theirs.weight.grad)


@pytest.mark.parametrize("dtype", ["float32", "float64", np.longdouble, "complex128"])
def test_the_sparse_product_is_the_loop_over_tokens(dtype):
    ids, dy = np.random.default_rng(0).integers(0, 9, 300), draw(1, 300, 4, dtype=dtype)
    expected = np.zeros((9, 4), dtype)
    for token, row in zip(ids, dy, strict=True):
        expected[token] += row
    assert_equal(scatter(dy, ids, 9), expected)  # the same sums in the same order


def test_the_initial_rows_are_standard_normal_and_padding_is_zero():
    weight = reference.Embedding(400, 50, padding_idx=3, rng=np.random.default_rng(0)).params["weight"]
    assert weight.dtype == np.float32
    assert (weight[3] == 0).all()
    assert abs(weight.mean()) < 0.03 and abs(weight.std() - 1) < 0.02


@pytest.mark.parametrize("bad", [7, -1])
def test_a_token_out_of_range_is_torchs_error(bad):
    ids = np.array([[0, 1], [bad, 2]])
    with pytest.raises(IndexError):
        nn.Embedding(7, 3)(tensor(ids))
    with pytest.raises(IndexError, match=f"Embedding: ids must be from 0 to below 7, got {bad}"):
        reference.Embedding(7, 3)(ids)


def test_other_errors_name_the_argument():
    with pytest.raises(RuntimeError, match="Embedding: ids must be whole numbers, got float64"):
        reference.Embedding(7, 3)(np.array([1.0]))
    with pytest.raises(ValueError, match="padding_idx must be from -7 to below 7, got 7"):
        reference.Embedding(7, 3, 7)
    with pytest.raises(TypeError, match="padding_idx must be an int or None, got float"):
        reference.Embedding(7, 3, 1.0)
    layer = reference.Embedding(7, 3)
    layer(np.array([1, 2]))
    with pytest.raises(RuntimeError, match=r"Embedding: dy must have shape \(2, 3\), got \(3,\)"):
        layer.backward(np.zeros(3, np.float32))


def test_ids_may_change_between_forward_and_backward():
    layer, ids = reference.Embedding(7, 3), np.array([1, 2])
    layer(ids)
    ids[:] = 5
    layer.backward(np.ones((2, 3), np.float32))
    assert_equal(layer.grads["weight"].sum(1), np.array([0, 3, 3, 0, 0, 0, 0], np.float32))
