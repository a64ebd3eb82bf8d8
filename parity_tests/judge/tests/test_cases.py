"""The cases are what they promise to be: every pair of options, and nothing degenerate."""

import itertools

import numpy as np
import pytest

from ..cases import KINDS, OPTIONS, pairwise, table
from ..oracle import truth

CASES = table(("float64",))


def test_every_pair_of_option_values_occurs():
    rows = pairwise(OPTIONS)
    for a, b in itertools.combinations(OPTIONS, 2):
        wanted = set(itertools.product(OPTIONS[a], OPTIONS[b]))
        assert {(row[a], row[b]) for row in rows} == wanted, (a, b)


def test_every_kind_gets_the_same_options_and_names_are_unique():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    by_kind = {kind: [n for c, n in zip(CASES, names, strict=True) if c.spec.kind == kind] for kind in KINDS}
    assert {len(v) for k, v in by_kind.items() if k != "rnn-relu"} == {27}
    assert len(by_kind["rnn-relu"]) == 26  # relu does not saturate


def test_sizes_are_pairwise_different():
    for case in CASES:
        if case.label.startswith(("size1", "one_")):
            continue
        s = case.spec
        sizes = [case.T, case.B, s.input_size, s.hidden_size, *([s.proj_size] if s.proj_size else [])]
        assert len(set(sizes)) == len(sizes), case.name
        assert case.T > 1


def test_nothing_that_goes_in_is_zero_or_constant():
    for case in CASES:
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


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_oracle_is_finite_and_every_gradient_is_alive(case):
    """A gradient that is zero everywhere could hide anything."""
    oracle, _ = truth(case)
    for name, v in oracle.items():
        assert np.isfinite(v).all(), name
        dead_relu = case.spec.kind == "rnn-relu" and case.label == "size1"
        assert (v != 0).any() or dead_relu, name
