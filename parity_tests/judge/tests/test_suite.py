"""The judge: it must see what an implementation hides, and say how far off it is and since when."""

import re

import numpy as np
import pytest

from ..cases import Case, Spec
from ..implementations import BUILTIN, Implementation, LoadError, chosen, resolve
from ..report import build, processor
from ..suite import run_case
from ..verdicts import place

CASE = Case(Spec("gru", 3, 6, dtype="float64"))


class Honest:
    """The definition, to be spoiled by the classes below."""

    def __init__(self, spec, weights):
        self.layer = BUILTIN["numpy"].load(spec, weights)

    def forward(self, x, state, lengths=None):
        return self.layer.forward(x, state, lengths)

    def backward(self, dy, dstate):
        return self.layer.backward(dy, dstate)


def judge(layer) -> dict[str, str]:
    """What is wrong with a class of layers: tensor -> why."""
    result = run_case(Implementation("stranger", layer), CASE)
    return {v.tensor: v.why for v in result.verdicts if not v.ok}


def test_honest_passes():
    assert judge(Honest) == {}


def test_an_argument_that_is_written_to_is_seen():
    class Writes(Honest):
        def backward(self, dy, dstate):
            out = super().backward(dy, dstate)
            dstate[0][0, 0, 0] = 7.0
            return out

    assert judge(Writes)["dstate"] == "changed"


def test_a_second_call_that_differs_is_seen():
    class Drifts(Honest):
        calls = 0

        def forward(self, x, state, lengths=None):
            self.calls += 1
            return super().forward(x * (1 + 1e-9 * (self.calls - 1)), state, lengths)

    assert "y, second call" in judge(Drifts)


def test_a_missing_weight_gradient_is_seen():
    class Forgets(Honest):
        def backward(self, dy, dstate):
            dx, ds, dw = super().backward(dy, dstate)
            return dx, ds, {k: v for k, v in dw.items() if k != "bias_hh_l0"}

    assert judge(Forgets) == {"dbias_hh_l0": "missing"}


def test_a_missing_state_gradient_is_seen():
    class Forgets(Honest):
        def backward(self, dy, dstate):
            dx, _, dw = super().backward(dy, dstate)
            return dx, None, dw

    assert judge(Forgets) == {"dh_0": "missing"}


def test_another_dtype_and_another_shape_are_seen():
    class Casts(Honest):
        def forward(self, x, state, lengths=None):
            y, s = super().forward(x, state, lengths)
            return y.astype(np.float32), (s[0][0],)

    assert judge(Casts) == {"y": "dtype", "h_n": "shape"}


def test_an_exception_is_a_failure_with_its_place():
    class Raises(Honest):
        def forward(self, x, state, lengths=None):
            raise ZeroDivisionError("no")

    (verdict,) = run_case(Implementation("stranger", Raises), CASE).verdicts
    assert (verdict.ok, verdict.why) == (False, "raised")
    assert "ZeroDivisionError: no" in verdict.detail


def test_forward_only_is_judged_on_the_forward():
    class Inference(Honest):
        backward = property()

    result = run_case(Implementation("stranger", Inference), CASE)
    assert result.forward_only
    assert [v.tensor for v in result.verdicts] == ["y", "h_n"]


def test_the_first_wrong_step_is_named():
    class Late(Honest):
        def forward(self, x, state, lengths=None):
            y, s = super().forward(x, state, lengths)
            return y + 1e-6 * (np.arange(len(y)) >= 3)[:, None, None], s

    result = run_case(Implementation("stranger", Late), CASE)
    assert [(v.tensor, v.step) for v in result.verdicts if not v.ok] == [("y", 3)]


def test_the_first_wrong_sequence_is_named_and_of_a_state_the_layer_and_direction():
    class Off(Honest):
        def forward(self, x, state, lengths=None):
            y, (h,) = super().forward(x, state, lengths)
            y[3:, 2] += 1e-6
            y[4, 0] += 1e-6
            h[3, 1] += 1e-6
            return y, (h,)

        def backward(self, dy, dstate):
            dx, (dh,), dw = super().backward(dy, dstate)
            dx[:2, 3] += 1e-6
            dh[:2] += 1e-6
            return dx, (dh,), dw

    spec = Spec("gru", 3, 6, num_layers=2, bidirectional=True, dtype="float64")
    result = run_case(Implementation("stranger", Off), Case(spec))
    places = [
        ("y", "t = 3, sequence 2"),
        ("h_n", "layer 1, reverse, sequence 1"),
        ("dx", "t = 1, sequence 3"),
        ("dh_0", "layer 0, reverse, sequence 0"),
    ]
    assert [(v.tensor, place(v, 2)) for v in result.verdicts if not v.ok] == places
    (told,) = build([result], [], "cpu")["implementations"]
    for listed in (told["cases"][0], told["failures"][0]):
        assert [(v["tensor"], v["where"]) for v in listed["wrong"]] == places


