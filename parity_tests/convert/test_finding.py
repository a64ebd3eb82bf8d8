"""Recurrent layers among the arrays of a model: found by name and shape, in whatever company, or asked about."""

import numpy as np
import pytest

from reference.convert import find, ours, theirs
from reference.convert.conventions import TABLE
from reference.convert.finding import at

from .problems import H, I, problem

ROWS = {c.layer: c for c in TABLE if not c.source}
INFERRED = [c for c in ROWS.values() if c.library not in ("Paddle",)]  # whose names are torch's, and mean the same


def model(layer, prefix="", **sizes):
    """Arrays of a layer under a prefix, among others that are none."""
    c = ROWS[layer]
    p = problem(c, c.resets[0] if c.resets else True, **sizes)
    arrays = {f"{prefix}{name}": v for name, v in theirs(p.stack, layer).items()}
    others = {"embedding.weight": np.ones((7, I)), "head/kernel": np.ones((H, 7)), "head/bias": np.ones(7), "step": np.array(3),
              "linear/w": np.ones((I, 20)), "linear/b": np.ones(20), "mlp/linear/w": np.ones((9, 20)), "mlp/linear/b": np.ones(20),
              "conv.weight": np.ones((3, 3, 3)), "bias": np.ones(20)}  # fmt: skip
    return {**others, **arrays}, p.stack


@pytest.mark.parametrize("c", INFERRED, ids=lambda c: c.layer)
@pytest.mark.parametrize("layers", [1, 2])
def test_a_layer_is_found_among_other_arrays(c, layers):
    separator = "." if c.library in ("torch", "MLX") else "/"
    arrays, stack = model(c.layer, f"encoder{separator}", layers=layers)
    found = find(arrays)
    assert [(f.convention.layer, f.sizes) for f in found] == [(c.layer, (I, H)), (c.layer, (H, H))][:layers]
    assert all(str(f.place).startswith("encoder") for f in found)
    assert [f.place for f in find(arrays, c.library.lower())] == [f.place for f in found]
    back = ours(arrays, places=["encoder"], bidirectional=False)
    assert back.num_layers == layers
    assert (back.weights["weight_hh_l0"] == stack.weights["weight_hh_l0"]).all()


def test_paddle_names_are_torch_names_with_the_same_meaning():
    arrays, stack = model("paddle.nn.LSTM", "rnn.", layers=2, directions=2)
    copies = {
        f"rnn.0.cell_{d}w.{name}": np.ones(shape)
        for d in "fb"
        for name, shape in (("weight_ih", (4 * H, I)), ("weight_hh", (4 * H, H)))
    }
    found = find(arrays | copies)  # as in Paddle's state_dict, which has each array twice
    assert [str(f.place) for f in found] == ["rnn.*_l0", "rnn.*_l0_reverse", "rnn.*_l1", "rnn.*_l1_reverse"]
    assert len(find(copies)) == 2  # where they are alone they are layers
    assert all((ours(arrays, "paddle").weights[k] == v).all() for k, v in stack.weights.items())


def test_layers_are_in_the_order_of_their_numbers():
    c = ROWS["torch.nn.LSTM"]
    stack = problem(c, layers=12).stack
    shuffled = {k: stack.weights[k] for k in sorted(stack.weights)}  # _l10 before _l2
    assert [str(f.place) for f in find(shuffled)] == [f"*_l{k}" for k in range(12)]


def test_two_models_in_one_file_are_told_apart_by_place():
    a, stack = model("torch.nn.GRU", "encoder.")
    b, _ = model("torch.nn.LSTM", "decoder.")
    with pytest.raises(ValueError, match="are layers of different kinds or sizes"):
        ours(a | b)
    assert ours(a | b, places=["encoder."]).cell == "gru"
    assert (ours(a | b, "torch", ["encoder.*_l0"]).weights["bias_hh_l0"] == stack.weights["bias_hh_l0"]).all()
    with pytest.raises(ValueError, match="no recurrent layer's names begin with 'head'"):
        ours(a | b, places=["head"])


def test_a_module_with_a_name_of_its_own_is_found_where_one_says():
    c = ROWS["haiku.LSTM"]
    arrays = {f"tower/~/{k.removeprefix('lstm/')}": v for k, v in theirs(problem(c).stack, "haiku").items()}
    assert find(arrays) == []
    assert at(arrays, "haiku", "tower/~/*").sizes == (I, H)
    assert ours(arrays, "haiku", ["tower/~/*"]).cell == "lstm"
    with pytest.raises(ValueError, match=r"whose layer is at 'tower/~/\*'"):
        ours(arrays, places=["tower/~/*"])
    with pytest.raises(ValueError, match=r"no layer of haiku is at 'tower/\*'"):
        ours(arrays, "haiku", ["tower/*"])


