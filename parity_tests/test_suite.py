"""The judge: it must see what an implementation hides, and say how far off it is and since when."""

import numpy as np
import pytest

from .cases import Case, Spec
from .implementations import BUILTIN, Implementation, LoadError, resolve
from .report import shared_options
from .suite import run_case

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
    assert "test_suite.py, line" in verdict.detail


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


def test_what_failures_share_is_named():
    both = Spec("gru", 3, 6, bidirectional=True, num_layers=2)
    failed = [Case(both), Case(both, lengths=(1, 2, 3, 4))]
    passed = [Case(Spec("gru", 3, 6)), Case(Spec("gru", 3, 6, num_layers=2))]
    assert shared_options(failed, passed) == ["bidirectional = True", "num_layers = 2"]


@pytest.mark.parametrize(("name", "message"), [
    ("no_such_module_anywhere", "no built-in implementation and no module is named"),
    ("reference", r"has no function load\(spec, weights\)"),
    ("reference.no_such_module", "no built-in implementation and no module is named"),
])
def test_what_cannot_be_loaded_says_why(name, message):
    with pytest.raises(LoadError, match=message):
        resolve(name)
