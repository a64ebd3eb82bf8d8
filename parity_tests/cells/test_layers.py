"""Layers and cells as objects: every form of input, names and initial values, modes, and what may not be disturbed."""

import itertools

import numpy as np
import pytest
import scipy.stats
import torch
from torch import nn

import reference
import torch_impl
from torch_impl.cells.layers import WAYS

from ..helpers import array, assert_all, assert_close, assert_equal, built, draw, draw_state, leaves, refill, results, tensor, twins

pytestmark = pytest.mark.usefixtures("engine")

T, B, INPUT, H, L = 7, 6, 3, 5, 2
KINDS = {
    "rnn": ("RNN", {}),
    "rnn-relu": ("RNN", {"nonlinearity": "relu"}),
    "lstm": ("LSTM", {}),
    "lstm-proj": ("LSTM", {"proj_size": 2}),
    "gru": ("GRU", {}),
}
ALL_KINDS = KINDS | {"gru-before": ("GRU", {"reset_after": False})}
CELLS = {
    "rnn": ("RNNCell", {}),
    "rnn-relu": ("RNNCell", {"nonlinearity": "relu"}),
    "lstm": ("LSTMCell", {}),
    "gru": ("GRUCell", {}),
}
ALL_CELLS = CELLS | {"gru-before": ("GRUCell", {"reset_after": False})}

OURS_IN_TORCH = [(kind, way) for kind in ALL_KINDS for way in WAYS if way != "cell" or kind in CELLS]

LAYOUTS = {  # options of a layer, and how x (T, B, I) is handed over
    "dense": ({}, lambda x: x),
    "one step": ({}, lambda x: x[:1]),
    "one sequence": ({}, lambda x: x[:, :1]),
    "unbatched": ({}, lambda x: x[:, 0]),
    "batch first": ({"batch_first": True}, lambda x: x),
    "packed": ({}, lambda x: reference.pack_padded_sequence(x, [7, 6, 6, 2, 1, 1])),
    "packed, unsorted": ({}, lambda x: reference.pack_padded_sequence(x, [2, 6, 1, 7, 1, 6], enforce_sorted=False)),
}

each_kind = pytest.mark.parametrize("kind", ALL_KINDS)
each_cell = pytest.mark.parametrize("cell", ALL_CELLS)
with_torch_kind = pytest.mark.parametrize("kind", KINDS)
with_torch_cell = pytest.mark.parametrize("cell", CELLS)
directions = pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "bidirectional"])
states = pytest.mark.parametrize("given", [True, False], ids=["state", "nostate"])
biases = pytest.mark.parametrize("bias", [True, False], ids=["bias", "nobias"])


def layer_and_data(kind, seed=0, dtype="float64", **options):
    """A layer of reference with two layers and both directions, an input and an initial state."""
    name, variant = ALL_KINDS[kind]
    options = {"num_layers": L, "bidirectional": True, "rng": np.random.default_rng(seed)} | variant | options
    layer = built(name, INPUT, H, dtype=dtype, **options)
    count, proj_size = layer.num_layers * (1 + layer.bidirectional), variant.get("proj_size", 0)
    real = np.empty(0, dtype).real.dtype
    return layer, draw(seed + 1, T, B, INPUT, dtype=real), draw_state(seed + 2, name, count, B, H, proj_size=proj_size, dtype=real)


def cell_and_data(cell, seed=0, dtype="float64"):
    name, variant = ALL_CELLS[cell]
    module = built(name, INPUT, H, dtype=dtype, rng=np.random.default_rng(seed), **variant)
    real = np.empty(0, dtype).real.dtype
    return module, draw(seed + 1, B, INPUT, dtype=real), draw_state(seed + 2, name, B, H, dtype=real)


def any_module_and_data(which, seed=0, dtype="float64"):
    """``which`` is "layer lstm", "cell gru" and so on."""
    what, kind = which.split()
    return (layer_and_data if what == "layer" else cell_and_data)(kind, seed, dtype)


