"""Packing and padding against torch.nn.utils.rnn: every field of what comes out, and every adjoint against autograd.

These functions move numbers and compute none, so everything is compared exactly.
"""

import numpy as np
import pytest
import torch
from torch.nn.utils import rnn as torch_rnn

import reference
from reference import PackedSequence

from ..helpers import (
    INTEGERS,
    array,
    assert_all,
    assert_close,
    assert_equal,
    built,
    draw,
    draw_state,
    leaves,
    refill,
    results,
    tensor,
    twins,
)

T, INPUT, H = 5, 7, 8
LENGTHS = {
    "full": (5, 5, 5),
    "sorted": (5, 4, 2, 1),
    "unsorted": (2, 5, 1, 4),
    "ties": (3, 5, 1, 3, 5, 1),
    "short": (2, 4, 1),  # the longest is shorter than T
    "one sequence": (3,),
    "one step": (1, 1),
}
DECREASING = {k: v for k, v in LENGTHS.items() if tuple(sorted(v, reverse=True)) == v}
FEATURES = {"no features": (), "one axis": (INPUT,), "two axes": (INPUT, 2)}

any_lengths = pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
trailing = pytest.mark.parametrize("features", FEATURES.values(), ids=FEATURES)
layouts = pytest.mark.parametrize("batch_first", [False, True], ids=["time first", "batch first"])
sides = pytest.mark.parametrize("padding_side", ["right", "left"])
promises = pytest.mark.parametrize(
    ("lengths", "enforce_sorted"),
    [
        *(pytest.param(v, True, id=f"{k}-enforced") for k, v in DECREASING.items()),
        *(pytest.param(v, False, id=f"{k}-not enforced") for k, v in LENGTHS.items()),
    ],
)
integers = pytest.mark.parametrize("dtype", INTEGERS)
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])


def padded_batch(lengths, features=(INPUT,), batch_first=False, seed=0, dtype="float64"):
    """Random numbers also where the padding is, so that whatever is taken from there shows."""
    lead = (len(lengths), T) if batch_first else (T, len(lengths))
    return draw(seed, *lead, *features).astype(dtype)


def ragged(lengths, features=(INPUT,), seed=0):
    return [draw(seed + k, n, *features) for k, n in enumerate(lengths)]


def frozen(a):
    """The array itself, which raises from now on where it is written to."""
    a.flags.writeable = False
    return a


def pack_both(lengths, enforce_sorted=False, features=(INPUT,), batch_first=False, seed=0):
    """The same batch packed by each side, torch's data a leaf that takes gradients."""
    x = padded_batch(lengths, features, batch_first, seed)
    theirs = torch_rnn.pack_padded_sequence(tensor(x), torch.tensor(lengths), batch_first, enforce_sorted)
    theirs = theirs._replace(data=theirs.data.detach().requires_grad_())
    return reference.pack_padded_sequence(x, lengths, batch_first, enforce_sorted), theirs


def reordered(packed, like):
    """torch's packed gradient in our order.  Ties may be sorted in any order: torch's sort need not be stable."""
    values, _ = torch_rnn.pad_packed_sequence(packed)
    if like.sorted_indices is not None:
        values = values[:, like.sorted_indices]
    return np.concatenate([array(values)[t, :n] for t, n in enumerate(like.batch_sizes)])


def has_ties(lengths):
    return len(set(lengths)) < len(lengths)


def assert_same_packed(ours, theirs, lengths):
    """All four fields equal; where lengths tie, the order among them is free and what is padded back must be equal."""
    assert_equal(ours.batch_sizes, theirs.batch_sizes)
    assert (ours.sorted_indices is None) == (theirs.sorted_indices is None)
    assert (ours.unsorted_indices is None) == (theirs.unsorted_indices is None)
    if ours.sorted_indices is not None:
        count = np.arange(len(lengths))
        assert (np.diff(np.array(lengths)[ours.sorted_indices]) <= 0).all()
        assert_equal(ours.sorted_indices[ours.unsorted_indices], count)
        assert_equal(ours.unsorted_indices[ours.sorted_indices], count)
    if ours.sorted_indices is None or not has_ties(lengths):
        for field in PackedSequence._fields:
            if getattr(ours, field) is not None:
                assert_equal(getattr(ours, field), getattr(theirs, field), field)
    for a, b in zip(reference.pad_packed_sequence(ours), torch_rnn.pad_packed_sequence(theirs), strict=True):
        assert_equal(a, b)