@pytest.mark.parametrize("layer", ["flax.linen.LSTMCell", "flax.nnx.OptimizedLSTMCell", "haiku.GRU"])
def test_names_that_are_joined_by_dots_are_read_too(layer):
    arrays, _ = model(layer, "cell/")
    dotted = {k.replace("/", "."): v for k, v in arrays.items()}
    assert [f.convention.layer for f in find(dotted)] == [layer]


def test_nothing_is_found_where_shapes_do_not_fit():
    """A wrong number of rows, a transposed weight, a bias of another length, whole numbers."""
    arrays, _ = model("torch.nn.LSTM")
    assert len(find(arrays)) == 1
    for name, wrong in (
        ("weight_ih_l0", np.ones((4 * H + 1, I))),
        ("weight_hh_l0", np.ones((H, 4 * H))),
        ("bias_hh_l0", np.ones(4 * H - 1)),
        ("weight_ih_l0", np.ones((4 * H, I), int)),
        ("weight_hh_l0", np.ones(())),
        ("weight_ih_l0", np.ones((0, I))),
    ):
        assert find(arrays | {name: wrong}) == []
    with pytest.raises(ValueError, match="no recurrent layer was found"):
        ours(arrays | {"weight_hh_l0": np.ones((H, 4 * H))})
    with pytest.raises(ValueError, match=r"the arrays \*_l0 have not the shapes of torch.nn"):
        at(arrays | {"weight_hh_l0": np.ones((H, 4 * H))}, "torch", "*_l0")
    with pytest.raises(ValueError, match=r"torch.nn.RNN has an array"):
        at({"weight_ih_l0": np.ones((H, I))}, "torch", "*_l0")


@pytest.mark.parametrize("layer", [c.layer for c in ROWS.values()])
def test_any_array_of_a_layer_can_be_of_any_shape(layer):
    """It is a ValueError, or a layer of another size."""
    c = ROWS[layer]
    arrays = theirs(problem(c, c.resets[0] if c.resets else True).stack, layer)
    for name, v in arrays.items():
        for wrong in (
            np.ones(()),
            np.ones(0),
            np.ones(3),
            np.ones((2, 3)),
            np.ones((2, 2, 2, 2)),
            v[..., None],
            v[:-1],
            v[:0],
            v.astype("U"),
        ):
            try:
                given = ours(arrays | {name: wrong}, layer)
            except ValueError:
                continue
            assert theirs(given, layer)[name].shape == wrong.shape


def test_directions_that_no_name_tells_are_asked_about():
    square = {"weight_ih_l0": np.ones((4 * H, H)), "weight_hh_l0": np.ones((4 * H, H)), "bias_ih_l0": np.ones(4 * H)}
    square |= {"bias_hh_l0": np.ones(4 * H)}
    two = square | {k.replace("0", "1"): v for k, v in square.items()}
    arrays = theirs(ours(two), "jax")
    with pytest.raises(ValueError, match="can be two layers or two directions of one: say which"):
        ours(arrays)
    assert ours(arrays, bidirectional=True).bidirectional
    assert ours(arrays, bidirectional=False).num_layers == 2
    one, _ = model("mlx.nn.LSTM", directions=2)  # both of width I: two directions
    renamed = {k.replace("l0_reverse", "b").replace("l0", "a"): v for k, v in one.items()}
    assert ours(renamed).bidirectional
    with pytest.raises(ValueError, match="do not make one stack"):
        ours(renamed, bidirectional=False)


def test_a_reverse_direction_alone_is_refused():
    arrays, _ = model("torch.nn.LSTM", directions=2)
    alone = {k: v for k, v in arrays.items() if not k.endswith("_l0")}
    with pytest.raises(ValueError, match="a reverse direction stands without its forward one"):
        ours(alone)


def test_where_the_reset_is_not_said_it_is_the_default_and_can_be_told():
    keras, _ = model("keras.layers.GRU")
    bare = {k: v for k, v in keras.items() if k != "bias"}
    assert ours(bare).reset_after
    assert not ours(bare, reset_after=False).reset_after
    assert not ours(theirs(problem(ROWS["GRU"]).stack, "onnx")).reset_after  # ONNX's default
    torch, _ = model("torch.nn.GRU")
    assert not ours(torch, "reference", reset_after=False).reset_after
    with pytest.raises(ValueError, match=r"torch.nn.GRU has no reset_after=False"):
        ours(torch, "torch", reset_after=False)
    with pytest.raises(ValueError, match="no nonlinearity='tanh'"):
        ours(theirs(problem(ROWS["haiku.VanillaRNN"]).stack, "haiku"), nonlinearity="tanh")
    assert ours(theirs(problem(ROWS["torch.nn.RNN"]).stack, "torch"), nonlinearity="relu").nonlinearity == "relu"