def upstream(out, seed=9):
    """Arguments for backward or a pullback: random gradients of what the forward returned."""
    return refill(out, [draw(seed + k, *v.shape, dtype=v.dtype) for k, v in enumerate(leaves(out))])


each_module = pytest.mark.parametrize("which", [f"layer {k}" for k in ALL_KINDS] + [f"cell {k}" for k in ALL_CELLS])


class TestAgainstTorch:
    """Outputs and every gradient are those of the torch.nn namesake."""

    @with_torch_kind
    @directions
    @states
    def test_unbatched(self, kind, bidirectional, given):
        """(T, I) with states without the batch axis."""
        name, variant = KINDS[kind]
        ours, theirs = twins(name, INPUT, H, L, bidirectional=bidirectional, **variant)
        x = draw(1, T, INPUT)
        count = L * (1 + bidirectional)
        state = draw_state(2, name, count, H, proj_size=variant.get("proj_size", 0)) if given else None
        assert_all(assert_close, results(ours, x, state), results(theirs, x, state))

    @with_torch_kind
    def test_unbatched_is_never_batch_first(self, kind):
        """batch_first has nothing to say about an input without a batch."""
        name, variant = KINDS[kind]
        ours, theirs = twins(name, INPUT, H, batch_first=True, **variant)
        plain, _ = twins(name, INPUT, H, **variant)
        x = draw(1, T, INPUT)
        assert_all(assert_close, results(ours, x), results(theirs, x))
        assert_all(assert_equal, results(ours, x), results(plain, x))

    @with_torch_kind
    @directions
    @biases
    def test_batch_first(self, kind, bidirectional, bias):
        """x, y and their gradients are batch first; states and their gradients are not."""
        name, variant = KINDS[kind]
        ours, theirs = twins(name, INPUT, H, L, bias=bias, batch_first=True, bidirectional=bidirectional, **variant)
        x = draw(1, B, T, INPUT)
        state = draw_state(2, name, L * (1 + bidirectional), B, H, proj_size=variant.get("proj_size", 0))
        assert_all(assert_close, results(ours, x, state), results(theirs, x, state))

    @with_torch_cell
    @biases
    @states
    @pytest.mark.parametrize("batch", [(B,), (1,), ()], ids=["batched", "batch of one", "unbatched"])
    def test_cell(self, cell, bias, given, batch):
        """One step, in every form of input and state."""
        name, variant = CELLS[cell]
        ours, theirs = twins(name, INPUT, H, bias=bias, **variant)
        x = draw(1, *batch, INPUT)
        state = draw_state(2, name, *batch, H) if given else None
        assert_all(assert_close, results(ours, x, state), results(theirs, x, state))