class TestForward:
    """The same fields, numbers, shapes and dtypes as torch."""

    @promises
    @trailing
    @layouts
    def test_pack_padded_sequence(self, lengths, enforce_sorted, features, batch_first):
        x = padded_batch(lengths, features, batch_first)
        ours = reference.pack_padded_sequence(x, lengths, batch_first, enforce_sorted)
        theirs = torch_rnn.pack_padded_sequence(tensor(x), torch.tensor(lengths), batch_first, enforce_sorted)
        assert ours._fields == theirs._fields
        assert_same_packed(ours, theirs, lengths)

    @promises
    @trailing
    def test_pack_sequence(self, lengths, enforce_sorted, features):
        sequences = ragged(lengths, features)
        ours = reference.pack_sequence(sequences, enforce_sorted)
        theirs = torch_rnn.pack_sequence([tensor(s) for s in sequences], enforce_sorted)
        assert_same_packed(ours, theirs, lengths)

    @promises
    @trailing
    @layouts
    @pytest.mark.parametrize("total_length", [None, 5, 8])
    def test_pad_packed_sequence(self, lengths, enforce_sorted, features, batch_first, total_length):
        """Of one and the same PackedSequence, torch's."""
        _, theirs = pack_both(lengths, enforce_sorted, features)
        options = {"batch_first": batch_first, "padding_value": -1.5, "total_length": total_length}
        ours = PackedSequence(*(None if v is None else array(v) for v in theirs))
        for a, b in zip(
            reference.pad_packed_sequence(ours, **options), torch_rnn.pad_packed_sequence(theirs, **options), strict=True
        ):
            assert_equal(a, b)

    @any_lengths
    @trailing
    @layouts
    @sides
    def test_pad_sequence(self, lengths, features, batch_first, padding_side):
        sequences = ragged(lengths, features)
        assert_equal(
            reference.pad_sequence(sequences, batch_first, -1.5, padding_side),
            torch_rnn.pad_sequence([tensor(s) for s in sequences], batch_first, -1.5, padding_side),
        )

    @any_lengths
    @trailing
    @layouts
    def test_unpad_sequence(self, lengths, features, batch_first):
        x = padded_batch(lengths, features, batch_first)
        ours = reference.unpad_sequence(x, lengths, batch_first)
        theirs = torch_rnn.unpad_sequence(tensor(x), torch.tensor(lengths), batch_first)
        for a, b in zip(ours, theirs, strict=True):
            assert_equal(a, b)

    @any_lengths
    @dtypes
    def test_dtype_is_kept(self, lengths, dtype):
        """Labels and masks can be packed and padded too."""
        x = padded_batch(lengths, dtype=dtype)
        packed = reference.pack_padded_sequence(x, lengths, enforce_sorted=False)
        unpadded = reference.unpad_sequence(x, lengths)
        for v in (packed.data, reference.pad_packed_sequence(packed)[0], reference.pad_sequence(unpadded), *unpadded):
            assert v.dtype == dtype

    @any_lengths
    @pytest.mark.parametrize("given", [list, tuple, np.array, torch.tensor], ids=["list", "tuple", "array", "tensor"])
    def test_lengths_in_any_integer_form(self, lengths, given):
        x = padded_batch(lengths)
        expected = reference.pack_padded_sequence(x, lengths, enforce_sorted=False)
        for a, b in zip(reference.pack_padded_sequence(x, given(lengths), enforce_sorted=False), expected, strict=True):
            assert_equal(a, b)

    @promises
    @integers
    def test_lengths_of_any_integer_type(self, lengths, enforce_sorted, dtype):
        """What takes lengths gives what it gives for a list, and does not write to them."""
        x, given = padded_batch(lengths), frozen(np.array(lengths, dtype))
        for takes in (
            lambda n: reference.pack_padded_sequence(x, n, enforce_sorted=enforce_sorted),
            lambda n: reference.unpad_sequence(x, n),
            lambda n: reference.pad_sequence_backward(x, n, padding_side="left"),
            lambda n: [reference.padding_mask(n), reference.padding_mask(n, T)],
        ):
            for a, b in zip(takes(given), takes(list(lengths)), strict=True):
                assert_equal(a, b)

    @integers
    def test_more_steps_than_the_type_of_the_lengths_can_count(self, dtype):
        x = draw(0, 300, 2)
        for a, b in zip(reference.pad_sequence_backward(x, np.array([3, 1], dtype), padding_side="left"), x.T, strict=True):
            assert_equal(a, b[-len(a) :])
        assert reference.padding_mask(np.array([3, 1], dtype), 300).sum(0).tolist() == [3, 1]

    @any_lengths
    def test_ties_keep_the_order_given(self, lengths):
        """Stricter than torch: among equal lengths the order is the caller's."""
        packed = reference.pack_padded_sequence(padded_batch(lengths), lengths, enforce_sorted=False)
        expected = sorted(range(len(lengths)), key=lambda b: -lengths[b])
        assert_equal(packed.sorted_indices, np.array(expected))

    @any_lengths
    @layouts
    def test_there_and_back(self, lengths, batch_first):
        """Each function undoes its partner."""
        x = padded_batch(lengths, batch_first=batch_first)
        sequences = reference.unpad_sequence(x, lengths, batch_first)
        padded = reference.pad_sequence(sequences, batch_first, padding_value=7.0)
        packed = reference.pack_padded_sequence(x, lengths, batch_first, enforce_sorted=False)
        back, n = reference.pad_packed_sequence(packed, batch_first, padding_value=7.0)
        assert_equal(back, padded)
        assert_equal(n, np.array(lengths))
        again = reference.pack_padded_sequence(back, n, batch_first, enforce_sorted=False)
        for a, b in zip(again, packed, strict=True):
            assert_equal(a, b)
        for a, b in zip(reference.unpad_sequence(padded, n, batch_first), sequences, strict=True):
            assert_equal(a, b)

    @any_lengths
    def test_results_are_copies(self, lengths):
        """Writing into what comes out leaves the arguments as they are."""
        x, sequences = padded_batch(lengths), ragged(lengths)
        packed = reference.pack_padded_sequence(x, lengths, enforce_sorted=False)
        out = [
            packed.data,
            *reference.unpad_sequence(x, lengths),
            reference.pad_sequence(sequences),
            reference.pad_packed_sequence(packed)[0],
        ]
        for v in out:
            assert not any(np.shares_memory(v, given) for given in (x, *sequences))
        assert not np.shares_memory(out[-1], packed.data)