def test_the_axes_are_those_of_the_case():
    class Off(Honest):
        def forward(self, x, state, lengths=None):
            y, s = super().forward(x, state, lengths)
            y[1, 3] += 1e-6
            return y, s

    spec = Spec("gru", 3, 6, batch_first=True, dtype="float64")
    (verdict,) = [v for v in run_case(Implementation("stranger", Off), Case(spec)).verdicts if not v.ok]
    assert place(verdict) == "t = 3, sequence 1"


def test_what_is_not_finite_is_said_in_words():
    class Explodes(Honest):
        def forward(self, x, state, lengths=None):
            y, s = super().forward(x, state, lengths)
            y[2:, 1, 0] = np.nan
            y[4, 3] = np.inf
            return y, s

    result = run_case(Implementation("stranger", Explodes), CASE)
    (verdict,) = result.wrong
    assert (verdict.why, verdict.detail, place(verdict)) == ("non-finite", "NaN and inf in 9 of 120 elements", "t = 2, sequence 1")
    assert (verdict.error, verdict.allowed, result.status) == (None, None, "wrong")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module_anywhere", "no module is named 'no_such_module_anywhere'; looked in"),
        ("my_lib/adapter.py", "a dotted name is wanted, as my_lib.adapter, not a file"),
        ("reference", r"has no function load\(spec, weights\)"),
        ("reference.no_such_module", "no module is named 'reference.no_such_module'"),
    ],
)
def test_what_cannot_be_loaded_says_why(name, message):
    with pytest.raises(LoadError, match=message):
        resolve(name)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda y, s: y, "forward must return y, states; it returned ndarray"),
        (lambda y, s: (y, s[0]), r"forward must return the states as a tuple of 1, \(h,\); it returned ndarray"),
        (lambda y, s: (y, s * 2), r"forward must return the states as a tuple of 1, \(h,\); it returned a tuple of 2"),
        (lambda y, s: (y, (object(),)), "forward must return arrays of numbers; its h_n is of type object"),
    ],
)
def test_a_forward_that_returns_something_else_is_told_what_is_wanted(returned, message):
    class Other(Honest):
        def forward(self, x, state, lengths=None):
            return returned(*super().forward(x, state, lengths))

    (verdict,) = run_case(Implementation("stranger", Other), CASE).verdicts
    assert re.fullmatch(message, verdict.detail)


def test_a_backward_that_returns_something_else_is_told_what_is_wanted():
    class Other(Honest):
        def backward(self, dy, dstate):
            return super().backward(dy, dstate)[:2]

    (verdict,) = run_case(Implementation("stranger", Other), CASE).verdicts
    assert verdict.detail == "backward must return dx, dstates, {name: gradient}; it returned 2 values"


def test_weights_that_are_written_to_and_gradients_of_nothing_are_seen():
    class Spoils(Honest):
        def __init__(self, spec, weights):
            super().__init__(spec, weights)
            weights["bias_ih_l0"][:] = 0

        def backward(self, dy, dstate):
            dx, ds, dw = super().backward(dy, dstate)
            return dx, ds, dw | {"peephole": dx}

    assert judge(Spoils) == {"weights": "changed", "dpeephole": "unexpected"}


@pytest.mark.parametrize(
    ("declines", "message"),
    [
        (lambda spec: spec.cells, "AttributeError: 'Spec' object has no attribute 'cells'"),
        (lambda spec: True, r"declines\(spec\) must return a reason as a string, or None; it returned True"),
    ],
)
def test_declines_that_goes_wrong_is_a_failure_not_a_crash(declines, message):
    (verdict,) = run_case(Implementation("stranger", Honest, declines), CASE).verdicts
    assert re.search(message, verdict.detail)


def test_whether_lengths_come_can_be_declined():
    packed = Case(Spec("gru", 3, 6), lengths=(1, 2, 3, 4))
    assert (CASE.spec.packed, packed.spec.packed) == (False, True)


def test_on_a_gpu_the_built_in_implementations_are_those_that_run_there():
    names = [i.name for i in chosen(None, "cuda")]
    assert names == [name for name in BUILTIN if name.startswith("torch.")]
    assert [i.name for i in chosen(None, "cpu")] == list(BUILTIN)
    assert [i.name for i in chosen(["numpy"], "cuda")] == ["numpy"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (
            "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC\n\nprocessor\t: 1\nmodel\t\t: 1\n",
            "AMD EPYC (family 25, model 1)",
        ),
        ("processor\t: 0\nmodel name\t: Neoverse-V2\n", "Neoverse-V2"),
    ],
)
def test_processors_of_one_name_are_told_apart(tmp_path, text, named):
    info = tmp_path / "cpuinfo"
    info.write_text(text, encoding="utf-8")
    assert processor(info) == named
