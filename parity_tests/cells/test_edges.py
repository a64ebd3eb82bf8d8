"""torch and reference at their edges: the table of edges.py, and what does not fit into a table.

Each row is asserted on both sides, so that a torch upgrade says what changed.  Where both work the numbers must agree.
Where both raise, reference raises torch's type or a subclass of it; where it does not, or where only one of them
raises, the row says why.  Every error of reference names the argument, what was expected and what was given.
"""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import nn

import reference

from ..helpers import array, assert_all, assert_close, assert_equal, draw, leaves, refill, results, tensor, twins
from .edges import CELLS, PAIR, TABLE, WIDTH, B, H, L, Raises, Side, T, Warns, outcome_of_torch, works

pytestmark = pytest.mark.usefixtures("engine")

each_row = pytest.mark.parametrize(
    ("row", "cell"), [pytest.param(row, cell, id="-".join(filter(None, (row.name, cell)))) for row in TABLE for cell in row.cells]
)


def check(outcome, deed):
    """Do it and assert the outcome; what it returned, if it works."""
    if isinstance(outcome, Raises):
        with pytest.raises(outcome.kind, match=outcome.says or None) as caught:
            deed()
        assert caught.type is outcome.kind
        return None
    if isinstance(outcome, Warns):
        with pytest.warns(outcome.kind, match=outcome.says):
            return deed()
    return deed()


def comparable(value):
    """What a row returns as named arrays: results, or whatever nest of arrays; a module has nothing to compare."""
    if isinstance(value, Mapping):
        return value
    return {str(k): array(v) for k, v in enumerate(leaves(value)) if not hasattr(v, "state_dict")}


class TestTable:
    @each_row
    def test_torch(self, row, cell):
        """torch does what the row says."""
        check(outcome_of_torch(row, cell), lambda: row.does(Side("torch", cell)))

    @each_row
    def test_reference(self, row, cell):
        """reference does what the row says, with a message that says what was wrong."""
        check(row.ours, lambda: row.does(Side("reference", cell)))

    @pytest.mark.parametrize(
        ("row", "cell"),
        [
            pytest.param(row, cell, id="-".join(filter(None, (row.name, cell))))
            for row in TABLE
            for cell in row.cells
            if outcome_of_torch(row, cell) == row.ours == works
        ],
    )
    def test_same_numbers(self, row, cell):
        """Where both work they give the same, NaN and inf included."""
        ours, theirs = (comparable(row.does(Side(library, cell))) for library in ("reference", "torch"))
        assert_all(assert_close, ours, theirs)

    @pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
    def test_differences_have_a_reason(self, row):
        """reference raises what torch raises, or a subclass, or the row says why not; and only then."""
        outcomes = [outcome_of_torch(row, cell) for cell in row.cells]
        same = all(
            issubclass(row.ours.kind, theirs.kind)
            if isinstance(row.ours, Raises) and isinstance(theirs, Raises)
            else type(row.ours) is type(theirs)
            for theirs in outcomes
        )
        assert same == (not row.differs)

    def test_names_are_unique(self):
        names = [row.name for row in TABLE]
        assert len(set(names)) == len(names)

    def test_every_error_says_what_was_wrong(self):
        """No row of reference is content with any message: each names more than the type of its error."""
        assert all(len(row.ours.says.split()) >= 3 for row in TABLE if isinstance(row.ours, Raises))


sides = pytest.mark.parametrize("library", ["torch", "reference"])
each_cell = pytest.mark.parametrize("cell", CELLS)


def h_of(state):
    return leaves(state)[0]