class TestBackward:
    """The adjoint of each function is torch autograd's gradient, exactly."""

    @promises
    @trailing
    @layouts
    def test_pack_padded_sequence(self, lengths, enforce_sorted, features, batch_first):
        x = padded_batch(lengths, features, batch_first)
        leaf = tensor(x).requires_grad_()
        ours = reference.pack_padded_sequence(x, lengths, batch_first, enforce_sorted)
        theirs = torch_rnn.pack_padded_sequence(leaf, torch.tensor(lengths), batch_first, enforce_sorted)
        upstream = draw(1, *theirs.data.shape)
        (dx,) = torch.autograd.grad(theirs.data, leaf, tensor(upstream))
        dpacked = ours._replace(data=reordered(theirs._replace(data=tensor(upstream)), ours))
        assert_equal(reference.pack_padded_sequence_backward(dpacked, T, batch_first), dx)

    @promises
    @trailing
    def test_pack_sequence(self, lengths, enforce_sorted, features):
        sequences = ragged(lengths, features)
        given = [tensor(s).requires_grad_() for s in sequences]
        ours = reference.pack_sequence(sequences, enforce_sorted)
        theirs = torch_rnn.pack_sequence(given, enforce_sorted)
        upstream = draw(1, *theirs.data.shape)
        dsequences = torch.autograd.grad(theirs.data, given, tensor(upstream))
        dpacked = ours._replace(data=reordered(theirs._replace(data=tensor(upstream)), ours))
        for a, b in zip(reference.pack_sequence_backward(dpacked), dsequences, strict=True):
            assert_equal(a, b)

    @promises
    @trailing
    @layouts
    @pytest.mark.parametrize("total_length", [None, 8])
    def test_pad_packed_sequence(self, lengths, enforce_sorted, features, batch_first, total_length):
        ours, theirs = pack_both(lengths, enforce_sorted, features)
        padded, _ = torch_rnn.pad_packed_sequence(theirs, batch_first, -1.5, total_length)
        upstream = draw(1, *padded.shape)
        (ddata,) = torch.autograd.grad(padded, theirs.data, tensor(upstream))
        dpacked = reference.pad_packed_sequence_backward(upstream, ours, batch_first)
        assert_equal(dpacked.data, reordered(theirs._replace(data=ddata), ours))
        for a, b in zip(dpacked[1:], ours[1:], strict=True):
            assert_equal(a, b)

    @any_lengths
    @trailing
    @layouts
    @sides
    def test_pad_sequence(self, lengths, features, batch_first, padding_side):
        given = [tensor(s).requires_grad_() for s in ragged(lengths, features)]
        padded = torch_rnn.pad_sequence(given, batch_first, -1.5, padding_side)
        upstream = draw(1, *padded.shape)
        dsequences = torch.autograd.grad(padded, given, tensor(upstream))
        ours = reference.pad_sequence_backward(upstream, lengths, batch_first, padding_side)
        for a, b in zip(ours, dsequences, strict=True):
            assert_equal(a, b)

    @any_lengths
    @trailing
    @layouts
    def test_unpad_sequence(self, lengths, features, batch_first):
        leaf = tensor(padded_batch(lengths, features, batch_first)).requires_grad_()
        # torch transposes its argument in place, which a leaf does not allow
        sequences = torch_rnn.unpad_sequence(leaf.clone(), torch.tensor(lengths), batch_first)
        upstream = ragged(lengths, features, seed=1)
        (dx,) = torch.autograd.grad(sequences, leaf, [tensor(d) for d in upstream])
        assert_equal(reference.unpad_sequence_backward(upstream, T, batch_first), dx)

    @any_lengths
    def test_torch_packed_sequences_are_read(self, lengths):
        """What torch packed can be padded here, and its gradient packed again."""
        theirs = torch_rnn.pack_padded_sequence(tensor(padded_batch(lengths)), torch.tensor(lengths), enforce_sorted=False)
        for a, b in zip(reference.pad_packed_sequence(theirs), torch_rnn.pad_packed_sequence(theirs), strict=True):
            assert_equal(a, b)
        upstream = padded_batch(lengths, seed=1)
        dpacked = reference.pad_packed_sequence_backward(upstream, theirs)
        expected = torch_rnn.PackedSequence(torch.from_numpy(dpacked.data), *theirs[1:])
        kept, _ = torch_rnn.pad_packed_sequence(expected, total_length=T)
        running = np.arange(T)[:, None, None] < np.array(lengths)[:, None]
        assert_equal(kept, upstream * running)