class TestForms:
    """The forms of one input give the same numbers, also where torch has no namesake."""

    @each_kind
    def test_unbatched_is_a_batch_of_one(self, kind):
        layer, x, state = layer_and_data(kind)
        x, state = x[:, :1], refill(state, [v[:, :1] for v in leaves(state)])
        y, state_n = layer(x, state)
        y_1, state_1 = layer(x[:, 0], refill(state, [v[:, 0] for v in leaves(state)]))
        for one, many in zip(leaves((y_1, state_1)), leaves((y, state_n)), strict=True):
            assert_equal(one, many[:, 0])

    @each_cell
    def test_cell_is_a_layer_of_one_step(self, cell):
        """The same outputs and gradients as a layer with one layer, one direction and T = 1."""
        module, x, state = cell_and_data(cell)
        layer, _, _ = layer_and_data(cell, num_layers=1, bidirectional=False)
        layer.load_state_dict({f"{k}_l0": v for k, v in module.state_dict().items()})
        after = module(x, state)
        y, state_n = layer(x[None], refill(state, [v[None] for v in leaves(state)]))
        for one, many in zip([leaves(after)[0], *leaves(after)], [y, *leaves(state_n)], strict=True):
            assert_close(one, many[0])
        gradients = upstream(after)
        dx, dstate = module.backward(gradients)
        dx_l, dstate_l = layer.backward(None, refill(state, [v[None] for v in leaves(gradients)]))
        for one, many in zip([dx, *leaves(dstate)], [dx_l, *leaves(dstate_l)], strict=True):
            assert_close(one, many[0])
        assert_all(assert_close, {f"{k}_l0": v for k, v in module.grads.items()}, layer.grads)

    @each_module
    def test_what_comes_out_goes_in_again(self, which):
        """The state and its gradient come as torch gives them, one array or a tuple of two, and go in again."""
        module, x, state = any_module_and_data(which)
        layer = which.startswith("layer")
        for _ in range(2):
            out = module(x, state)
            after = out[1] if layer else out
            assert type(after) is type(state)
            dx, dstate = module.backward(out[0], after) if layer else module.backward(after)
            assert type(dx) is np.ndarray
            assert type(dstate) is type(state)
            state = after

    @each_module
    def test_no_state_is_a_state_of_zeros(self, which):
        """None as a state gives the outputs of zeros, and the gradient with respect to them."""
        module, x, state = any_module_and_data(which)
        zeros = refill(state, [np.zeros_like(v) for v in leaves(state)])
        with_zeros = module.vjp(x, zeros)
        with_none = module.vjp(x)
        gradients = upstream(with_none[:-1])
        for a, b in zip(leaves(with_none[:-1]), leaves(with_zeros[:-1]), strict=True):
            assert_equal(a, b)
        (dw_a, *da), (dw_b, *db) = with_none[-1](*gradients), with_zeros[-1](*gradients)
        assert_all(assert_equal, dw_a, dw_b)
        for a, b in zip(leaves(da), leaves(db), strict=True):
            assert_equal(a, b)

    @each_module
    def test_no_gradient_is_a_gradient_of_zeros(self, which):
        """backward() is backward with zeros everywhere: every gradient is zero, of the right shape and dtype."""
        module, x, state = any_module_and_data(which)
        pullback = module.vjp(x, state)[-1]
        dw, dx, dstate = pullback()
        assert_all(assert_equal, dw, {k: np.zeros_like(v) for k, v in module.state_dict().items()})
        for d, v in zip(leaves((dx, dstate)), leaves((x, state)), strict=True):
            assert_equal(d, np.zeros_like(v))


