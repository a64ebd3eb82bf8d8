"""The contracts over several calls, on layers that keep all but one of them.  Which faults each catches: ../../cells/layers.py"""

import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from ..cases import KINDS, Case, Spec, table
from ..contracts import CONTRACTS
from ..implementations import BUILTIN, Implementation, LoadError, resolve
from ..suite import run_case

CASES = {
    case.contract + "-packed" * case.spec.packed: case for case in table(("float64",)) if case.contract and case.spec.kind == "gru"
}


class Honest:
    """The definition, to be spoiled."""

    def __init__(self, spec, weights):
        self.layer = BUILTIN["numpy"].load(spec, weights)

    def forward(self, x, state, lengths=None):
        return self.layer.forward(x, state, lengths)

    def infer(self, x, state, lengths=None):
        return self.layer.infer(x, state, lengths)

    def backward(self, dy, dstate):
        return self.layer.backward(dy, dstate)


def judged(layer, case):
    return run_case(Implementation("stranger", layer), case)


@pytest.mark.parametrize("name", CASES)
def test_who_keeps_to_a_contract_passes_and_something_was_judged(name):
    result = judged(Honest, CASES[name])
    assert result.ok and result.verdicts, result.wrong


def test_every_contract_is_met_by_each_kind_of_cell():
    for kind in KINDS:
        assert {c.contract for c in table() if c.spec.kind == kind} - {""} == set(CONTRACTS)


@pytest.mark.parametrize("name", [n for n in CASES if not n.startswith(("dropout", "inference"))])
def test_a_forward_alone_is_judged_too(name):
    class Engine:
        def __init__(self, spec, weights):
            self.forward = BUILTIN["numpy"].load(spec, weights).forward

    result = judged(Engine, CASES[name])
    assert result.ok and result.verdicts
    assert not any(v.tensor.startswith("d") for v in result.verdicts)


@pytest.mark.parametrize("name", [n for n in CASES if n.startswith(("dropout", "inference"))])
def test_without_an_evaluation_it_is_declined_with_a_reason(name):
    class Engine:
        def __init__(self, spec, weights):
            self.forward = BUILTIN["numpy"].load(spec, weights).forward

    assert "has no infer(x, state, lengths)" in (judged(Engine, CASES[name]).declined or "")


def test_what_was_found_before_an_exception_is_kept():
    class Stuck(Honest):
        first = None

        def forward(self, x, state, lengths=None):
            now = super().forward(x, state, lengths)
            self.first = self.first or now
            if self.first[0].shape != now[0].shape:
                raise RuntimeError("this graph was built for another shape")
            return self.first

    result = judged(Stuck, CASES["other_data"])
    assert [v.why for v in result.verdicts if not v.ok][-1] == "raised"
    assert "y, call 2" in {v.tensor for v in result.verdicts if not v.ok and v.why == "number"}


def test_results_that_are_one_array_are_named():
    class Both(Honest):
        def backward(self, dy, dstate):
            dx, ds, dw = super().backward(dy, dstate)
            return (
                dx,
                ds,
                dw | {"weight_ih_l0": dw["weight_ih_l0"][:], "weight_hh_l0": dw["weight_hh_l0"]} | {"bias_ih_l1": dw["bias_ih_l0"]},
            )

    wrong = {v.tensor: v.detail for v in judged(Both, CASES["results_apart"]).verdicts if not v.ok and v.why == "shared"}
    assert wrong == {"dbias_ih_l1": "shares memory with dbias_ih_l0: what is written into one changes the other"}


def test_a_result_that_is_an_argument_is_named():
    class Echo(Honest):
        def backward(self, dy, dstate):
            dx, ds, dw = super().backward(dy, dstate)
            dstate[0][...] = ds[0]
            return dx, (dstate[0],), dw

    wrong = [v.detail for v in judged(Echo, CASES["results_apart"]).verdicts if v.why == "shared"]
    assert wrong == ["shares memory with the argument dh_n"]


def test_dropout_without_its_scale_is_measured():
    class Unscaled(Honest):
        def __init__(self, spec, weights):
            super().__init__(spec, weights)
            self.p = spec.dropout

        def forward(self, x, state, lengths=None):
            rng, layer = np.random.default_rng(), self.layer.layer
            masks = [rng.random((x.shape[0] * x.shape[1], layer.hidden_size)) >= self.p]
            scaled = {k: w * (1 - self.p) if k == "weight_ih_l1" else w for k, w in layer.params.items()}
            before, layer.params = layer.params, scaled
            try:
                return self.layer.forward(x, state, lengths, masks)
            finally:
                layer.params = before

    verdict = judged(Unscaled, CASES["dropout_keeps_the_mean"]).verdicts[0]
    assert verdict.why == "dropout"
    assert verdict.detail.startswith("keeps 0.7") or verdict.detail.startswith("keeps 0.6")


def test_an_evaluation_that_returns_something_else_is_told_what_is_wanted():
    class Other(Honest):
        def infer(self, x, state, lengths=None):
            return super().infer(x, state, lengths)[0]

    (verdict,) = judged(Other, CASES["dropout_not_in_evaluation"]).verdicts
    assert verdict.detail == "infer must return y, states; it returned ndarray"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_so_and_stays_in_its_sequence(value):
    """Both ways: a NaN that is lost, and one that is let out."""

    class Cleans(Honest):
        def forward(self, x, state, lengths=None):
            return super().forward(np.nan_to_num(x, posinf=0), state, lengths)

    class Spreads(Honest):
        def forward(self, x, state, lengths=None):
            y, states = super().forward(x, state, lengths)
            return y + 0 * x.sum(), states

    name = "nan_inside" if np.isnan(value) else "inf_inside"
    case = Case(Spec("rnn", 3, 6, nonlinearity="relu", dtype="float64"), values=name)
    assert judged(Honest, case).ok
    for layer in (Cleans, Spreads):
        assert "non-finite" in {v.why for v in judged(layer, case).verdicts if not v.ok}


def test_lengths_that_are_written_to_are_seen():
    class Sorts(Honest):
        def forward(self, x, state, lengths=None):
            out = super().forward(x, state, lengths)
            lengths.sort()
            return out

    result = judged(Sorts, replace(Case(Spec("gru", 3, 6, dtype="float64")), lengths=(2, 5, 1, 4)))
    assert [(v.tensor, v.why) for v in result.verdicts if not v.ok] == [("lengths", "changed")]


def test_an_adapter_that_takes_masks_is_judged_with_them_and_without_is_declined(monkeypatch):
    case = next(c for c in table(("float64",)) if c.spec.kind == "gru" and c.spec.dropout and c.spec.masks)
    module = ModuleType("masked")
    module.load = BUILTIN["numpy"].load
    monkeypatch.setitem(sys.modules, "masked", module)
    assert run_case(resolve("masked"), case).declined == "takes no dropout masks"
    module.takes_masks = True
    assert run_case(resolve("masked"), case).status == "passed"
    module.takes_masks = "no"
    with pytest.raises(LoadError, match="takes_masks must be True or False; it is 'no'"):
        resolve("masked")