def packed(sizes, rows=6, order=None, back=None):
    return PackedSequence(draw(0, rows, INPUT), np.array(sizes, dtype="int64"), order, back)


MALFORMED = {
    "increasing": (packed([2, 3, 1]), ValueError, r"batch_sizes must .* never increase, got \[2 3 1\]"),
    "increasing, unsigned": (
        packed([2, 3, 1])._replace(batch_sizes=np.array([2, 3, 1], "uint8")),
        ValueError,
        r"batch_sizes must .* never increase, got \[2 3 1\]",
    ),
    "too few rows": (packed([3, 2, 2]), ValueError, r"batch_sizes must add up to the 6 rows of data, got 7"),
    "too many rows": (packed([3, 2]), ValueError, r"batch_sizes must add up to the 6 rows of data, got 5"),
    "no steps": (packed([], 0), ValueError, r"batch_sizes must be positive .*, got \[\]"),
    "a step of none": (packed([6, 0]), ValueError, r"batch_sizes must be positive .*, got \[6 0\]"),
    "only steps of none": (packed([0, 0], 0), ValueError, r"batch_sizes must be positive .*, got \[0 0\]"),
    "negative": (packed([7, -1]), ValueError, r"batch_sizes must be positive .*, got \[ 7 -1\]"),
    "2-D batch_sizes": (packed([[3, 2, 1]]), ValueError, r"batch_sizes must .*, got \[\[3 2 1\]\]"),
    "float batch_sizes": (
        packed([3, 2, 1])._replace(batch_sizes=np.array([3.0, 2, 1])),
        ValueError,
        r"batch_sizes must be integers, got dtype float64",
    ),
    "no batch_sizes": (packed([3, 2, 1])._replace(batch_sizes=None), ValueError, r"batch_sizes must .*, got None"),
    "an order of too few": (
        packed([3, 2, 1], order=np.array([0, 1])),
        ValueError,
        r"sorted_indices must be a permutation of the 3 sequences, got \[0 1\]",
    ),
    "an order that repeats": (
        packed([3, 2, 1], order=np.array([0, 1, 1])),
        ValueError,
        r"sorted_indices must be a permutation of the 3 sequences, got \[0 1 1\]",
    ),
    "a way back of too few": (
        packed([3, 2, 1], order=np.array([1, 0, 2]), back=np.array([1, 0])),
        ValueError,
        r"unsorted_indices must be a permutation of the 3 sequences, got \[1 0\]",
    ),
    "an array": (draw(0, 6, INPUT), TypeError, "sequence must be a PackedSequence, got ndarray"),
    "a plain tuple": ((draw(0, 6, INPUT), np.array([3, 2, 1])), TypeError, "sequence must be a PackedSequence, got tuple"),
}