class TestLayoutOfStates:
    """Where the final states lie, on both sides."""

    @sides
    @each_cell
    @pytest.mark.parametrize("batch_first", [False, True], ids=["time first", "batch first"])
    def test_last_steps_of_both_directions(self, library, cell, batch_first):
        """The forward half ends at the last step, the reverse half at the first: out[-1] holds only one of them."""
        s = Side(library, cell)
        out, state_n = s.layer(num_layers=1, bidirectional=True, batch_first=batch_first)(
            s.array(*((B, T) if batch_first else (T, B)), WIDTH)
        )
        out, h_n = array(out), array(h_of(state_n))
        out = out.swapaxes(0, 1) if batch_first else out
        assert_equal(h_n[0], out[-1, :, :H])
        assert_equal(h_n[1], out[0, :, H:])
        assert not np.array_equal(h_n[1], out[-1, :, H:])

    @sides
    @each_cell
    def test_layer_major_then_direction(self, library, cell):
        """h_n[2k] and h_n[2k + 1] are the directions of layer k: those of the first layer are those of it alone."""
        s = Side(library, cell)
        stack, x = s.layer(num_layers=3, bidirectional=True), s.array(T, B, WIDTH)
        first = s.layer(num_layers=1, bidirectional=True)
        first.load_state_dict({k: v for k, v in stack.state_dict().items() if "_l0" in k})
        (y, state_n), (_, first_n) = stack(x), first(x)
        for all_of, first_of in zip(leaves(state_n), leaves(first_n), strict=True):
            assert all_of.shape == (6, B, H)
            assert_close(all_of[:2], first_of)
        assert_equal(h_of(state_n)[4], y[-1, :, :H])
        assert_equal(h_of(state_n)[5], y[0, :, H:])

    @sides
    @each_cell
    def test_batch_first_state_where_both_layouts_fit(self, library, cell):
        """With N = L a state given as (N, L, H) is silently taken as (L, N, H): turned round it gives other numbers."""
        s = Side(library, cell)
        layer, x, state = s.layer(batch_first=True), s.array(L, T, WIDTH), s.state(L, L, H)
        turned = refill(state, [v.swapaxes(0, 1) for v in leaves(state)])
        y, y_turned = array(layer(x, state)[0]), array(layer(x, turned)[0])
        time_first = s.layer()
        assert_close(y, array(time_first(x.swapaxes(0, 1), state)[0]).swapaxes(0, 1))
        assert np.abs(y - y_turned).max() > 1e-3

    @sides
    @each_cell
    def test_empty_batch(self, library, cell):
        """B = 0 has outputs without elements and weight gradients of zero."""
        s = Side(library, cell)
        computed = s.results(s.layer(bidirectional=True), s.array(T, 0, WIDTH), s.state(2 * L, 0, H))
        weights = s.layer(bidirectional=True).state_dict()
        assert computed["output 0"].shape == (T, 0, 2 * H)
        assert computed["output 1"].shape == (2 * L, 0, H)
        assert computed["d(input 0)"].shape == (T, 0, WIDTH)
        for k, v in weights.items():
            assert_equal(computed[f"d{k}"], np.zeros(v.shape))


