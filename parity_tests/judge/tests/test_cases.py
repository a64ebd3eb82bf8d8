"""The cases are what they promise to be: every pair of options, and nothing degenerate but what says so."""

import itertools
from collections import Counter

import numpy as np
import pytest

from ..cases import KINDS, LENGTHS, OPTIONS, pairwise, table
from ..cases.case import SEVERAL_FORMS
from ..cases.memory import LAYOUTS
from ..cases.table import GROUPS, LAYER, SIZES, ones, paired, sizes
from ..cases.values import CHANGES, NON_FINITE
from ..contracts import CONTRACTS
from ..oracle import define, truth

CASES = table(("float64",), tier=2)
DRAWN = [case for case in CASES if not case.values]
JUDGED = [case for case in CASES if not case.contract and case.values not in NON_FINITE]
SMALL_ON_PURPOSE = {"size1", "square", "same_width"}


def test_every_pair_of_option_values_occurs():
    rows = pairwise(OPTIONS)
    for a, b in itertools.combinations(OPTIONS, 2):
        wanted = set(itertools.product(OPTIONS[a], OPTIONS[b]))
        assert {(row[a], row[b]) for row in rows} == wanted, (a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_every_pair_occurs_within_dense_and_within_packed(kind):
    """A library that takes no lengths meets every pair of the other options all the same."""
    for packed in (False, True):
        cases = [c for c in paired(kind) if c.spec.packed == packed]
        rows = [{o: c.state if o == "state" else getattr(c.spec, o) for o in LAYER} for c in cases]
        for a, b in itertools.combinations(LAYER, 2):
            assert {(row[a], row[b]) for row in rows} == set(itertools.product(LAYER[a], LAYER[b])), (packed, a, b)
    assert {c.lengths for c in paired(kind)} == set(LENGTHS.values())


@pytest.mark.parametrize("kind", KINDS)
def test_the_plain_call_is_there(kind):
    """Biases, no state, no lengths, one layer: what everybody calls first.  mlx #3249 is wrong only there."""
    plain = [c for c in table(("float32",)) if c.spec.kind == kind and not (c.state or c.lengths or c.values or c.contract)]
    assert any(c.spec.bias and c.spec.num_layers == 1 and not c.spec.batch_first | c.spec.bidirectional for c in plain)


def test_one_step_and_one_sequence_meet_every_option():
    rows = [c for c in ones("lstm") if (c.T, c.B) == (1, 1)]
    for option in ("num_layers", "bidirectional", "bias", "batch_first", "packed"):
        assert len({getattr(c.spec, option) for c in rows}) == 2, option
    assert {c.state for c in rows} == {True, False}


def test_sizes_surround_the_blocks_of_kernels():
    rows = list(sizes("gru"))
    widths = {v for c in rows for v in (c.spec.input_size, c.spec.hidden_size)}
    assert widths >= {15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 257, 1025}
    assert max(c.B for c in rows) > 1024 and max(c.T for c in rows) > 1024
    assert any(c.spec.input_size > c.spec.hidden_size for c in rows)
    assert any(c.T == c.B == c.spec.input_size == c.spec.hidden_size for c in rows)
    assert {c.label for c in rows if c.tier == 1} >= set(SIZES)


def test_every_kind_gets_the_same_options_and_names_are_unique():
    names = [case.name for case in CASES]
    assert [n for n, times in Counter(names).items() if times > 1] == []
    count = Counter(case.spec.kind for case in CASES)
    assert count["lstm"] == count["lstm-proj"] == count["rnn"] + 1 == count["gru"] + 1  # gradients of c_n alone
    assert count["rnn"] == count["gru-before"] == count["rnn-relu"]  # relu does not saturate, but has a slope at zero


def test_what_cases_can_say_is_said_by_some():
    assert {case.values for case in CASES} - {""} == set(CHANGES)
    assert {case.memory for case in CASES} - {""} == set(LAYOUTS)
    assert {case.contract for case in CASES} - {""} == set(CONTRACTS) > set(SEVERAL_FORMS)
    assert len(GROUPS) == len(set(GROUPS))


def test_a_spec_tells_what_will_be_given():
    for case in CASES:
        assert (case.spec.state, case.spec.packed) == (case.state, case.lengths is not None)
        assert ((None, None) if case.contract in SEVERAL_FORMS else (case.T, case.B)) == (case.spec.T, case.spec.B)


def test_sizes_are_pairwise_different():
    for case in DRAWN:
        if case.label in SMALL_ON_PURPOSE or 1 in (case.T, case.B):
            continue
        s = case.spec
        sizes = [case.T, case.B, s.input_size, s.hidden_size, *([s.proj_size] if s.proj_size else [])]
        wide = max(sizes) > 12  # what is past a block may meet another size by chance
        assert wide or len(set(sizes)) == len(sizes), case.name
        assert case.T > 1


def test_nothing_that_goes_in_is_zero_or_constant():
    for case in DRAWN:
        data = case.data()
        for name, v in (
            *data.weights.items(),
            ("x", data.x),
            ("dy", data.dy),
            *(("state", v) for v in data.state or ()),
            *(("dstate", v) for v in data.dstate),
        ):
            assert (v != 0).all(), (case.name, name)
            assert v.size == 1 or np.ptp(v) > 0, (case.name, name)
        if case.spec.bias:
            w = data.weights
            assert (w["bias_ih_l0"] != w["bias_hh_l0"]).all()
        for mask in data.masks or ():
            assert 0 < mask.mean() < 1


def test_data_does_not_depend_on_who_asks_or_when():
    a, b = CASES[5].data(), CASES[5].data()
    np.testing.assert_array_equal(a.x, b.x)
    assert a.x is not b.x
    assert not np.array_equal(a.x, CASES[6].data().x)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_changes_how_numbers_lie_and_no_number(layout):
    case = next(c for c in CASES if c.memory == layout)
    data, usual = case.data(), case._drawn()
    np.testing.assert_array_equal(data.x, usual.x)
    assert all((data.weights[k] == w).all() for k, w in usual.weights.items())
    flags = {"fortran": data.x.flags.f_contiguous, "read_only": not data.x.flags.writeable}
    assert flags.get(layout, not data.x.flags.contiguous)
    assert layout != "backwards" or min(data.x.strides) < 0


def test_what_stands_in_padding_is_where_nothing_may_be_read():
    for case in (c for c in CASES if c.values.endswith("_padding")):
        x, usual = case.data().x, case._drawn().x
        inside = np.arange(case.T)[:, None] < np.array(case.lengths)
        inside = inside.T if case.spec.batch_first else inside
        assert (x[inside] == usual[inside]).all() and not (np.abs(x[~inside]) < 1e29).any(), case.name


def test_spikes_reach_past_where_exponentials_overflow():
    for dtype, end in (("float32", np.log(np.finfo(np.float32).max)), ("float64", np.log(np.finfo(np.float64).max))):
        for case in (c for c in table((dtype,)) if c.values == "spikes"):
            data = case.data()
            a = data.x @ data.weights["weight_ih_l0"].T
            assert np.abs(a).max() > end > 1 > np.median(np.abs(a)) / 4, case.name


@pytest.mark.parametrize("kind", KINDS)
def test_a_gradient_lives_as_long_as_a_long_sequence(kind):
    """Cut off after 64 steps, or after 1000, the gradient would be visibly another."""
    for case in (c for c in sizes(kind) if c.values == "remembering" and not c.lengths):
        case = case.with_dtype("float64")
        data = case.data()
        last = data._replace(dy=np.where(np.arange(case.T)[:, None, None] == case.T - 1, data.dy, 0))
        dx = define(case, last)["dx"]
        assert np.abs(dx[0]).max() > 1e-6 * np.abs(dx).max(), case.name


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name, marks=[pytest.mark.slow] * (c.tier > 1)) for c in JUDGED])
def test_the_oracle_is_finite_and_every_gradient_is_alive(case):
    """A gradient that is zero everywhere could hide anything."""
    oracle, _ = truth(case)
    one_step_from_zero = case.T == 1 and not case.state
    for name, v in oracle.items():
        assert np.isfinite(v).all(), name
        dead = case.values == "no_upstream" and name.startswith("d")
        dead |= name.startswith("dweight_hh") and one_step_from_zero and case.spec.num_layers == 1
        dead |= case.spec.kind == "rnn-relu" and (1 in (case.T, case.B) or (case.values, name) == ("zero_step", "dh_0"))
        assert (v != 0).any() or dead, name
