"""Layers x directions x packed x projection x dropout, as a whole, against torch.nn itself."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

import reference
import torch_impl
from reference.cells import stack

from ..helpers import INTEGERS, assert_close, assert_equal, leaves
from ..judge.cases import KINDS, Case, Spec
from ..judge.implementations import BUILTIN
from ..judge.oracle import compute

LENGTHS = [(5, 4, 2, 1), (2, 5, 1, 4), (3, 5, 3, 2), (5, 5, 5, 5), (1,), (1, 1, 3)]


def test_three_layer_bidirectional_packed_projected_lstm_agrees_with_torch_to_rounding():
    """The hardest composition there is, in float64: nothing differs by more than rounding."""
    case = Case(Spec("lstm", 3, 6, num_layers=3, bidirectional=True, proj_size=2, dtype="float64"), lengths=(2, 5, 1, 4))
    data = case.data()
    mine, theirs = (compute(BUILTIN[name].load(case.spec, data.weights), case, data) for name in ("numpy", "torch.library"))
    assert mine.keys() == theirs.keys()
    assert len(mine) == 3 + 3 + 6 * 5  # y, h_n, c_n; dx, dh_0, dc_0; five parameters for each layer and direction
    for name, v in mine.items():
        assert_close(v, theirs[name], name)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_segments_cover_the_rows_once_and_batch_sizes_shrink(lengths):
    sizes = reference.pack_padded_sequence(np.zeros((max(lengths), len(lengths), 1)), lengths, enforce_sorted=False).batch_sizes
    blocks = stack.segments(sizes)
    assert sum(T * B for T, B in blocks) == sum(lengths)
    assert all(a > b for (_, a), (_, b) in itertools.pairwise(blocks))


@pytest.mark.parametrize("lengths", LENGTHS)
def test_flip_turns_each_sequence_round_and_is_its_own_inverse(lengths):
    sequences = [np.arange(n) + 100 * b for b, n in enumerate(lengths)]
    packed = reference.pack_sequence(sequences, enforce_sorted=False)
    turn = stack.flip(packed.batch_sizes)
    for dtype in INTEGERS:
        assert_equal(stack.flip(packed.batch_sizes.astype(dtype)), turn)
    np.testing.assert_array_equal(turn[turn], np.arange(sum(lengths)))
    turned = reference.pack_sequence_backward(packed._replace(data=packed.data[turn]))
    for s, t in zip(sequences, turned, strict=True):
        np.testing.assert_array_equal(t, s[::-1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_packed_batch_equals_each_sequence_alone(kind):
    """No sequence can see another: the packed layer is the unbatched layer, once for each sequence."""
    spec = Spec(input_size=3, hidden_size=6, num_layers=2, bidirectional=True, dtype="float64", **KINDS[kind])
    case = Case(spec, lengths=(2, 5, 1, 4))
    data = case.data()
    layer = BUILTIN["numpy"].load(spec, data.weights).layer
    packed = reference.pack_padded_sequence(data.x, case.lengths, enforce_sorted=False)
    y, state_n = layer(packed, data.state if spec.cell == "lstm" else data.state[0])
    ys = reference.pack_sequence_backward(y)
    for b, n in enumerate(case.lengths):
        s = [v[:, b] for v in data.state]
        y_b, s_n = layer(data.x[:n, b], tuple(s) if spec.cell == "lstm" else s[0])
        assert_close(ys[b], y_b)
        for whole, alone in zip(*((v if spec.cell == "lstm" else (v,)) for v in (state_n, s_n)), strict=True):
            assert_close(whole[:, b], alone)


@pytest.mark.parametrize(("kind", "lengths"), [(k, n) for k in ("rnn", "lstm", "gru") for n in (None, (2, 5, 1, 4))])
@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_dropout_agrees_with_torch_nn_when_both_drop_the_same(kind, lengths, p):
    """torch.nn draws its masks inside; drawn again from the same seed, they make the reference give the same numbers."""
    T, B, H, L, seed = 5, 4, 6, 3, 11
    spec = Spec(kind, 3, H, num_layers=L, bidirectional=True, dropout=p, dtype="float64")
    case = Case(spec, T=T, B=B, lengths=lengths)
    data = case.data()
    N = sum(lengths or [T] * B)
    torch.manual_seed(seed)
    shape = (N, 2 * H) if lengths else (T, B, 2 * H)
    masks = [torch.dropout(torch.ones(shape, dtype=torch.float64), p, True).reshape(N, -1) > 0 for _ in range(L - 1)]
    same = data._replace(masks=[m.numpy() for m in masks])
    mine = compute(BUILTIN["numpy"].load(spec, data.weights), case, same)
    torch.manual_seed(seed)
    theirs = Seeded(seed, BUILTIN["torch.library"].load(spec, data.weights))
    theirs = compute(theirs, case, data._replace(masks=None))
    for name, v in mine.items():
        assert_close(v, theirs[name], name)


class Seeded:
    """A torch layer whose forward starts from a seed."""

    def __init__(self, seed, layer):
        self.seed, self.layer = seed, layer
        self.put, self.get, self.backward = layer.put, layer.get, layer.backward

    def forward(self, x, state, lengths):
        torch.manual_seed(self.seed)
        return self.layer.forward(x, state, lengths)


def test_dropout_of_one_drops_everything_and_has_no_gradient_below(engine):
    layer = reference.GRU(3, 6, num_layers=2, dropout=1.0, dtype=np.float64, rng=np.random.default_rng(0), engine=engine)
    x = np.random.default_rng(1).standard_normal((5, 4, 3))
    y, _ = layer(x)
    dx, _ = layer.backward(np.ones_like(y))
    assert np.isfinite(y).all()
    assert not dx.any()
    assert not layer.grads["weight_ih_l0"].any()
    assert layer.grads["weight_hh_l1"].any()


def test_truncating_the_state_is_not_truncating_the_numbers(engine):
    """A sequence in two halves, the state carried, gives the outputs of the whole; gradients differ unless carried too."""
    rng = np.random.default_rng(3)
    layer = reference.LSTM(3, 5, num_layers=2, dtype=np.float64, rng=rng, engine=engine)
    x, dy = rng.standard_normal((6, 2, 3)), rng.standard_normal((6, 2, 5))
    y, _, pull = layer.vjp(x)
    grads, dx, _ = pull(dy)
    y1, s, pull1 = layer.vjp(x[:2])
    y2, _, pull2 = layer.vjp(x[2:], s)
    assert_close(np.concatenate([y1, y2]), y)
    grads2, dx2, ds = pull2(dy[2:])
    grads1, dx1, _ = pull1(dy[:2], ds)
    assert_close(np.concatenate([dx1, dx2]), dx)
    for k, g in grads.items():
        assert_close(grads1[k] + grads2[k], g)
    cut, _, _ = pull1(dy[:2])
    assert np.abs(cut["weight_hh_l0"] + grads2["weight_hh_l0"] - grads["weight_hh_l0"]).max() > 1e-3


@pytest.mark.parametrize("name", ["torch.loop", "torch.hoisted", "torch.cell", "torch.bptt"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_written_modules_take_what_torch_nn_takes(name, cell):
    """Unbatched, batched and packed input, with and without a state: the same numbers as torch.nn's namesake."""
    spec = Spec(cell, 3, 6, num_layers=2, bidirectional=True, dtype="float64")
    weights = Case(spec).data().weights
    mine, theirs = (BUILTIN[n].load(spec, weights).module for n in (name, "torch.library"))
    x = torch.randn(5, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for given in (x, x[:, 0], pack_padded_sequence(x, torch.tensor([2, 5, 1, 4]), enforce_sorted=False)):
        (y, s), (ty, ts) = mine(given), theirs(given)
        assert_close(getattr(y, "data", y), getattr(ty, "data", ty))
        for u, v in zip(leaves(s), leaves(ts), strict=True):
            assert_close(u, v)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_lengths_of_any_integer_type_in_torch(dtype):
    """As lengths of an adapter, and as batch_sizes of a written module, which torch.nn's own refuses but for int64."""
    case = Case(Spec("lstm", 3, 6, num_layers=2, bidirectional=True, dtype="float64"), lengths=(2, 5, 1, 4))
    data = case.data()
    for name in ("torch.hoisted", "torch.library"):
        layer = BUILTIN[name].load(case.spec, data.weights)
        inputs = layer.put(data.x), tuple(map(layer.put, data.state))
        outputs = [leaves(layer.forward(*inputs, lengths)) for lengths in (np.array(case.lengths, dtype), case.lengths)]
        for a, b in zip(*outputs, strict=True):
            assert_equal(a, b)
    x = pack_padded_sequence(torch.from_numpy(data.x), torch.tensor(case.lengths), enforce_sorted=False)
    given = x._replace(batch_sizes=x.batch_sizes.to(getattr(torch, dtype)))
    written = BUILTIN["torch.hoisted"].load(case.spec, data.weights).module
    for a, b in zip(leaves(written(given)), leaves(written(x)), strict=True):
        assert_equal(a, b)


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("name", ["bias", "batch_first", "bidirectional", "reset_after"])
@pytest.mark.parametrize("value", ["False", 0, 1, None, np.True_])
def test_the_written_modules_refuse_what_is_no_bool(cell, name, value):
    with pytest.raises(TypeError, match=f"{name} (must be True or False|should be of type bool)|unexpected keyword .*'{name}'"):
        getattr(torch_impl, cell)(3, 6, **{name: value})
