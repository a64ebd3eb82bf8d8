"""What is particular to linear: torch.nn.Linear itself, the module, and its errors."""

import re

import numpy as np
import pytest
import torch
from torch import nn

import reference
from torch_impl.parts.attention import Attention

from ..helpers import assert_close, assert_equal, draw, tensor


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("lead", [(), (4,), (5, 4), (2, 0)])
def test_agrees_with_torch_nn(lead, bias):
    ours = reference.Linear(3, 6, bias, dtype=np.float64, rng=np.random.default_rng(0))
    theirs = nn.Linear(3, 6, bias, dtype=torch.float64)
    theirs.load_state_dict({k: tensor(v) for k, v in ours.state_dict().items()})
    x, dy = draw(1, *lead, 3), draw(2, *lead, 6)
    leaf = tensor(x).requires_grad_()
    y = theirs(leaf)
    y.backward(tensor(dy))
    assert_close(ours(x), y)
    assert_close(ours.backward(dy), leaf.grad)
    assert ours.grads.keys() == ours.params.keys() == dict(theirs.named_parameters()).keys()
    for k, v in theirs.named_parameters():
        assert_close(ours.grads[k], v.grad)


def test_the_initial_weights_are_uniform_within_torchs_bound():
    weight = reference.Linear(16, 4000, rng=np.random.default_rng(0)).params["weight"]
    assert weight.dtype == np.float32
    assert 0.249 < np.abs(weight).max() <= 0.25
    assert abs(weight.std() - 0.25 / np.sqrt(3)) < 0.001


def test_pullbacks_are_pure_and_independent():
    layer = reference.Linear(3, 2, dtype=np.float64, rng=np.random.default_rng(0))
    x, dy = draw(1, 4, 3), draw(2, 4, 2)
    _, pull = layer.vjp(x)
    first, dx = pull(dy)
    x[:] = 7
    layer.vjp(x)[1](3 * dy)
    second, dx_again = pull(dy)
    assert_equal(dx_again, dx)
    assert all((first[k] == second[k]).all() for k in first)


def test_errors_name_the_argument():
    layer = reference.Linear(3, 2)
    with pytest.raises(RuntimeError, match=r"Linear: input must have 3 features on its last axis, got shape \(4, 5\)"):
        layer(draw(1, 4, 5, dtype="float32"))
    with pytest.raises(RuntimeError, match="must have dtype float32, that of the weights, got float64"):
        layer(draw(1, 4, 3))
    with pytest.raises(RuntimeError, match="backward needs a forward before it"):
        layer.backward(draw(1, 4, 2, dtype="float32"))
    layer(draw(1, 4, 3, dtype="float32"))
    with pytest.raises(RuntimeError, match=r"Linear: dy must have shape \(4, 2\), got \(2, 4\)"):
        layer.backward(draw(1, 2, 4, dtype="float32"))
    with pytest.raises(ValueError, match="out_features must be greater than zero, got 0"):
        reference.Linear(3, 0)
    with pytest.raises(TypeError, match="in_features must be an int, got float"):
        reference.Linear(3.0, 1)
    with pytest.raises(TypeError, match="bias must be True or False, got 'False'"):
        reference.Linear(3, 1, "False")


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: reference.Linear(2**31, 2**32), ("in_features", "out_features")),
        (lambda: reference.Embedding(2**31, 2**32), ("num_embeddings", "embedding_dim")),
        (lambda: Attention(2**31, 2**32, attention_size=2**33), ("query_size", "memory_size", "attention_size")),
    ],
    ids=["Linear", "Embedding", "torch_impl's Attention"],
)
def test_what_no_memory_holds_is_refused_by_the_names_of_its_sizes(make, names):
    with pytest.raises(ValueError, match=r"GiB of memory that this machine has") as error:
        make()
    assert all(re.search(rf"\b{name} \d", str(error.value)) for name in names)
