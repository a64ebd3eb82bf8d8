"""Which kernel ran, by the operators that a profile shows: a name in a table must mean what it says."""

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from .cases import Case, Spec
from .implementations import BUILTIN
from .oracle import compute

ONEDNN = "aten::mkldnn_rnn_layer"


def operators(name: str, spec: Spec, lengths=None) -> set[str]:
    """The operators of one forward and backward."""
    case = Case(spec, lengths=lengths)
    data = case.data()
    layer = BUILTIN[name].load(spec, data.weights)
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as p:
        compute(layer, case, data)
    return {event.key for event in p.key_averages()}


needs_onednn = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch was built without oneDNN")


@needs_onednn
def test_library_lstm_in_float32_is_onednn_forward_and_backward():
    seen = operators("torch.library", Spec("lstm", 3, 6))
    assert {ONEDNN, f"{ONEDNN}_backward"} <= seen


@pytest.mark.parametrize(("cell", "dtype"), [("gru", "float32"), ("rnn", "float32"), ("lstm", "float64"),
                                             ("gru", "float64"), ("rnn", "float64")])
def test_library_is_native_for_the_rest(cell, dtype):
    seen = operators("torch.library", Spec(cell, 3, 6, dtype=dtype))
    assert not any(key.startswith(ONEDNN) for key in seen)
    assert f"aten::{cell}" in {key.removesuffix("_tanh") for key in seen}


def test_library_lstm_in_float32_is_native_where_onednn_cannot():
    """Packed sequences and projections never go to oneDNN."""
    for spec, lengths in ((Spec("lstm", 3, 6), (2, 5, 1, 4)), (Spec("lstm", 3, 6, proj_size=2), None)):
        assert not any(key.startswith(ONEDNN) for key in operators("torch.library", spec, lengths))


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_native_is_native_and_the_switch_is_put_back(cell):
    before = torch.backends.mkldnn.enabled, torch.backends.cudnn.enabled
    seen = operators("torch.native", Spec(cell, 3, 6))
    assert not any(key.startswith(ONEDNN) for key in seen)
    assert (torch.backends.mkldnn.enabled, torch.backends.cudnn.enabled) == before


@pytest.mark.parametrize("name", ["torch.loop", "torch.hoisted", "torch.bptt", "torch.cell"])
def test_written_out_lstms_use_no_library_layer(name):
    seen = operators(name, Spec("lstm", 3, 6))
    assert "aten::lstm" not in seen
    assert not any(key.startswith(ONEDNN) for key in seen)
    assert ("aten::lstm_cell" in seen) == (name == "torch.cell")


def test_the_loop_multiplies_each_input_alone_and_the_hoisted_loop_all_at_once():
    """What the two names promise, by counting the products of the forward."""
    counts = {}
    for name in ("torch.loop", "torch.hoisted"):
        case = Case(Spec("lstm", 3, 6))
        layer, data = BUILTIN[name].load(case.spec, case.data().weights), case.data()
        with profile(activities=[ProfilerActivity.CPU], acc_events=True) as p:
            layer.forward(layer.put(data.x), tuple(map(layer.put, data.state)))
        counts[name] = next(e.count for e in p.key_averages() if e.key == "aten::linear")
    assert counts == {"torch.loop": 2 * case.T, "torch.hoisted": case.T + 1}
