"""Narrow and declared precisions: what is right in them passes, two percent do not, and nobody gets the room of another."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from ..arithmetic import LOW, PRECISIONS, jittered, rounded
from ..cases import KINDS, LENGTHS, Case, Spec
from ..implementations import BUILTIN, Implementation, LoadError, resolve
from ..suite import run_case

NARROW = ["bfloat16", "float16"]
WAYS = [name for name in BUILTIN if name.startswith("torch.")]


class Around:
    """A layer of another implementation, told another dtype, with something done to what it returns."""

    def __init__(self, inner, change=lambda name, v: v):
        self.inner, self.change = inner, change
        self.put = getattr(inner, "put", lambda v: v)
        self.get = getattr(inner, "get", np.asarray)

    def forward(self, x, state, lengths=None):
        y, state_n = self.inner.forward(x, state, lengths)
        return self.change("y", y), tuple(self.change(f"{k}_n", v) for k, v in zip("hc", state_n, strict=False))

    def backward(self, dy, dstate):
        dx, dstate_0, dw = self.inner.backward(dy, dstate)
        return self.change("dx", dx), dstate_0, {k: self.change("dW" if "weight" in k else k, v) for k, v in dw.items()}


def told(dtype, computes=None, returned=np.float64):
    """NumPy in another dtype than it was asked for; with ``computes`` it says so."""

    def load(spec, weights):
        inner = BUILTIN["numpy"].load(spec, {k: v.astype(dtype) for k, v in weights.items()})
        layer = Around(inner)
        layer.put, layer.get = (lambda v: v.astype(dtype) if v.dtype.kind == "f" else v), (lambda v: v.astype(returned))
        return layer

    return Implementation("stranger", load, computes=computes or {})


@pytest.mark.parametrize("dtype", NARROW)
def test_data_of_16_bits_comes_in_float32_and_fits_into_16(dtype):
    data = Case(Spec("lstm", 3, 6)).with_dtype(dtype).data()
    wide = Case(Spec("lstm", 3, 6)).data()
    for narrow, exact in zip((data.x, *data.weights.values()), (wide.x, *wide.weights.values()), strict=True):
        assert narrow.dtype == np.float32
        assert (torch.from_numpy(narrow).to(getattr(torch, dtype)).float().numpy() == narrow).all()
        assert 0 < np.abs(narrow - exact).max() <= PRECISIONS[dtype].eps * np.abs(exact).max()


@pytest.mark.parametrize("name", LOW)
def test_one_number_in_twelve_is_moved(name):
    x = rounded(np.random.default_rng(0).standard_normal(6000).astype(np.float32), name)
    moved = jittered(x, name, np.random.default_rng(1)) != x
    assert abs(moved.mean() - 1 / 12) < 0.02


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("kind", KINDS)
def test_pytorch_is_right_in_16_bits(kind, dtype):
    spec = Spec(input_size=3, hidden_size=6, num_layers=2, bidirectional=True, dtype=dtype, **KINDS[kind])
    case = Case(spec, lengths=LENGTHS["unsorted"])
    results = [run_case(BUILTIN[name], case) for name in WAYS]
    assert all(r.ok for r in results), [r.wrong for r in results]
    assert sum(not r.declined for r in results) >= 3


def test_numpy_declines_16_bits():
    assert run_case(BUILTIN["numpy"], Case(Spec("gru", 3, 6, dtype="bfloat16"))).declined == "NumPy does not compute in bfloat16"


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("tensor", ["y", "h_n", "c_n", "dx", "dW"])
def test_two_percent_are_refused(tensor, dtype):
    """At the sizes of a small layer in training; T1 with 16 eps would let 10 % pass in bfloat16."""
    case = Case(Spec("lstm", 17, 32, dtype=dtype), T=8, B=8, gain=0.1)

    def load(spec, weights):
        return Around(BUILTIN["torch.loop"].load(spec, weights), lambda name, v: v * 1.02 if name == tensor else v)

    result = run_case(Implementation("stranger", load), case)
    assert any(v.tensor.startswith(tensor.replace("dW", "dweight")) for v in result.wrong)


def test_what_is_wrong_by_a_factor_says_so():
    case = Case(Spec("lstm", 17, 32, dtype="bfloat16"), T=8, B=8, gain=0.1)

    def load(spec, weights):
        return Around(BUILTIN["torch.loop"].load(spec, weights), lambda name, v: v * 1.02 if name == "y" else v)

    (v,) = run_case(Implementation("stranger", load), case).wrong
    assert v.detail.startswith("wrong by a factor of 1 ± 0.02, allowed 0.0") and v.ratio > 1


def test_who_computes_in_float32_where_float64_is_asked_must_say_so():
    case = Case(Spec("gru", 3, 6, dtype="float64"))
    silent, honest = (run_case(told(np.float32, computes), case) for computes in ({}, {"float64": "float32"}))
    assert not silent.ok and silent.precision == ""
    assert honest.ok and honest.precision == "float32"


def test_what_is_declared_narrow_has_the_room_of_that_and_no_more():
    """PyTorch in bfloat16 where float32 is asked for."""

    def load(spec, weights):
        inner = BUILTIN["torch.loop"].load(Spec("gru", 3, 6, dtype="bfloat16"), weights)
        return Around(inner)

    case = Case(Spec("gru", 3, 6))
    by = {p: run_case(Implementation("stranger", load, computes={"float32": p}), case) for p in ("float32", "float16", "bfloat16")}
    assert {p: r.ok for p, r in by.items()} == {"float32": False, "float16": False, "bfloat16": True}


def test_more_than_what_is_asked_for_is_judged_as_more():
    """float32 where bfloat16 is asked for: declared, it must be right to float32."""
    case = Case(Spec("lstm", 3, 6, dtype="bfloat16"))
    assert run_case(told(np.float32, {"bfloat16": "float32"}, np.float32), case).ok
    rough = Implementation("stranger", BUILTIN["torch.loop"].load, computes={"bfloat16": "float32"})
    assert not run_case(rough, case).ok


@pytest.mark.parametrize("computes", [["float32"], {"float64": "single"}, {"double": "float32"}])
def test_what_is_declared_must_be_known(computes, monkeypatch):
    module = ModuleType("declares")
    module.load, module.computes = BUILTIN["numpy"].load, computes
    monkeypatch.setitem(sys.modules, "declares", module)
    with pytest.raises(LoadError, match="computes must map each dtype to one of float32, float64, tf32, bfloat16, float16"):
        resolve("declares")
    module.computes = {"float64": "float32"}
    assert resolve("declares").precision(Spec("rnn", 3, 6, dtype="float64")) == "float32"
    assert resolve("declares").precision(Spec("rnn", 3, 6)) == ""
    hash(resolve("declares"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="here it can be judged")
def test_tf32_without_a_gpu_is_not_judged():
    (v,) = run_case(Implementation("stranger", BUILTIN["numpy"].load, computes={"float32": "tf32"}), Case(Spec("rnn", 3, 6))).wrong
    assert v.why == "raised" and "can be judged only where torch sees a CUDA device" in v.detail


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("factor", [1, 1.5])
def test_the_gradient_of_a_state_that_was_not_given_may_be_returned_and_is_judged(dtype, factor):
    """In 16 bits, too, where the truth is PyTorch's."""

    class Given(Around):
        """Zeros in place of a state that is not given, with their gradient."""

        def forward(self, x, state, lengths=None):
            zeros = self.put(np.zeros((1, x.shape[1], 6), np.float32))
            return self.inner.forward(x, (zeros, zeros) if state is None else state, lengths)

        def backward(self, dy, dstate):
            dx, dstate_0, dw = self.inner.backward(dy, dstate)
            return dx, tuple(factor * d for d in dstate_0), dw

    stranger = Implementation("stranger", lambda spec, weights: Given(BUILTIN["torch.loop"].load(spec, weights)))
    result = run_case(stranger, Case(Spec("lstm", 3, 6), state=False).with_dtype(dtype))
    assert {v.tensor for v in result.verdicts} >= {"dh_0", "dc_0"}
    assert {v.tensor for v in result.wrong} == (set() if factor == 1 else {"dh_0", "dc_0"})
