"""Every way of torch on the ``meta`` device: it has shapes and no numbers, and refuses what mixes devices, as CUDA does.

So a tensor that somebody forgot to make on the device is found where there is no GPU.  Numbers are judged elsewhere.
"""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
import torch

from torch_impl.cells import adapters, graphed, layers, stack
from torch_impl.cells.adapters import ADAPTERS, MORE

from ..judge.cases import KINDS, Case, usual
from ..judge.cases.table import dropout, paired

WAYS = tuple(name for name in (*ADAPTERS, *MORE) if name not in ("torch.compiled", "torch.triton"))  # those compile
LENGTHS = (1, 2, 1, 2)  # not sorted, with ties
NO_OP = "for .* copying from a non-meta parameter"  # torch says so of each weight


def forms() -> list[Case]:
    """A case for each of the table's combinations of options, in two steps and two layers: more ask nothing new of a device."""
    kept = {}
    for case in chain.from_iterable((*paired(kind), *dropout(kind)) for kind in KINDS):
        s = case.spec
        options = {name: getattr(s, name) for name in ("bias", "batch_first", "bidirectional", "dropout")}
        options |= {"num_layers": min(s.num_layers, 2), "dropout": 0.3 if s.dropout and s.masks else 0.0}
        lengths = LENGTHS if case.lengths else None
        small = Case(replace(usual(s.kind, **options), device="meta"), T=2, lengths=lengths, state=case.state)
        kept[small.name] = small
    return list(kept.values())


FORMS = forms()


def padded(packed, batch_first=False, total_length=None):
    """``pad_packed_sequence`` without the lengths, which it copies from the device, and nobody here reads."""
    y, _ = torch._VF._pad_packed_sequence(packed.data, packed.batch_sizes, batch_first, 0.0, total_length)
    return y.index_select(0 if batch_first else 1, packed.unsorted_indices), None


@pytest.fixture(autouse=True)
def on_meta(monkeypatch):
    """What needs a GPU, or numbers, is left out: recording a graph, and reading lengths."""
    monkeypatch.setattr(adapters, "pad_packed_sequence", padded)
    monkeypatch.setattr(graphed, "capture", lambda unrolled, inputs: unrolled)


def run(name: str, case: Case) -> None:
    """Forward, backward and inference: every result is on the device, and of the shape of what it belongs to."""
    data, adapter = case.data(), (ADAPTERS | MORE)[name]
    layer = adapter.load(case.spec, data.weights)
    masks = {} if data.masks is None else {"masks": [layer.put(mask) for mask in data.masks]}
    x, dy = layer.put(data.x), layer.put(data.dy)
    state, dstate = data.state and tuple(map(layer.put, data.state)), tuple(map(layer.put, data.dstate))
    y, state_n = layer.forward(x, state, data.lengths, **masks)
    dx, dstate_0, dweights = layer.backward(dy, dstate)
    inferred = layer.infer(x, state, data.lengths)
    found = [y, *state_n, dx, *(dstate_0 or ()), *dweights.values(), inferred[0], *inferred[1]]
    like = [dy, *dstate, x, *(state or ()), *layer.module.parameters(), dy, *dstate]
    assert [v.shape for v in found] == [v.shape for v in like]
    assert {v.device.type for v in found} == {"meta"}


def taken(name: str, case: Case) -> bool:
    """Whether a way does this at all; that a graph needs CUDA does not count here."""
    adapter = (ADAPTERS | MORE)[name]
    if case.spec.dropout and not adapter.takes_masks:
        return False
    return name == "torch.graphed" or adapter.declines(case.spec) is None


@pytest.mark.filterwarnings(f"ignore:{NO_OP}")
@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("kind", dict.fromkeys(case.spec.kind for case in FORMS))
def test_nothing_is_left_on_another_device(name, kind):
    cases = [case for case in FORMS if case.spec.kind == kind and taken(name, case)]
    if not cases:
        pytest.skip("not for this way")
    for case in cases:
        run(name, case)


def test_every_combination_of_options_is_there():
    assert {(case.spec.packed, case.state, case.spec.batch_first) for case in FORMS} == {
        (a, b, c) for a in (False, True) for b in (False, True) for c in (False, True)
    }
    assert any(case.spec.dropout for case in FORMS)


def forget_zero_biases(monkeypatch):
    real = layers.Written.params

    def params(self):
        return [[p._replace(b_ih=torch.zeros(p.b_ih.shape)) for p in ps] for ps in real(self)]

    monkeypatch.setattr(layers.Written, "params", params)
    return "torch.hoisted", Case(replace(usual("gru", bias=False), device="meta"))


def forget_turn(monkeypatch):
    real = stack.forward
    monkeypatch.setattr(stack, "forward", lambda *args, **how: real(*args, **how | {"turn": torch.arange(8)}))
    return "torch.loop", Case(replace(usual("rnn", bidirectional=True), device="meta"), T=2)


def forget_indices(monkeypatch):
    real = graphed.Unrolled
    monkeypatch.setattr(graphed, "Unrolled", lambda module, T, B, lengths, device: real(module, T, B, lengths, "cpu"))
    return "torch.graphed", Case(replace(usual("lstm"), device="meta"), T=2, lengths=LENGTHS)


def forget_masks(monkeypatch):
    real = adapters.TorchLayer.put

    def put(self, array):
        return torch.from_numpy(np.array(array)) if array.dtype == bool else real(self, array)

    monkeypatch.setattr(adapters.TorchLayer, "put", put)
    return "torch.bptt", Case(replace(usual("lstm", num_layers=2, dropout=0.3), device="meta"), T=2)


def takes_indices_from_the_cpu():
    """As torch 2.11 does there, though not on CUDA.  2.13 does in index_select, but not in its backward."""
    v = torch.empty(3, 1, device="meta")
    try:
        v.index_add(0, torch.arange(3), v)
    except RuntimeError:
        return False
    return True


@pytest.mark.filterwarnings(f"ignore:{NO_OP}")
@pytest.mark.parametrize("forget", [forget_zero_biases, forget_turn, forget_indices, forget_masks])
def test_what_is_forgotten_on_the_cpu_is_found(forget, monkeypatch):
    if forget in (forget_turn, forget_indices) and takes_indices_from_the_cpu():
        pytest.skip("the meta device of this torch takes indices from the CPU")
    name, case = forget(monkeypatch)
    with pytest.raises((RuntimeError, ValueError), match="device"):
        run(name, case)
