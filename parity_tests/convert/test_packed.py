"""The vector of jax.experimental.rnn: both ways, and as JAX itself reads it."""

from importlib import import_module

import numpy as np
import pytest

from reference.convert import ours, pack, theirs, unpack

from .libraries import jax_numpy, needed
from .problems import CHECKED, H, I, problem

NAMES = ("W_ih", "W_hh", "b_ih", "b_hh")
JAX = next(c for c in CHECKED if c.library == "JAX")
stacks = pytest.mark.parametrize(("layers", "directions"), [(1, 1), (3, 1), (1, 2), (3, 2)])


@stacks
def test_what_is_packed_comes_back_bit_for_bit(layers, directions):
    stack = problem(JAX, layers=layers, directions=directions).stack
    back = unpack(pack(stack), I, H, layers, directions == 2)
    assert back.weights.keys() == stack.weights.keys()
    assert all((back.weights[k] == v).all() for k, v in stack.weights.items())


@stacks
def test_jax_unpacks_what_is_packed(layers, directions):
    needed(JAX)
    jax_numpy()
    stack = problem(JAX, layers=layers, directions=directions).stack
    held = import_module("jax.experimental.rnn").unpack_lstm_weights(pack(stack), I, H, layers, directions == 2)
    arrays = theirs(stack, "JAX")
    for name, by_number in zip(NAMES, held, strict=True):
        for k, v in by_number.items():
            assert (np.asarray(v) == arrays.pop(f"{name}/{k}")).all(), (name, k)
    assert not arrays


def test_what_jax_makes_is_read():
    """A new vector of JAX's, by its own reading and by ours."""
    needed(JAX)
    jax_numpy()
    jax, rnn = import_module("jax"), import_module("jax.experimental.rnn")
    packed = np.asarray(rnn.init_lstm_weight(jax.random.key(0), I, H, 2, True))
    held = rnn.unpack_lstm_weights(packed, I, H, 2, True)
    arrays = {f"{name}/{k}": np.asarray(v) for name, d in zip(NAMES, held, strict=True) for k, v in d.items()}
    by_jax, by_us = ours(arrays, "JAX", bidirectional=True), unpack(packed, I, H, 2, True)
    assert all((by_us.weights[k] == v).all() for k, v in by_jax.weights.items())


def test_sizes_and_cells_that_do_not_fit_are_refused():
    stack = problem(JAX).stack
    with pytest.raises(ValueError, match=r"has \d+ numbers in one vector, got an array of shape \(\d+,\)"):
        unpack(pack(stack)[:-1], I, H)
    with pytest.raises(ValueError, match="got an array of shape"):
        unpack(pack(stack), I + 1, H)
    with pytest.raises(ValueError, match="hidden_size must be greater than zero, got -4"):
        unpack(pack(stack), I, -4)
    with pytest.raises(TypeError, match="input_size must be an int, got float"):
        unpack(pack(stack), 3.0, H)
    gru = next(c for c in CHECKED if c.layer == "torch.nn.GRU")
    with pytest.raises(ValueError, match="an LSTM only, not a gru"):
        pack(problem(gru).stack)
