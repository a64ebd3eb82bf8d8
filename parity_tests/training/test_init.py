"""Initial weights: exactly torch.nn.init's where a sample is transformed, the same distribution where one is drawn."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

import reference
import torch_impl.training.init
from reference.training import init

from ..helpers import assert_close, assert_equal, draw, tensor

WIDE, TALL = (40, 250), (250, 40)
DRAWN = {  # name: arguments that both sides take
    "xavier_uniform": {"gain": 1.7},
    "xavier_normal": {"gain": 0.6},
    "kaiming_uniform": {"a": 0.3, "mode": "fan_out"},
    "kaiming_normal": {"nonlinearity": "relu"},
    "orthogonal": {"gain": 1.3},
    "uniform": {"a": -0.2, "b": 0.7},
    "normal": {"mean": 0.4, "std": 2.0},
}


def theirs(name, shape, seed=0, **options):
    w = torch.empty(shape, dtype=torch.float64)
    getattr(nn.init, name + "_")(w, generator=torch.Generator().manual_seed(seed), **options)
    return w.numpy()


@pytest.mark.parametrize("shape", [WIDE, TALL])
@pytest.mark.parametrize("name", DRAWN)
def test_distribution_is_that_of_torch(name, shape):
    """Two samples of 10,000: Kolmogorov and Smirnov's test does not tell them apart, mean and deviation agree.

    With fixed seeds the p-value is one number.  A gain wrong by 10 percent makes it less than 1e-4.
    """
    ours, expected = (draw_of(name, shape, 1), theirs(name, shape, **DRAWN[name]))
    assert stats.ks_2samp(ours.ravel(), expected.ravel()).pvalue > 0.01
    assert abs(ours.mean() - expected.mean()) < 5 * expected.std() * (2 / ours.size) ** 0.5
    assert ours.std() == pytest.approx(expected.std(), rel=0.03)


def draw_of(name, shape, seed):
    return getattr(init, name)(np.random.default_rng(seed), shape, **DRAWN[name])


def test_what_is_not_said_is_as_in_torch():
    for name, options in (("uniform", {"a": 0.0, "b": 1.0}), ("normal", {"mean": 0.0, "std": 1.0})):
        draw = getattr(init, name)
        assert_equal(draw(np.random.default_rng(1), WIDE), draw(np.random.default_rng(1), WIDE, **options))
        usual = draw(np.random.default_rng(1), WIDE)
        assert stats.ks_2samp(usual.ravel(), theirs(name, WIDE).ravel()).pvalue > 0.01


def test_the_statistical_test_can_fail():
    wrong = 1.1 * draw_of("xavier_uniform", WIDE, 1)
    assert stats.ks_2samp(wrong.ravel(), theirs("xavier_uniform", WIDE, gain=1.7).ravel()).pvalue < 1e-3


@pytest.mark.parametrize("shape", [WIDE, TALL, (6, 6)])
def test_what_is_made_of_a_given_sample_is_exact(shape):
    """torch's generator gives the sample; what torch makes of it, we make of it."""
    seeded = partial(torch.Generator().manual_seed, 3)
    sample = torch.empty(shape, dtype=torch.float64).normal_(0, 1, generator=seeded()).numpy()
    flat = np.sort(np.abs(np.linalg.svd(init.orthogonalised(sample, 1.3), compute_uv=False)))
    assert_close(flat, np.full(min(shape), 1.3))
    assert_close(init.orthogonalised(sample, 1.3), theirs("orthogonal", shape, 3, gain=1.3))
    unit = torch.empty(shape, dtype=torch.float64).uniform_(0, 1, generator=seeded()).numpy()
    for name in ("xavier_uniform", "kaiming_uniform"):
        bound = 3**0.5 * getattr(init, name.replace("uniform", "std"))(shape, **DRAWN[name])
        assert_close(bound * (2 * unit - 1), theirs(name, shape, 3, **DRAWN[name]))
    for name in ("xavier_normal", "kaiming_normal"):
        std = getattr(init, name.replace("normal", "std"))(shape, **DRAWN[name])
        assert_close(std * sample, theirs(name, shape, 3, **DRAWN[name]))
    assert_equal(init.identity(np.random.default_rng(0), shape), nn.init.eye_(torch.empty(shape, dtype=torch.float64)))


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "selu", "leaky_relu"])
def test_gains_are_those_of_torch(name):
    assert init.gain(name) == nn.init.calculate_gain(name)
    assert init.gain("leaky_relu", 0.3) == nn.init.calculate_gain("leaky_relu", 0.3)


@pytest.mark.parametrize(("cell", "gates"), [("RNN", 1), ("LSTM", 4), ("GRU", 3)])
def test_each_gate_is_a_matrix_of_its_own(cell, gates):
    """dynet #348: the fan of the stacked matrix makes weights too small, by 1.58 for four gates of a square layer."""
    I, H = 24, 40
    layer = getattr(reference, cell)(I, H, num_layers=2, bidirectional=True, dtype=np.float64)
    initialised = init.initialise(layer, "xavier_uniform", np.random.default_rng(0), recurrent="orthogonal").params
    for name, w in initialised.items():
        for block in np.split(w, gates):
            if "bias" in name:
                assert (block == 0).all()
            elif "weight_hh" in name:
                assert_close(block @ block.T, np.eye(H))
            else:
                bound = (6 / (block.shape[1] + H)) ** 0.5
                assert 0.97 * bound < np.abs(block).max() <= bound
    expected = init.SCHEMES["xavier_uniform"](np.random.default_rng(0), (H, I))
    assert_equal(initialised["weight_ih_l0"][:H], expected)