class TestParameters:
    """Names, shapes, copies and initial values of the parameters."""

    @pytest.mark.parametrize(
        "options",
        [
            pytest.param(o, id="-".join(f"{k}={v}" for k, v in o.items()))
            for o in ({"num_layers": 3}, {"num_layers": 3, "bidirectional": True}, {"num_layers": 2, "bias": False})
        ],
    )
    @with_torch_kind
    def test_round_trip_of_a_layer(self, kind, options):
        name, variant = KINDS[kind]
        self.round_trip(built(name, INPUT, H, **variant, **options), getattr(nn, name)(INPUT, H, **variant, **options))

    @with_torch_cell
    @biases
    def test_round_trip_of_a_cell(self, cell, bias):
        name, variant = CELLS[cell]
        self.round_trip(built(name, INPUT, H, bias, **variant), getattr(nn, name)(INPUT, H, bias, **variant))

    def round_trip(self, ours, theirs):
        """The same keys in the same order, the same shapes; each side takes what the other gives, tensors included."""
        assert {k: v.shape for k, v in ours.state_dict().items()} == {k: tuple(v.shape) for k, v in theirs.state_dict().items()}
        assert list(ours.state_dict()) == list(theirs.state_dict())
        given = theirs.state_dict()
        ours.load_state_dict(given)
        assert_all(assert_equal, ours.state_dict(), given)
        ours.load_state_dict(dict(theirs.named_parameters()))
        assert_all(assert_equal, ours.state_dict(), given)
        ours.load_state_dict({k: draw(k_, *v.shape, dtype="float32") for k_, (k, v) in enumerate(given.items())})
        theirs.load_state_dict({k: tensor(v) for k, v in ours.state_dict().items()}, strict=True)
        assert_all(assert_equal, theirs.state_dict(), ours.state_dict())

    @each_module
    def test_state_dict_holds_copies(self, which):
        """Neither writing into what state_dict gave nor into what load_state_dict took changes the module."""
        module, _, _ = any_module_and_data(which)
        given = module.state_dict()
        before = {k: v.copy() for k, v in given.items()}
        module.load_state_dict(given)
        for arrays in (module.state_dict(), given):
            for v in arrays.values():
                v[...] = 7
        assert_all(assert_equal, module.state_dict(), before)

    @each_module
    def test_order_is_torch_order_whatever_is_loaded(self, which):
        """The order of the entries given is no part of them."""
        module, _, _ = any_module_and_data(which)
        before = module.state_dict()
        module.load_state_dict(dict(reversed(before.items())))
        assert_all(assert_equal, module.state_dict(), before)

    @each_module
    def test_load_casts_to_the_dtype_of_the_module(self, which):
        module, _, _ = any_module_and_data(which, dtype="float32")
        weights = {k: draw(k_, *v.shape) for k_, (k, v) in enumerate(module.state_dict().items())}
        module.load_state_dict(weights)
        assert_all(assert_equal, module.state_dict(), {k: v.astype("float32") for k, v in weights.items()})

    @each_module
    def test_initial_values_come_from_rng(self, which):
        """The same rng gives the same parameters, another one others."""
        first, again, other = (any_module_and_data(which, seed)[0].state_dict() for seed in (5, 5, 6))
        assert_all(assert_equal, first, again)
        assert not any(np.array_equal(first[k], other[k]) for k in first)

    @pytest.mark.parametrize("library", ["reference", "torch"])
    @pytest.mark.parametrize("name", ["RNN", "LSTM", "LSTM-proj", "GRU", "RNNCell", "LSTMCell", "GRUCell"])
    def test_initial_values_are_uniform(self, name, library):
        """Every parameter, biases and projection included, is uniform in ±1/√H, as torch's are.

        Kolmogorov-Smirnov on each parameter; the seeds are fixed, so that the level is a choice, not a risk.
        """
        size, name, options = 64, name.removesuffix("-proj"), {"proj_size": 16} if name.endswith("proj") else {}
        if not name.endswith("Cell"):
            options |= {"num_layers": 2, "bidirectional": True}
        if library == "torch":
            torch.manual_seed(1)
            module = getattr(nn, name)(32, size, **options)
        else:
            module = built(name, 32, size, rng=np.random.default_rng(1), **options)
        for key, value in module.state_dict().items():
            scaled = array(value).astype("float64").ravel() * size**0.5
            assert np.abs(scaled).max() <= 1 + np.finfo("float32").eps, key
            assert scipy.stats.kstest(scaled, scipy.stats.uniform(-1, 2).cdf).pvalue > 1e-4, key