def malformed(rows):
    return pytest.mark.parametrize(("sequence", "error", "says"), rows.values(), ids=rows)


class TestMalformed:
    """A PackedSequence put together by hand and wrong raises wherever it is used; torch mostly computes something."""

    @malformed(MALFORMED)
    def test_pad_packed_sequence(self, sequence, error, says):
        with pytest.raises(error, match=says):
            reference.pad_packed_sequence(sequence)

    @malformed(MALFORMED)
    def test_pad_packed_sequence_backward(self, sequence, error, says):
        with pytest.raises(error, match=says):
            reference.pad_packed_sequence_backward(draw(0, 3, 3, INPUT), sequence)

    @malformed({k: row for k, row in MALFORMED.items() if k != "an array"})  # which is an unbatched input
    @pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
    def test_layer(self, cell, sequence, error, says, engine):
        with pytest.raises(error, match=says):
            built(cell, INPUT, H, dtype="float64")(sequence)

    @pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
    def test_packed_differently_upstream(self, cell, engine):
        """A packed dy must be packed as y is: as many rows alone are not enough."""
        layer = built(cell, INPUT, INPUT, dtype="float64")
        y, _ = layer(reference.pack_padded_sequence(padded_batch((2, 4, 1)), (2, 4, 1), enforce_sorted=False))
        for lengths, enforce_sorted in (((4, 3), True), ((4, 2, 1), True), ((4, 2, 1), False)):
            dy = reference.pack_padded_sequence(padded_batch(lengths), lengths, enforce_sorted=enforce_sorted)
            with pytest.raises(RuntimeError, match=r"dy must be packed as the output is, .* got "):
                layer.backward(dy)
        assert layer.grads == {}
        layer.backward(y)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