def test_a_projection_is_one_matrix_and_tells_the_size():
    layer = reference.LSTM(6, 8, proj_size=3, dtype=np.float64)
    initialised = init.initialise(layer, "orthogonal", np.random.default_rng(0), forget_bias=1.0).params
    assert_close(initialised["weight_hr_l0"] @ initialised["weight_hr_l0"].T, np.eye(3))
    for block in np.split(initialised["weight_hh_l0"], 4):
        assert_close(block.T @ block, np.eye(3))
    assert_equal(initialised["bias_ih_l0"], np.repeat([0.0, 1.0, 0.0, 0.0], 8))


def test_uniform_is_the_default_of_torch():
    """The same bound for every parameter of the layer, biases too."""
    ours = init.initialise(reference.GRU(30, 50, num_layers=2), "uniform", np.random.default_rng(0)).params
    assert {k: v.dtype for k, v in ours.items()} == dict.fromkeys(ours, np.dtype("float32"))
    drawn = np.concatenate([v.ravel() for v in ours.values()])
    expected = np.concatenate([p.detach().numpy().ravel() for p in nn.GRU(30, 50, 2).parameters()])
    assert np.abs(drawn).max() == pytest.approx(50**-0.5, rel=1e-3) == pytest.approx(np.abs(expected).max(), rel=1e-3)
    assert stats.kstest(drawn, stats.uniform(-(50**-0.5), 2 * 50**-0.5).cdf).pvalue > 0.01


def test_forget_bias_is_in_one_of_the_two_and_nowhere_else():
    layer = reference.LSTM(3, 5, num_layers=2, bidirectional=True)
    plain = init.initialise(layer, "uniform", np.random.default_rng(0)).params
    initialised = init.initialise(layer, "uniform", np.random.default_rng(0), forget_bias=1.0).params
    for name, w in initialised.items():
        if "bias" in name:
            assert (w[5:10] == (1.0 if "_ih" in name else 0.0)).all()
            w, plain[name] = np.delete(w, slice(5, 10)), np.delete(plain[name], slice(5, 10))
        assert_equal(w, plain[name], name)


def test_other_parameters_stay_unless_asked_for():
    start = {
        "embedding.weight": draw(0, 9, 4),
        "rnn.weight_ih_l0": draw(1, 12, 4),
        "rnn.weight_hh_l0": draw(2, 12, 3),
        "head.weight": draw(3, 9, 3),
        "head.bias": draw(4, 9),
    }
    before = {k: v.copy() for k, v in start.items()}
    initialised = init.initialise(start, "xavier_normal", np.random.default_rng(0))
    assert {k for k in initialised if (initialised[k] != before[k]).any()} == {"rnn.weight_ih_l0", "rnn.weight_hh_l0"}
    assert all((start[k] == before[k]).all() for k in start)
    initialised = init.initialise(start, "xavier_normal", np.random.default_rng(0), others="kaiming_uniform")
    assert all((initialised[k] != before[k]).all() for k in start)
    assert (initialised["head.bias"] == 0).all()


def test_a_module_is_asked_for_the_same_as_its_parameters():
    model = reference.Tagger(7, 4, 5, 3, cell="lstm", rng=np.random.default_rng(0))
    options = {"recurrent": "orthogonal", "others": "kaiming_uniform", "forget_bias": 1.0}
    expected = init.initialise(model.state_dict(), "xavier_normal", np.random.default_rng(3), **options)
    init.initialise(model, "xavier_normal", np.random.default_rng(3), **options)
    for name, value in model.state_dict().items():
        assert_equal(value, expected[name], name)


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU", "LSTMCell"])
def test_both_sides_draw_the_same(cell):
    options = {"recurrent": "orthogonal"} | ({"forget_bias": 1.0} if "LSTM" in cell else {})
    ours = init.initialise(getattr(reference, cell)(3, 5, dtype=np.float64), "xavier_uniform", np.random.default_rng(4), **options)
    module = torch_impl.training.init.initialise(
        getattr(nn, cell)(3, 5, dtype=torch.float64), "xavier_uniform", np.random.default_rng(4), **options
    )
    for name, w in module.named_parameters():
        assert_equal(w, tensor(ours.params[name]), name)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: init.initialise({"weight": np.zeros((2, 2))}, "uniform", rng), "nothing to initialise"),
        (lambda rng: init.initialise(reference.RNN(2, 3), "glorot", rng), "scheme must be one of uniform, xavier_uniform"),
        (lambda rng: init.initialise(reference.GRU(2, 3), "uniform", rng, forget_bias=1.0), "forget_bias needs an LSTM"),
        (lambda rng: init.kaiming_normal(rng, (2, 3), mode="fan"), "mode must be 'fan_in' or 'fan_out', got 'fan'"),
        (lambda rng: init.xavier_normal(rng, (3,)), r"need a matrix, got shape \(3,\)"),
        (lambda rng: init.gain("swish"), "nonlinearity must be one of linear"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0))