class TestDropout:
    """Dropout acts in training mode only, with masks from rng or given."""

    p = 0.3

    def masks(self, seed=3, count=L - 1, features=2 * H, p=0.5):
        rng = np.random.default_rng(seed)
        return [rng.random((T * B, features)) >= p for _ in range(count)]

    @each_kind
    def test_eval_ignores_dropout(self, kind):
        """In evaluation mode a layer computes, forward and backward, what it does without dropout."""
        layer, x, state = layer_and_data(kind, dropout=self.p)
        plain, _, _ = layer_and_data(kind)
        assert layer.training
        assert layer.eval() is layer
        assert not layer.training
        assert_all(assert_equal, results(layer, x, state), results(plain, x, state))
        assert layer.train() is layer
        assert layer.training
        assert not np.array_equal(layer(x, state)[0], plain(x, state)[0])
        assert not layer.train(False).training

    @with_torch_kind
    def test_eval_is_torch_eval(self, kind):
        name, variant = KINDS[kind]
        ours, theirs = twins(name, INPUT, H, 3, dropout=self.p, **variant)
        x = draw(1, T, B, INPUT)
        assert_all(assert_close, results(ours.eval(), x), results(theirs.eval(), x))

    @each_kind
    def test_masks_come_from_rng(self, kind):
        """Two layers with one seed draw the same masks, call after call; each call draws new ones."""
        first, x, state = layer_and_data(kind, dropout=self.p)
        second, _, _ = layer_and_data(kind, dropout=self.p)
        one, two = results(first, x, state), results(first, x, state)
        assert_all(assert_equal, results(second, x, state), one)
        assert_all(assert_equal, results(second, x, state), two)
        assert not np.array_equal(one["output 0"], two["output 0"])

    @pytest.mark.parametrize("library", ["reference", "torch"])
    @pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
    def test_keep_rate(self, p, library):
        """Of what dropout is given a share of 1 - p is kept and scaled by 1 / (1 - p), as torch does; the rest is 0.

        Layers that add 1 to what they get, so that y shows what was kept: y = 1 + kept / (1 - p).  The number kept is
        binomial; the bound is five standard deviations, the seeds are fixed.
        """
        steps, batch, width = 20, 10, 40
        ours = built("RNN", 1, width, 2, "relu", dropout=p, dtype="float64", rng=np.random.default_rng(4))
        weights = {k: np.zeros_like(v) for k, v in ours.state_dict().items()}
        weights["bias_ih_l0"][:] = weights["bias_hh_l1"][:] = 1
        weights["weight_ih_l1"] = np.eye(width)
        x = np.zeros((steps, batch, 1))
        if library == "torch":
            torch.manual_seed(4)
            layer = nn.RNN(1, width, 2, "relu", dropout=p, dtype=torch.float64)
            layer.load_state_dict({k: tensor(v) for k, v in weights.items()})
            y = array(layer(tensor(x))[0])
        else:
            ours.load_state_dict(weights)
            y = ours(x)[0]
        kept = y > 1
        assert_close(y, 1 + kept / (1 - p))
        n = kept.size
        assert abs(kept.sum() - n * (1 - p)) < 5 * (n * p * (1 - p)) ** 0.5
        for axis, count in enumerate(kept.shape):  # no two steps, sequences or features share one mask
            assert len(np.unique(np.moveaxis(kept, axis, 0).reshape(count, -1), axis=0)) == count

    @each_kind
    def test_given_masks_are_used(self, kind):
        """All kept with p = 0.5 doubles what lies between the layers: as weights of the next layer doubled."""
        layer, x, state = layer_and_data(kind, dropout=0.5)
        plain, _, _ = layer_and_data(kind)
        weights = plain.state_dict()
        for k in weights:
            if k.startswith("weight_ih_l1"):
                weights[k] *= 2
        plain.load_state_dict(weights)
        width = layer(x, state)[0].shape[-1]
        y, state_n = layer(x, state, [np.ones((T * B, width), bool)])
        for a, b in zip(leaves((y, state_n)), leaves(plain(x, state)), strict=True):
            assert_close(a, b)

    @each_kind
    def test_masks_are_copied(self, kind):
        """Writing into a mask after the forward does not change the gradients."""
        layer, x, state = layer_and_data(kind, dropout=0.5)
        width = layer(x, state)[0].shape[-1]
        masks = self.masks(features=width)
        *out, pullback = layer.vjp(x, state, masks)
        expected = leaves(pullback(*upstream(tuple(out)))[1:])
        masks[0][:] = ~masks[0]
        for a, b in zip(leaves(pullback(*upstream(tuple(out)))[1:]), expected, strict=True):
            assert_equal(a, b)

    @pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
    def test_the_warning_names_the_line_that_builds_the_layer(self, name):
        def build():
            return getattr(reference, name)(INPUT, H, dropout=0.5)

        with pytest.warns(UserWarning, match="dropout acts between layers") as warned:
            build()
        assert warned[0].lineno == build.__code__.co_firstlineno + 1

    @pytest.mark.parametrize("inactive", ["eval", "dropout 0", "one layer"])
    @each_kind
    def test_masks_are_rejected_where_dropout_is_not_active(self, kind, inactive):
        """A mask that would silently do nothing raises."""
        if inactive == "one layer":
            with pytest.warns(UserWarning, match="dropout acts between layers"):
                layer, x, _ = layer_and_data(kind, num_layers=1, dropout=0.5)
        else:
            layer, x, _ = layer_and_data(kind, dropout=0.5 if inactive == "eval" else 0.0)
            layer.train(inactive != "eval")
        with pytest.raises(ValueError, match="masks need training mode, dropout above 0 and more than one layer"):
            layer(x, None, self.masks())

    @pytest.mark.parametrize(
        ("masks", "error", "says"),
        [
            pytest.param([], ValueError, "masks must be 2, .*, got 0", id="none"),
            pytest.param([(42, 10)] * 3, ValueError, "masks must be 2, .*, got 3", id="too many"),
            pytest.param([(42, 10), (42, 5)], RuntimeError, r"masks\[1\] must have shape \(42, 10\), got \(42, 5\)", id="shape"),
            pytest.param(
                [(7, 6, 10), (42, 10)], RuntimeError, r"masks\[0\] must have shape \(42, 10\), got \(7, 6, 10\)", id="rank"
            ),
        ],
    )
    def test_masks_of_the_wrong_number_or_shape(self, masks, error, says):
        layer, x, _ = layer_and_data("gru", num_layers=3, dropout=0.5)
        with pytest.raises(error, match=says):
            layer(x, None, [np.ones(shape, bool) for shape in masks])

    def test_masks_must_be_boolean(self):
        layer, x, _ = layer_and_data("gru", dropout=0.5)
        with pytest.raises(RuntimeError, match=r"masks\[0\] must be boolean, got float64"):
            layer(x, None, [np.ones((T * B, 2 * H))])


