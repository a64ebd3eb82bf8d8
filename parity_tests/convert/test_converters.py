"""Weights to other libraries and back: the real layers compute the same, and nothing of a weight is lost."""

import numpy as np
import pytest

from reference.convert import ours, theirs
from reference.convert.conventions import OURS, TABLE
from reference.convert.naming import names
from reference.convert.placing import Params, placed, taken
from reference.convert.stacks import Stack

from .libraries import NEW, dtype_of, needed, place_of
from .problems import CASES, B, H, I, Problem, T, agree, computed, ids, problem

TRACED = ("JAX", "flax.linen", "flax.nnx", "equinox")  # what costs seconds


def bits(arrays):
    return {name: (v.shape, v.dtype, v.tobytes()) for name, v in arrays.items()}


def moved(c, stack):
    """Ours to theirs, where ``libraries.run`` wants them."""
    arrays = theirs(stack, c.layer, [str(place_of(c))])
    return {f"{name}[0]": v[0] for name, v in arrays.items()} if c.library == "ONNX" else arrays


def gathered(c, arrays):
    """As a file of the library has them"""
    return {name.removesuffix("[0]"): v[None] for name, v in arrays.items()} if c.library == "ONNX" else arrays


@pytest.mark.parametrize(("c", "reset_after"), CASES, **ids)
def test_what_was_ours_computes_the_same_there(c, reset_after):
    needed(c)
    p = problem(c, reset_after)
    assert agree(computed(c, moved(c, p.stack), p), p, dtype_of(c))


@pytest.mark.parametrize(("c", "reset_after"), CASES, **ids)
def test_what_was_theirs_computes_the_same_here(c, reset_after):
    """From arrays that the library named and shaped itself, every number replaced."""
    needed(c)
    own = NEW[c.library](c, I, H) if c.library in NEW else moved(c, problem(c).stack)
    draw = np.random.default_rng(1).standard_normal
    arrays = {name: draw(v.shape).astype(dtype_of(c)) for name, v in own.items()}
    given = ours(gathered(c, arrays), c.layer, reset_after=reset_after if c.cell == "gru" else None)
    p = problem(c, reset_after, seed=2)._replace(stack=given)
    assert given.nonlinearity == c.nonlinearities[0]
    assert agree(computed(c, arrays, p), p, dtype_of(c))
    assert bits(theirs(given, c.layer, [str(place_of(c))])) == bits(gathered(c, arrays))


@pytest.mark.parametrize(
    ("c", "reset_after"), [pytest.param(*case, marks=[pytest.mark.slow] * (case[0].library in TRACED)) for case in CASES], **ids
)
def test_a_gate_in_the_wrong_place_is_seen(c, reset_after):
    """The test above can fail: two gates of a weight exchanged, or a bias moved by a little."""
    needed(c)
    p = problem(c, reset_after)
    arrays = moved(c, p.stack)
    *_, name = arrays  # a bias
    arrays[name] = arrays[name] + np.asarray(1e-5, dtype_of(c))
    assert not agree(computed(c, arrays, p), p, dtype_of(c))
    if c.cell != "rnn":
        wrong = {k: np.concatenate([v[H : 2 * H], v[:H], v[2 * H :]]) for k, v in p.stack.weights.items()}
        assert not agree(computed(c, moved(c, p.stack._replace(weights=wrong)), p), p, dtype_of(c))


# --- what needs no package --------------------------------------------------------------------------------------------

SHAPES = [(1, 1), (3, 1), (1, 2), (3, 2)]
ROUND = [
    pytest.param(c, reset, id=f"{c.layer}-after={reset}") for c in (*TABLE, *OURS) if not c.source for reset in c.resets or (True,)
]


def zeros_and_extremes(c, stack):
    """The stack with numbers that arithmetic would change: -0, subnormal, huge."""
    odd = np.array([-0.0, 0.0, 5e-324, 1e308, -1e-300])
    weights = {k: v.copy() for k, v in stack.weights.items()}
    for v in weights.values():
        v.reshape(-1)[: len(odd)] = odd
    return stack._replace(weights=weights)


@pytest.mark.parametrize(("layers", "directions"), SHAPES)
@pytest.mark.parametrize(("c", "reset_after"), ROUND)
def test_the_round_trip_is_bit_for_bit(c, reset_after, layers, directions):
    """Theirs, ours, theirs always; ours, theirs, ours where no two biases become one."""
    p = problem(c, reset_after, layers=layers, directions=directions)
    told = {"bidirectional": directions == 2} | ({"reset_after": reset_after} if c.cell == "gru" else {})
    first = theirs(p.stack, c.layer)
    arrays = dict(first)
    for v in arrays.values():  # numbers that a sum would change
        v.reshape(-1)[:2] = -0.0, 5e-324
    given = ours(arrays, c.layer, **told)
    assert given.cell == c.cell and given.reset_after == reset_after
    assert bits(theirs(given, c.layer)) == bits(arrays)
    if c.biases == "two":
        odd = zeros_and_extremes(c, p.stack)
        assert bits(ours(theirs(odd, c.layer), c.layer, **told).weights) == bits(odd.weights)