class TestFailuresChangeNothing:
    """After an error of reference everything is as it was before."""

    @each_cell
    @pytest.mark.parametrize("what", ["layer", "cell"])
    @pytest.mark.parametrize("wrong", ["missing", "unexpected", "misshapen", "dtype"])
    def test_load_state_dict(self, cell, what, wrong):
        """No entry is taken over from a state_dict of which one entry is wrong."""
        s = Side("reference", cell)
        module = getattr(s, what)()
        before = module.state_dict()
        last = list(before)[-1]
        changes = {
            "missing": {last: None},
            "unexpected": {"more": np.zeros(1)},
            "misshapen": {last: np.zeros(1)},
            "dtype": {last: 1j * before[last]},
        }[wrong]
        given = s.changed(module, **{k: v + 1 for k, v in before.items()} | changes)
        with pytest.raises(RuntimeError, match="state_dict"):
            module.load_state_dict(given)
        assert_all(assert_equal, module.state_dict(), before)

    @pytest.mark.parametrize("wrong", ["misshapen", "unexpected"])
    def test_torch_loads_what_fits(self, wrong):
        """torch raises, but what fits has been taken over by then: the difference that the test above is about."""
        module = nn.LSTM(WIDTH, H)
        changes = {"misshapen": {"weight_hh_l0": torch.zeros(1)}, "unexpected": {"more": torch.zeros(1)}}[wrong]
        given = {k: torch.full_like(v, 7) for k, v in module.state_dict().items()} | changes
        with pytest.raises(RuntimeError, match="Error"):
            module.load_state_dict(given)
        assert (module.weight_ih_l0 == 7).all()

    @each_cell
    @pytest.mark.parametrize("wrong", ["dy shape", "dy dtype", "dstate shape", "dstate dtype", "dstate kind"])
    def test_backward_of_a_layer(self, cell, wrong):
        """Wrong gradients leave grads unchanged, and the backward that follows is the right one."""
        s = Side("reference", cell)
        layer, x, state = s.layer(), s.array(T, B, WIDTH), s.state(L, B, H)
        dy, dstate = s.array(T, B, H), s.state(L, B, H)
        layer(x, state)
        expected_dx, expected_dstate = layer.backward(dy, dstate)
        expected = layer.grads
        layer(2 * x, state)
        layer.backward(dy, dstate)
        before, kept = layer.grads, {k: v.copy() for k, v in layer.grads.items()}
        layer(x, state)
        bad = {
            "dy shape": (s.array(T, B, H + 1), dstate),
            "dy dtype": (dy.astype("float32"), dstate),
            "dstate shape": (dy, s.state(L, B, H + 1)),
            "dstate dtype": (dy, s.state(L, B, H, dtype="float32")),
            "dstate kind": (dy, dstate[0] if cell in PAIR else (dstate, dstate)),
        }[wrong]
        with pytest.raises((RuntimeError, TypeError), match=wrong.split()[0]):
            layer.backward(*bad)
        assert layer.grads is before
        assert_all(assert_equal, layer.grads, kept)
        dx, dstate_0 = layer.backward(dy, dstate)
        assert_all(assert_equal, layer.grads, expected)
        for a, b in zip(leaves((dx, dstate_0)), leaves((expected_dx, expected_dstate)), strict=True):
            assert_equal(a, b)

    @each_cell
    @pytest.mark.parametrize("wrong", ["shape", "dtype", "kind"])
    def test_backward_of_a_cell(self, cell, wrong):
        s = Side("reference", cell)
        module, x, state, dstate = s.cell(), s.array(B, WIDTH), s.state(B, H), s.state(B, H)
        module(x, state)
        expected_dx, expected_dstate = module.backward(dstate)
        expected = module.grads
        module(x, state)
        bad = {
            "shape": s.state(B, H + 1),
            "dtype": s.state(B, H, dtype="float32"),
            "kind": dstate[0] if cell in PAIR else (dstate, dstate),
        }[wrong]
        with pytest.raises((RuntimeError, TypeError), match="dstate"):
            module.backward(bad)
        assert module.grads is expected
        dx, dstate_0 = module.backward(dstate)
        assert_all(assert_equal, module.grads, expected)
        for a, b in zip(leaves((dx, dstate_0)), leaves((expected_dx, expected_dstate)), strict=True):
            assert_equal(a, b)

    @each_cell
    @pytest.mark.parametrize("what", ["layer", "cell"])
    def test_second_backward(self, cell, what):
        """A second backward raises and leaves the gradients of the first in grads."""
        s = Side("reference", cell)
        module = getattr(s, what)()
        module(s.array(*((T, B, WIDTH) if what == "layer" else (B, WIDTH))))
        module.backward()
        before = module.grads
        with pytest.raises(RuntimeError, match="each forward allows one backward"):
            module.backward()
        assert module.grads is before

    @each_cell
    def test_failed_forward(self, cell):
        """A forward that raises leaves the one before it to be used."""
        s = Side("reference", cell)
        layer, x, dy = s.layer(), s.array(T, B, WIDTH), s.array(T, B, H)
        layer(x)
        expected = layer.backward(dy)
        layer(x)
        with pytest.raises(RuntimeError, match="input_size"):
            layer(x[..., 1:])
        for a, b in zip(leaves(layer.backward(dy)), leaves(expected), strict=True):
            assert_equal(a, b)