class TestRepeatability:
    """Forwards do not disturb each other, and nobody who writes into an array disturbs a gradient."""

    @each_module
    def test_pullbacks_do_not_mix(self, which):
        """Two forwards, then their pullbacks in every order and twice over, give what each gives alone."""
        module, *first = any_module_and_data(which)
        _, *second = any_module_and_data(which, seed=20)
        alone = {}
        for k, (x, state) in enumerate((first, second)):
            *out, pullback = module.vjp(x, state)
            alone[k] = pullback(*upstream(tuple(out), seed=30 + k))
        assert not np.array_equal(alone[0][1], alone[1][1])
        for order in itertools.product((0, 1), repeat=4):
            forwards = [module.vjp(x, state) for x, state in (first, second)]
            for k in order:
                *out, pullback = forwards[k]
                grads, *rest = pullback(*upstream(tuple(out), seed=30 + k))
                assert_all(assert_equal, grads, alone[k][0])
                for a, b in zip(leaves(rest), leaves(alone[k][1:]), strict=True):
                    assert_equal(a, b)

    @each_module
    def test_vjp_leaves_the_object_alone(self, which):
        """A vjp and its pullback between a forward and its backward change neither."""
        module, x, state = any_module_and_data(which)
        expected = results(module, x, state)
        out = module(x, state)
        *others, pullback = module.vjp(2 * x)
        pullback(*upstream(tuple(others)))
        assert_all(assert_equal, module.grads, {k[1:]: v for k, v in expected.items() if k[1:] in module.params})
        gradients = upstream(out)
        module.backward(*(gradients if which.startswith("layer") else [gradients]))
        grads = module.grads
        *out, pullback = module.vjp(x, state)
        assert_all(assert_equal, grads, pullback(*(gradients if which.startswith("layer") else [gradients]))[0])

    @each_module
    def test_a_second_call_gives_the_same(self, which):
        """The same call again, forward and backward, has the same results to the last bit; grads are not added up."""
        module, x, state = any_module_and_data(which)
        assert_all(assert_equal, results(module, x, state), results(module, x, state))

    @each_module
    def test_arguments_are_only_read(self, which):
        """Forward and backward work on read-only arrays, so they write into none of them."""
        module, x, state = any_module_and_data(which)
        expected = results(module, x, state)
        for v in (x, *leaves(state), *module.params.values()):
            v.flags.writeable = False
        assert_all(assert_equal, results(module, x, state), expected)
        *out, pullback = module.vjp(x, state)
        gradients = upstream(tuple(out))
        for v in leaves(gradients):
            v.flags.writeable = False
        pullback(*gradients)

    @each_module
    @pytest.mark.parametrize("written", ["x", "state", "outputs"])
    def test_writing_into_arrays_after_the_forward(self, which, written):
        """A caller that reuses x, the state, y or h_n as a buffer does not change the gradients."""
        module, x, state = any_module_and_data(which)
        expected = results(module, x, state)
        out = module(x, state)
        rng = np.random.default_rng(0)
        gradients = refill(out, [rng.standard_normal(v.shape) for v in leaves(out)])
        for v in leaves({"x": x, "state": state, "outputs": out}[written]):
            v[...] = 1e3
        dx, dstate = module.backward(*(gradients if which.startswith("layer") else [gradients]))
        for k, v in enumerate([dx, *leaves(dstate)]):
            assert_equal(v, expected[f"d(input {k})"])
        for k, v in module.grads.items():
            assert_equal(v, expected[f"d{k}"])

    @each_module
    def test_results_share_no_memory(self, which):
        """Outputs, gradients, parameters and arguments are all arrays of their own."""
        module, x, state = any_module_and_data(which)
        *out, pullback = module.vjp(x, state)
        gradients = upstream(tuple(out))
        grads, dx, dstate = pullback(*gradients)
        arrays = [
            x,
            *leaves(state),
            *leaves(tuple(out)),
            *leaves(gradients),
            *grads.values(),
            dx,
            *leaves(dstate),
            *module.params.values(),
        ]
        for a, b in itertools.combinations(arrays, 2):
            assert not np.shares_memory(a, b)

    @each_kind
    @pytest.mark.parametrize("form", LAYOUTS)
    def test_results_belong_to_the_caller_whatever_the_layout(self, kind, form):
        """Nothing is copied twice, so that which copy keeps a result apart depends on the layout: of one layer, no state is
        stacked, of one sequence nothing is moved.  No result shares memory with another one, a weight or an argument, and what
        is written into them changes no later backward.
        """
        options, lay = LAYOUTS[form]
        layer, x, _ = layer_and_data(kind, num_layers=1, bidirectional=False, **options)
        x = lay(x)
        *out, pullback = layer.vjp(x)
        gradients = upstream(tuple(out))
        grads, *rest = pullback(*gradients)
        returned = [*leaves(tuple(out)), *grads.values(), *leaves(rest)]
        expected = [v.copy() for v in returned[len(leaves(tuple(out))) :]]
        given = [*leaves(x), *leaves(gradients), *layer.params.values(), *leaves(layer.infer(x))]
        for k, a in enumerate(returned):
            assert not any(np.shares_memory(a, b) for b in [*returned[:k], *given])
            a[...] = 0
        grads, *rest = pullback(*gradients)
        for v, before in zip([*grads.values(), *leaves(rest)], expected, strict=True):
            assert_equal(v, before)

    @pytest.mark.parametrize(("kind", "way"), OURS_IN_TORCH)
    def test_results_of_our_ways_of_pytorch_belong_to_the_caller(self, kind, way):
        """What is written in place into y and the state between forward and backward does not reach the backward."""
        name, options = ALL_KINDS[kind]
        torch.manual_seed(0)
        layer = getattr(torch_impl, name)(INPUT, H, way=way, dtype=torch.float64, **options)
        dense = tensor(draw(1, T, B, INPUT))
        for x in (dense, dense[:, :1], dense[:, 0], nn.utils.rnn.pack_padded_sequence(dense, [7, 6, 6, 2, 1, 1])):
            gradients = []
            for written in (False, True):
                out = leaves(layer(x))
                upstream = [tensor(draw(2 + k, *v.shape)) for k, v in enumerate(out)]
                if written:
                    with torch.no_grad():
                        [v.zero_() for v in out]
                gradients.append(torch.autograd.grad(out, list(layer.parameters()), upstream))
            for a, b in zip(*gradients, strict=True):
                assert_equal(a, b)

    @each_module
    def test_replacing_parameters_between_forward_and_backward(self, which):
        """load_state_dict after a forward does not change its gradients: they belong to the weights it ran with."""
        module, x, state = any_module_and_data(which)
        *out, pullback = module.vjp(x, state)
        expected = pullback(*upstream(tuple(out)))
        module.load_state_dict({k: 2 * v for k, v in module.state_dict().items()})
        grads, *rest = pullback(*upstream(tuple(out)))
        assert_all(assert_equal, grads, expected[0])
        for a, b in zip(leaves(rest), leaves(expected[1:]), strict=True):
            assert_equal(a, b)