@pytest.mark.parametrize("c", [c for c in TABLE if not c.source and c.biases != "two"], **ids)
def test_a_sum_is_a_sum(c):
    """Where two biases become one, ours come back as the sum, with what is the library's own apart."""
    reset_after = c.resets[0] if c.resets else True
    p = problem(c, reset_after)
    back = ours(theirs(p.stack, c.layer), c.layer, reset_after=reset_after if c.cell == "gru" else None).weights
    b_ih, b_hh = p.stack.weights["bias_ih_l0"], p.stack.weights["bias_hh_l0"]
    np.testing.assert_allclose(back["bias_ih_l0"] + back["bias_hh_l0"], b_ih + b_hh, rtol=0, atol=4 * np.finfo(float).eps * 8)
    assert all((back[k] == v).all() for k, v in p.stack.weights.items() if k.startswith("weight"))
    if c.biases == "n apart":
        assert (back["bias_hh_l0"][-H:] == b_hh[-H:]).all()
        assert (back["bias_ih_l0"][-H:] == b_ih[-H:]).all()


def test_haiku_adds_one_to_the_bias_of_f_and_inverts_z():
    c, g = (next(c for c in TABLE if c.layer == layer) for layer in ("haiku.LSTM", "haiku.GRU"))
    p = Params(np.ones((4, 1)), np.ones((4, 1)), np.array([1.0, 2, 3, 4]), np.zeros(4))
    w = placed(c, p)
    np.testing.assert_array_equal(w.biases[0], [1, 3, 1, 4])  # i g f o, f without its 1
    np.testing.assert_array_equal(taken(c, w).b_hh, [0, 1, 0, 0])
    w = placed(g, Params(np.arange(3.0)[:, None], np.ones((3, 1)), np.zeros(3), np.array([7.0, 8, 9])))
    np.testing.assert_array_equal(w.W_ih, [[-1, 0, 2]])  # z r n
    np.testing.assert_array_equal(w.biases[0], [-8, 7, 9])


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("layer", ["torch.nn.LSTM", "keras.layers.LSTM", "LSTM", "equinox.nn.LSTMCell", "mlx.nn.LSTM"])
def test_no_biases_stay_none(layer, directions, layers):
    c = next(c for c in TABLE if c.layer == layer)
    stack = problem(c, layers=layers, directions=directions).stack
    bare = stack._replace(weights={k: v for k, v in stack.weights.items() if k.startswith("weight")})
    arrays = theirs(bare, layer)
    assert not any("b" in name.rpartition("/")[2].lower().replace("weight", "") for name in arrays)
    assert bits(ours(arrays, layer, bidirectional=directions == 2).weights) == bits(bare.weights)


@pytest.mark.parametrize("layer", ["jax.experimental.rnn.lstm", "flax.linen.LSTMCell", "haiku.LSTM"])
def test_a_library_that_always_has_biases_gets_them(layer):
    c = next(c for c in TABLE if c.layer == layer)
    stack = problem(c).stack
    bare = stack._replace(weights={k: v for k, v in stack.weights.items() if k.startswith("weight")})
    back = ours(theirs(bare, layer), layer).weights
    assert not (back["bias_ih_l0"] + back["bias_hh_l0"]).any()


def test_a_projection_stays_where_there_is_one():
    weights = problem(next(c for c in TABLE if c.layer == "torch.nn.LSTM")).stack.weights
    weights |= {"weight_hh_l0": weights["weight_hh_l0"][:, :2], "weight_hr_l0": np.ones((2, H))}
    stack = Stack("lstm", weights)
    assert bits(ours(theirs(stack, "torch")).weights) == bits(stack.weights)
    for library in ("keras", "onnx", "mlx", "paddle"):
        with pytest.raises(ValueError, match="no place for a projection"):
            theirs(stack, library)


@pytest.mark.parametrize(
    ("cell", "library", "more", "sentence"),
    [
        ("gru", "flax.nnx", {}, "flax.nnx.GRUCell has no place for b_hn: it must be zero"),
        ("gru", "torch", {"reset_after": False}, "torch.nn.GRU resets after the recurrent product, this GRU before it"),
        ("gru", "haiku", {}, "haiku.GRU resets before the recurrent product, this GRU after it"),
        ("rnn", "haiku", {}, "haiku.VanillaRNN is relu, this RNN tanh"),
        ("rnn", "equinox", {}, "equinox has no rnn"),
        ("gru", "jax", {}, "jax has no gru"),
        ("gru", "caffe", {}, "no library 'caffe' is known; there are reference, torch"),
        ("lstm", "cudnn", {}, "no library 'cudnn' is known"),
    ],
)
def test_what_cannot_be_held_is_refused(cell, library, more, sentence):
    c = next(c for c in TABLE if c.library == "torch" and c.cell == cell)
    with pytest.raises(ValueError, match=sentence):
        theirs(problem(c).stack._replace(**more), library)


def test_names_are_those_that_a_place_says():
    stack = problem(next(c for c in TABLE if c.layer == "keras.layers.LSTM")).stack
    assert list(theirs(stack, "keras", ["encoder/*"])) == ["encoder/kernel", "encoder/recurrent_kernel", "encoder/bias"]
    assert list(theirs(stack, "torch", ["rnn.*_l0"])) == [f"rnn.{v}_l0" for v in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    with pytest.raises(ValueError, match="1 places are needed, one for each layer and direction, got 2"):
        theirs(stack, "keras", ["a/*", "b/*"])


def test_every_row_has_a_name_for_every_array():
    for c in (*TABLE, *OURS):
        if not c.source:
            assert len(names(c)) == 2 + {"two": 2, "sum": 1, "n apart": 2, "no b_hn": 1}[c.biases], c.layer


def test_the_layer_of_a_stack_is_the_reference():
    p = problem(next(c for c in TABLE if c.layer == "torch.nn.GRU"), layers=2, directions=2)
    y, _ = p.stack.layer()(p.x)
    assert isinstance(p, Problem)
    assert y.shape == (T, B, 2 * H)
