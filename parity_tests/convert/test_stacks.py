"""Whole stacks, three layers in both directions, in the libraries whose layers are stacks: which number or name is whose.

ONNX and Keras are in test_files.py, as models.
"""

from importlib import import_module

import numpy as np
import pytest

from reference.convert import ours, theirs

from .libraries import jax_numpy, needed, paddle
from .problems import CHECKED, B, H, I, T, agree, problem

L, D = 3, 2
ROWS = {c.layer: c for c in CHECKED}


def run_torch(c, arrays, p):
    torch = import_module("torch")
    layer = getattr(torch.nn, c.layer.split(".")[-1])(I, H, L, bidirectional=True).double()
    layer.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
    state = [torch.from_numpy(v) for v in p.state]
    with torch.no_grad():
        y, s_n = layer(torch.from_numpy(p.x), tuple(state) if len(state) == 2 else state[0])
    return [v.numpy() for v in (y, *(s_n if isinstance(s_n, tuple) else (s_n,)))]


def run_paddle(c, arrays, p):
    lib = paddle()
    layer = getattr(lib.nn, c.layer.split(".")[-1])(I, H, num_layers=L, direction="bidirect", time_major=True)
    own = dict(layer.named_parameters())
    assert own.keys() == arrays.keys()
    for name, v in arrays.items():
        own[name].set_value(v)
    state = [lib.to_tensor(v) for v in p.state]
    y, s_n = layer(lib.to_tensor(p.x), tuple(state) if len(state) == 2 else state[0])
    return [v.numpy() for v in (y, *(s_n if isinstance(s_n, tuple) else (s_n,)))]


def run_jax(c, arrays, p):
    jnp, rnn = jax_numpy(), import_module("jax.experimental.rnn")
    held = [{k: jnp.array(arrays[f"{name}/{k}"]) for k in range(L * D)} for name in ("W_ih", "W_hh", "b_ih", "b_hh")]
    states = [jnp.array(v) for v in p.state]
    y, *s_n = rnn.lstm_ref(jnp.array(p.x.swapaxes(0, 1)), *states, *held, jnp.full(B, T, jnp.int32), I, H, L, 0.0, True)
    return [np.asarray(y).swapaxes(0, 1), *(np.asarray(v).reshape(L * D, B, H) for v in s_n)]


RUN = {"torch": run_torch, "Paddle": run_paddle, "JAX": run_jax}


@pytest.mark.parametrize("layer", [c.layer for c in CHECKED if c.library in RUN])
def test_a_stack_computes_the_same_there(layer):
    c = ROWS[layer]
    needed(c)
    p = problem(c, layers=L, directions=D)
    arrays = theirs(p.stack, layer)
    assert agree(RUN[c.library](c, arrays, p), p, "float64")
    back = ours(arrays, layer, bidirectional=True)
    assert all((back.weights[k] == v).all() for k, v in p.stack.weights.items())


@pytest.mark.parametrize("layer", [c.layer for c in CHECKED if c.library in RUN])
def test_directions_that_are_exchanged_are_seen(layer):
    c = ROWS[layer]
    needed(c)
    p = problem(c, layers=L, directions=D)
    other = {k: k.removesuffix("_reverse") if k.endswith("_reverse") else f"{k}_reverse" for k in p.stack.weights}
    wrong = p.stack._replace(weights={k: p.stack.weights[other[k]] for k in p.stack.weights})
    assert not agree(RUN[c.library](c, theirs(wrong, layer), p), p, "float64")