class TestDtypes:
    """What comes out has the dtype that went in."""

    @each_module
    @pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble"])
    def test_every_output_and_gradient(self, which, dtype):
        module, x, state = any_module_and_data(which, dtype=dtype)
        computed = results(module, x, state) | module.state_dict() | {f"nostate {k}": v for k, v in results(module, x).items()}
        assert {k: v.dtype for k, v in computed.items()} == dict.fromkeys(computed, np.dtype(dtype))

    @each_kind
    @pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble"])
    @pytest.mark.parametrize(
        "options", [{"dropout": 0.5}, {"dropout": 1.0}, {"bias": False}], ids=["dropout", "dropout 1", "nobias"]
    )
    def test_with_options(self, kind, dtype, options):
        """Neither the scale of dropout nor a bias of zeros widens anything."""
        layer, x, state = layer_and_data(kind, dtype=dtype, **options)
        computed = results(layer, x, state)
        assert {k: v.dtype for k, v in computed.items()} == dict.fromkeys(computed, np.dtype(dtype))

    @each_module
    def test_complex_forward(self, which):
        """A complex forward carries a derivative: at z + i·ε·v, with ε below every rounding, its real part is the real
        forward and its imaginary part ε times the derivative along v, which backward gives too.
        """
        step = 1e-30
        module, x, state = any_module_and_data(which, dtype="complex128")
        real, _, _ = any_module_and_data(which, dtype="float64")
        inputs = leaves((x, state))
        along = [draw(40 + k, *z.shape) for k, z in enumerate(inputs)]
        moved = [z + 1j * step * v for z, v in zip(inputs, along, strict=True)]
        out = leaves(module(moved.pop(0), refill(state, moved)))
        expected, gradients = real(x, state), upstream(real(x, state))
        for c, r in zip(out, leaves(expected), strict=True):
            assert c.dtype == np.complex128
            assert_close(c.real, r)
        back = leaves(real.backward(*gradients) if which.startswith("layer") else real.backward(gradients))
        derivative = sum((d * c.imag).sum() / step for d, c in zip(leaves(gradients), out, strict=True))
        assert_close(derivative, sum((d * v).sum() for d, v in zip(back, along, strict=True)))