class TestOnlyTorch:
    """Edges that reference does not have, or has otherwise, for users who come from torch or go there."""

    @pytest.mark.parametrize("device", ["meta", *["cuda"] * torch.cuda.is_available()])
    def test_lengths_must_live_on_the_cpu(self, device):
        x, lengths = torch.zeros(T, B, 2), torch.tensor([4, 2, 1])
        with pytest.raises(RuntimeError, match=f"should be a 1D CPU int64 tensor, but got 1D {device}"):
            nn.utils.rnn.pack_padded_sequence(x.to(device), lengths.to(device))
        assert nn.utils.rnn.pack_padded_sequence(x.to(device), lengths).data.device.type == device

    @pytest.mark.parametrize("device", ["meta", *["cuda"] * torch.cuda.is_available()])
    def test_batch_sizes_must_live_on_the_cpu(self, device):
        with pytest.raises(ValueError, match="batch_sizes should always be on CPU"):
            nn.utils.rnn.PackedSequence(torch.zeros(6, 2, device=device), torch.tensor([3, 2, 1], device=device))

    def test_lengths_beyond_the_end_are_believed(self):
        """torch packs 4 steps as 5 and says so in batch_sizes, with one row less than they add up to."""
        packed = nn.utils.rnn.pack_padded_sequence(torch.ones(T, B, 2), [5, 2, 1])
        assert packed.batch_sizes.tolist() == [3, 2, 1, 1, 1]
        assert len(packed.data) == 7
        with pytest.raises(RuntimeError, match="invalid for input of size"):
            nn.utils.rnn.pad_packed_sequence(packed)
        with pytest.raises(ValueError, match="batch_sizes must add up to the 7 rows of data, got 8"):
            reference.pad_packed_sequence(packed)

    def test_unpad_sequence_transposes_its_argument(self):
        """In place, unless batch first: the caller's tensor has another shape afterwards.  Not so in reference."""
        x = torch.zeros(T, B, 2)
        nn.utils.rnn.unpad_sequence(x, torch.tensor([4, 2, 1]))
        assert x.shape == (B, T, 2)
        ours = np.zeros((T, B, 2))
        reference.unpad_sequence(ours, [4, 2, 1])
        assert ours.shape == (T, B, 2)

    def test_pad_sequence_takes_the_first_dtype(self):
        """torch casts every sequence to the dtype of the first; reference to one that holds them all."""
        mixed = [draw(0, 2, dtype="float32"), draw(0, 3)]
        assert nn.utils.rnn.pad_sequence([tensor(s) for s in mixed]).dtype == torch.float32
        assert reference.pad_sequence(mixed).dtype == np.float64

    @pytest.mark.parametrize(
        ("bad", "after"),
        [
            pytest.param(np.nan, [np.nan, np.nan, np.nan], id="nan"),
            pytest.param(np.inf, [0, np.nan, 0], id="inf"),
        ],
    )
    def test_clip_grad_norm_passes_non_finite_norms(self, bad, after):
        """Silently by default: NaN spreads to every gradient, inf makes zeros of the others.  It can raise."""
        weights = nn.Parameter(torch.zeros(3))
        weights.grad = torch.tensor([1.0, bad, 2.0])
        with pytest.raises(RuntimeError, match="non-finite, so it cannot be clipped"):
            nn.utils.clip_grad_norm_([weights], 1.0, error_if_nonfinite=True)
        norm = nn.utils.clip_grad_norm_([weights], 1.0)
        assert_equal(norm, np.float32(bad))
        assert_equal(weights.grad, np.array(after, "float32"))


@each_cell
@pytest.mark.parametrize("packed", [False, True], ids=["dense", "packed"])
def test_nan_stays_in_its_sequence(cell, packed):
    """A NaN in one sequence reaches its own later steps and no other sequence, as in torch."""
    ours, theirs = twins(cell, WIDTH, H)
    x = draw(0, T, B, WIDTH)
    x[1, 1, 0] = np.nan
    if packed:
        x = reference.pack_padded_sequence(x, [4, 4, 2])
    y, expected = array(leaves(ours(x)[0])[0]), results(theirs, x)["output 0"]
    assert_close(y, expected)
    nan = np.isnan(reference.pad_packed_sequence(x._replace(data=y))[0] if packed else y).all(-1)
    assert nan.tolist() == [[False] * 3, *[[False, True, False]] * 3]
