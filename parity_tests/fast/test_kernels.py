"""Which kernel ran, by the operators that a profile shows: a name in a table must mean what it says."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from torch_impl.cells import graphed

from ..helpers import INTEGERS
from ..judge.cases import KINDS, OPTIONS, Case, Spec, build, table
from ..judge.definition import HARD
from ..judge.implementations import BUILTIN, MORE
from ..judge.oracle import compute
from ..judge.suite import run_case

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


@pytest.mark.parametrize(
    ("cell", "dtype"), [("gru", "float32"), ("rnn", "float32"), ("lstm", "float64"), ("gru", "float64"), ("rnn", "float64")]
)
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


@pytest.mark.parametrize("name", ["torch.hoisted", "torch.library"])
def test_without_gradients_a_forward_is_inference(name):
    case = Case(Spec("gru", 3, 6))
    data = case.data()
    layer = BUILTIN[name].load(case.spec, data.weights)
    arguments = layer.put(data.x), tuple(map(layer.put, data.state))
    with torch.no_grad():
        y, state = layer.forward(*arguments)
    assert not layer.module.training
    assert not any(v.requires_grad for v in (y, *state))
    y, state = layer.forward(*arguments)
    assert layer.module.training
    assert y.requires_grad


DENSE = {option: values[0] for option, values in OPTIONS.items()}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the compiler, about itself
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [DENSE, HARD], ids=["dense", "hard"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_compiled_loop_is_right_and_compiled(kind, options, dtype):
    case = build(kind, options).with_dtype(dtype)
    result = run_case(MORE["torch.compiled"], case)
    assert result.verdicts
    assert result.ok, result.worst
    data = case.data()
    layer = MORE["torch.compiled"].load(case.spec, data.weights)
    compute(layer, case, data)
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as p:
        compute(layer, case, data)
    assert any(event.key.startswith("Torch-Compiled Region") for event in p.key_averages())


@pytest.fixture
def uncaptured(monkeypatch):
    """No graph is recorded: what would be is run instead.  Returns the list of what was to be recorded."""
    captured = []

    def capture(unrolled, inputs):
        captured.append(unrolled)
        return unrolled

    monkeypatch.setattr(graphed, "capture", capture)
    return captured


@pytest.mark.parametrize("case", [c for c in table(["float64"]) if not c.spec.dropout], ids=lambda c: c.name)
def test_what_is_recorded_as_a_graph_is_right(case, uncaptured):
    """Everything but the recording, which needs a GPU."""
    result = run_case(replace(MORE["torch.graphed"], declines=lambda spec: None), case)
    assert result.verdicts
    assert result.ok, result.worst
    assert case.contract or len(uncaptured) == 1  # two calls of one form


@pytest.mark.parametrize("dtype", INTEGERS)
def test_an_empty_sequence_comes_last_whatever_type_its_length_has(dtype):
    module = MORE["torch.graphed"].load(Case(Spec("rnn", 3, 6)).spec, Case(Spec("rnn", 3, 6)).data().weights).module
    unrolled = graphed.Unrolled(module, 3, 3, np.array([2, 0, 3], dtype), "cpu")
    assert unrolled.order.tolist() == [2, 0, 1]


def test_a_graph_is_recorded_for_each_form_of_input(uncaptured):
    case = Case(Spec("lstm", 3, 6))
    data = case.data()
    layer = MORE["torch.graphed"].load(case.spec, data.weights)
    x, state = layer.put(data.x), tuple(map(layer.put, data.state))
    forms = [(x, state), (x, None), (x[:3], state), (x, state, [5, 2, 1, 4]), (x, state, [5, 1, 2, 4])]
    for n, form in enumerate(forms, 1):
        for _ in range(2):
            layer.forward(*form)
        assert len(uncaptured) == n
    with torch.no_grad():
        layer.forward(x, state)
    assert len(uncaptured) == len(forms) + 1


class FakeGraph:
    """Counts how often it is launched."""

    launched = 0

    def replay(self):
        self.launched += 1


def test_a_forward_graph_has_inputs_of_its_own_and_is_launched_once_a_call(monkeypatch):
    class Stream:
        def wait_stream(self, other):
            pass

    for name, fake in (
        ("Stream", Stream),
        ("current_stream", Stream),
        ("CUDAGraph", FakeGraph),
        ("stream", nullcontext),
        ("graph", nullcontext),
    ):
        monkeypatch.setattr(torch.cuda, name, fake)
    seen = []

    def module(x):
        seen.append(x)
        return (x + 1,)

    given = torch.zeros(2)
    with torch.no_grad():
        forward = graphed.capture(module, [given])
    assert len(seen) == graphed.WARM_UP + 1
    assert all(x is forward.inputs[0] is not given for x in seen)
    (y,) = forward(torch.ones(2))
    assert forward.graph.launched == 1
    assert forward.inputs[0].tolist() == [1, 1]
    assert given.tolist() == [0, 0]
    assert y is forward.outputs[0]


def test_a_graph_with_a_backward_is_recorded_on_copies_that_need_gradients(monkeypatch):
    asked = []
    monkeypatch.setattr(
        torch.cuda, "make_graphed_callables", lambda module, samples, num_warmup_iters: asked.append((module, samples))
    )
    given = torch.zeros(2)
    graphed.capture("module", [given])
    ((module, (sample,)),) = asked
    assert module == "module"
    assert sample.requires_grad and sample.is_leaf and sample.data_ptr() != given.data_ptr()


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")


@needs_cuda
def test_graphs_are_right():
    for case in table(["float32"], "cuda"):
        result = run_case(MORE["torch.graphed"], case)
        assert result.declined or result.ok, (case.name, result.worst)


@needs_cuda
def test_graphs_are_launched():
    case = Case(Spec("lstm", 3, 6, device="cuda"))
    data = case.data()
    layer = MORE["torch.graphed"].load(case.spec, data.weights)
    x, state = layer.put(data.x), tuple(map(layer.put, data.state))
    for train in (False, True):
        with torch.set_grad_enabled(train):
            layer.forward(x, state)
            with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA], acc_events=True) as p:
                layer.forward(x, state)
                layer.sync()
        assert any("cudaGraphLaunch" in event.key for event in p.key_averages())