class TestLayersTakePackedSequences:
    """Layers take this package's PackedSequence and torch's, and treat them as torch.nn's layers do."""

    @promises
    def test_as_torch(self, cell, lengths, enforce_sorted):
        """Every output and gradient; states and their gradients lie in the caller's order."""
        ours, theirs = twins(cell, INPUT, H, 2, bidirectional=True)
        x, _ = pack_both(lengths, enforce_sorted)
        state = draw_state(2, cell, 4, len(lengths), H)
        assert_all(assert_close, results(ours, x, state), results(theirs, x, state))

    @any_lengths
    def test_packed_by_torch(self, cell, lengths):
        """torch's PackedSequence as x: the same numbers as torch's layer gives for it, in the same rows."""
        ours, theirs = twins(cell, INPUT, H, 2, bidirectional=True)
        _, x = pack_both(lengths)
        x = x._replace(data=x.data.detach())
        state = draw_state(2, cell, 4, len(lengths), H)
        y, state_n = ours(x, state)
        expected, expected_n = theirs(x, refill(state, [tensor(v) for v in leaves(state)]))
        assert isinstance(y, PackedSequence)
        for a, b in zip(y[1:], expected[1:], strict=True):
            assert_equal(a, b)
        for a, b in zip([y.data, *leaves(state_n)], [expected.data, *leaves(expected_n)], strict=True):
            assert_close(a, b)

    def test_order_without_its_inverse(self, cell):
        """PackedSequence(data, batch_sizes, sorted_indices) is complete, as in torch, whose constructor inverts."""
        layer, theirs = twins(cell, INPUT, H)
        lengths = (2, 4, 1, 3)
        x, _ = pack_both(lengths)
        state = draw_state(2, cell, 1, len(lengths), H)
        complete = results(layer, x, state)
        assert not np.array_equal(x.sorted_indices, x.unsorted_indices)
        assert_all(assert_equal, results(layer, x._replace(unsorted_indices=None), state), complete)
        assert_all(assert_close, complete, results(theirs, x._replace(unsorted_indices=None), state))
        for a, b in zip(
            reference.pad_packed_sequence(x._replace(unsorted_indices=None)), reference.pad_packed_sequence(x), strict=True
        ):
            assert_equal(a, b)

    @integers
    def test_batch_sizes_of_any_integer_type(self, cell, dtype):
        """The same numbers as with int64, which they are in what comes out, and nothing is written to."""
        layer, _ = twins(cell, INPUT, H, 2, bidirectional=True)
        lengths = LENGTHS["ties"]
        x = reference.pack_padded_sequence(padded_batch(lengths), lengths, enforce_sorted=False)
        given, state = x._replace(batch_sizes=frozen(x.batch_sizes.astype(dtype))), draw_state(2, cell, 4, len(lengths), H)
        assert_all(assert_equal, results(layer, given, state), results(layer, x, state))
        for a, b in zip(layer(given)[0][1:], x[1:], strict=True):
            assert_equal(a, b)
        for a, b in zip(reference.pad_packed_sequence(given), reference.pad_packed_sequence(x), strict=True):
            assert_equal(a, b)
        dpadded = draw(3, max(lengths), len(lengths), INPUT)
        for a, b in zip(
            reference.pad_packed_sequence_backward(dpadded, given), reference.pad_packed_sequence_backward(dpadded, x), strict=True
        ):
            assert_equal(a, b)

    def test_upstream_gradient_packed_or_as_rows(self, cell):
        """dy may be a PackedSequence like y, or the array of its rows."""
        layer, _ = twins(cell, INPUT, H)
        x, _ = pack_both((2, 4, 1))
        y, _, pullback = layer.vjp(x)
        dy = draw(5, *y.data.shape)
        (dw, *rest), (dw_2, *rest_2) = pullback(dy), pullback(y._replace(data=dy))
        assert_all(assert_equal, dw, dw_2)
        for a, b in zip(leaves(rest), leaves(rest_2), strict=True):
            assert_equal(a, b)

    def test_writing_into_the_data_after_the_forward(self, cell):
        """A caller that reuses the data of x or y as a buffer does not change the gradients."""
        layer, _ = twins(cell, INPUT, H)
        x, _ = pack_both((2, 4, 1))
        y, _, pullback = layer.vjp(x)
        dy = draw(5, *y.data.shape)
        before = leaves(pullback(dy)[1:])
        x.data[...] = y.data[...] = 1e3
        for a, b in zip(leaves(pullback(dy)[1:]), before, strict=True):
            assert_equal(a, b)


def test_a_padding_mask_marks_each_sequences_own_steps():
    lengths = np.array([2, 0, 3])
    assert_equal(reference.padding_mask(lengths), np.array([[1, 0, 1], [1, 0, 1], [0, 0, 1]], bool))
    assert reference.padding_mask(lengths, 5).sum(0).tolist() == [2, 0, 3]
    assert reference.padding_mask(lengths[:0], 5).shape == (5, 0)


@pytest.mark.parametrize("lengths", [[2], [2, 3, 1], [[2, 3]], [2, 6], [2, -1]], ids=str)
def test_pad_sequence_backward_refuses_lengths_as_unpad_sequence_does(lengths):
    x, said = draw(0, T, 2, INPUT), []
    for takes in (reference.unpad_sequence, reference.pad_sequence_backward):
        with pytest.raises((RuntimeError, ValueError), match="lengths must ") as caught:
            takes(x, lengths)
        said.append((caught.type, str(caught.value)))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("lengths", "T", "says"),
    [
        ([2, 4], 3, "lengths must be from 0 to 3, got 4"),
        ([-1], 3, "lengths must be from 0 to 3, got -1"),
        ([[1]], 3, "whole numbers in one dimension, got int64 in 2"),
        ([1.0], 3, "got float64 in 1"),
    ],
)
def test_a_padding_mask_of_bad_lengths_is_an_error(lengths, T, says):
    with pytest.raises(ValueError, match=says):
        reference.padding_mask(lengths, T)
