"""Each row of reference/convert/conventions.py against the package itself: other orders of gates and resets do not agree,
what a new layer starts from, and which axes come first.  That the row itself agrees is test_converters.py."""

import os
from importlib import import_module
from inspect import signature
from itertools import permutations

import numpy as np
import pytest

from reference.convert.conventions import GATES, TABLE, Convention, order
from reference.convert.naming import named, unnamed
from reference.convert.placing import Params

from .libraries import NEW, SINGLE, dtype_of, jax_numpy, needed, place_of
from .problems import CHECKED, agree, computed, expected, ids, problem

WIDE_I, WIDE_H = 60, 48  # of a new layer: enough draws to see what they are from
rows = pytest.mark.parametrize("c", [c for c in CHECKED if len(c.gates) > 1], **ids)


@pytest.mark.slow
@rows
def test_no_other_order_of_gates_agrees(c):
    needed(c)
    p, ours = problem(c, reset_after=c.resets[0] if c.resets else True), GATES[c.cell]
    for gates in permutations(ours):
        if c.biases == "no b_hn":  # or what is moved there would be refused
            p.stack.weights["bias_hh_l0"][:] = 0
        wrong = Params(*(v if v is None else in_order(v, [ours.index(g) for g in gates]) for v in p.stack.params[0]))
        assert agree(computed(c, named(c, wrong, place_of(c)), p), p, dtype_of(c)) == (gates == tuple(ours)), gates


def in_order(v: np.ndarray, order: list[int]) -> np.ndarray:
    blocks = np.split(v, len(order))
    return np.concatenate([blocks[k] for k in order])


@pytest.mark.slow
@pytest.mark.parametrize("c", [c for c in CHECKED if c.cell == "gru"], **ids)
def test_the_other_reset_does_not_agree(c):
    needed(c)
    p = problem(c, c.resets[0])
    y = computed(c, named(c, p.stack.params[0], place_of(c)), p)
    other = p._replace(stack=p.stack._replace(reset_after=not c.resets[0]))
    assert agree(y, p, dtype_of(c))
    assert np.abs(y[0] - expected(other, np.float64)[0]).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("c", [c for c in CHECKED if c.negated or c.added], **ids)
def test_a_sign_or_a_one_that_is_forgotten_is_seen(c):
    needed(c)
    p = problem(c, reset_after=c.resets[0] if c.resets else True)
    for wrong in (c._replace(negated=""), c._replace(added=0.0)):
        assert agree(computed(c, named(wrong, p.stack.params[0], place_of(c)), p), p, dtype_of(c)) == (wrong == c)


@pytest.mark.slow
@pytest.mark.parametrize("c", [c for c in CHECKED if c.input_from], **ids)
def test_what_a_new_layer_starts_from(c):
    needed(c)
    p = unnamed(c, {name: v.astype(np.float64) for name, v in NEW[c.library](c, WIDE_I, WIDE_H).items()}, place_of(c))
    drawn_from(c.input_from, p.W_ih, c)
    drawn_from(c.hidden_from, p.W_hh, c)
    total = p.b_ih + p.b_hh
    if c.bias_from == "uniform":
        assert 0.9 * WIDE_H**-0.5 < np.abs(p.b_ih).max() <= WIDE_H**-0.5
        assert bool(p.b_hh.any()) == (c.biases in ("two", "n apart"))
        assert (c.forget or "uniform ±k") in ("uniform ±k", "uniform ±k, twice")
        assert c.forget.endswith("twice") == (c.cell == "lstm" and c.biases == "two")
    else:
        f = slice(WIDE_H, 2 * WIDE_H)
        assert (total[f] == {"": 0, "0": 0, "1": 1}.get(c.forget, c.added)).all()
        total[f] = 0
        assert not total.any()


def drawn_from(what: str, W: np.ndarray, c: Convention) -> None:
    """Assert what one weight (G·H, in) of a new layer was drawn from."""
    fan_out, fan_in = W.shape
    if what in ("uniform", "glorot"):
        limit = WIDE_H**-0.5 if what == "uniform" else (6 / (fan_in + fan_out)) ** 0.5
        assert 0.98 * limit < np.abs(W).max() <= limit * (1 + 1e-6)
        assert abs(W.std() * 3**0.5 / limit - 1) < 0.05
    elif what in ("lecun", "cut", "cut both"):  # normal, cut off at two standard deviations; lecun makes up for it
        inputs, scale = WIDE_I + WIDE_H if what == "cut both" else fan_in, 1 if what == "lecun" else 0.8796
        assert abs(W.std() * inputs**0.5 - scale) < 0.05
        assert np.abs(W).max() <= 2.01 * inputs**-0.5 * scale / 0.8796
    else:  # of (in, G·H), the rows of all gates or of each
        for block in [W] if what == "orthogonal" else np.split(W, len(c.gates)):
            eps = max(np.finfo(dtype_of(c)).eps, np.finfo(np.float32).eps if c.library == "Keras" else 0)
            np.testing.assert_allclose(block.T @ block, np.eye(fan_in), atol=fan_in * eps)


@pytest.mark.slow
@pytest.mark.parametrize("module", ["flax.linen", "flax.nnx"])
def test_the_loops_of_flax_are_batch_first(module):
    """The rows of flax run its cells, a step at a time; what its RNN takes is its default."""
    needed(next(c for c in TABLE if c.library == module))
    jax_numpy()
    assert signature(import_module(module).RNN.__init__).parameters["time_major"].default is False
    assert all(c.x == "B, T, I" for c in TABLE if c.library == module)


def test_the_loop_of_haiku_is_time_first():
    needed(next(c for c in TABLE if c.library == "haiku"))
    jax_numpy()
    assert signature(import_module("haiku").dynamic_unroll).parameters["time_major"].default is True
    assert all(c.x == "T, B, I" for c in TABLE if c.library == "haiku")


@pytest.mark.slow
@pytest.mark.parametrize(
    "c", [next(c for c in TABLE if c.layer in SINGLE and c.library == library) for library in ("Keras", "MLX")], **ids
)
def test_why_some_rows_are_judged_in_float32(c):
    """If this fails, Keras multiplies in float64, or MLX has a sigmoid of float64, and its rows in SINGLE can go."""
    needed(c)
    a = np.random.default_rng(0).standard_normal((4, 4))
    if c.library == "MLX":
        mx = import_module("mlx.core")
        off = np.abs(np.array(mx.sigmoid(mx.array(a, dtype=mx.float64), stream=mx.cpu)) - 1 / (1 + np.exp(-a))).max()
    else:
        os.environ.setdefault("KERAS_BACKEND", "torch")
        off = np.abs(import_module("keras").ops.matmul(a, a).numpy() - a @ a).max()
    assert 1e-9 < off < 1e-5


def test_a_row_is_a_permutation_in_letters_of_its_own():
    for c in TABLE:
        assert sorted(order(c)) == list(range(len(c.gates))), c.layer
        assert len(c.own) == len(c.gates), c.layer
        assert (c.reset != "") == (c.cell == "gru") == bool(c.resets), c.layer
