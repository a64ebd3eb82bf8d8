"""Implementations by others agree with the definition, and once broken no longer do."""

from importlib import import_module
from itertools import permutations

import pytest

from parity_tests.cases import KINDS, LENGTHS, Case, Spec, table
from parity_tests.implementations import resolve
from parity_tests.suite import run_case

NEEDS = {"hips_autograd": ("autograd",), "onnx_runtime": ("onnx", "onnxruntime")}
ORDERS = {"hips_autograd": "GATES", "onnx_runtime": "ORDER"}  # where each keeps its order of gates


@pytest.fixture
def stranger(name):
    """(module, implementation), or a skip that says what is missing"""
    for module in NEEDS[name]:
        pytest.importorskip(module, reason=f"extra 'strangers' is not installed: no module {module}")
    implementation = resolve(f"parity_tests.strangers.{name}")
    return import_module(implementation.name), implementation


def wrong(result):
    """The wrong tensors of a result, in words"""
    case, bad = result.case, [v for v in result.verdicts if not v.ok]
    said = ", ".join(f"{v.tensor} ({v.why} {v.detail or f'{v.error:.1e}, allowed {v.allowed:.1e}'})" for v in bad)
    return f"{case.name}-{case.spec.dtype}: {said}"


def expected_to_decline(name, spec):
    """Whether this implementation has an honest reason not to be judged on a spec"""
    float32_without_projection = name == "onnx_runtime"
    return bool(spec.dropout) or (float32_without_projection and (spec.dtype == "float64" or bool(spec.proj_size)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NEEDS)
def test_agrees_with_the_definition(name, stranger, kind, dtype):
    _, implementation = stranger
    cases = [case for case in table([dtype]) if case.spec.kind == kind]
    assert cases
    failures = []
    for case in cases:
        result = run_case(implementation, case)
        assert bool(result.declined) == expected_to_decline(name, case.spec), (case.name, result.declined)
        if result.declined:
            assert isinstance(result.declined, str)
            assert result.declined.strip()
            continue
        assert result.verdicts
        assert result.forward_only == (name == "onnx_runtime")
        if not result.ok:
            failures.append(wrong(result))
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("name", NEEDS)
def test_cuda_is_declined(name, stranger):
    _, implementation = stranger
    assert implementation.declines(Spec("rnn", 3, 6, device="cuda"))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("name", NEEDS)
def test_every_wrong_order_of_gates_is_caught(name, stranger, cell, monkeypatch):
    module, implementation = stranger
    orders = getattr(module, ORDERS[name])
    right, case = tuple(orders[cell]), Case(Spec(cell, 3, 6))
    assert run_case(implementation, case).ok
    for order in permutations(right):
        monkeypatch.setitem(orders, cell, order)
        assert run_case(implementation, case).ok == (order == right), order


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["hips_autograd"])
def test_a_cut_gradient_is_caught_in_the_gradients_only(name, stranger, kind, monkeypatch):
    from autograd.tracer import getval

    module, implementation = stranger
    case = Case(Spec(input_size=3, hidden_size=6, bidirectional=True, **KINDS[kind]), lengths=LENGTHS["unsorted"])
    assert run_case(implementation, case).ok
    step = module.STEP[case.spec.cell]
    monkeypatch.setitem(module.STEP, case.spec.cell,
                        lambda spec, p, x, *state: step(spec, p, x, *map(getval, state)))
    bad = {v.tensor for v in run_case(implementation, case).verdicts if not v.ok}
    assert {"dx", "dh_0", "dweight_ih_l0", "dweight_hh_l0"} <= bad
    assert all(tensor.startswith("d") for tensor in bad)


@pytest.mark.parametrize("name", ["onnx_runtime"])
@pytest.mark.parametrize(("kind", "told"), [("rnn", {"activations": ["Relu"]}), ("gru", {"linear_before_reset": 0}),
                                            ("gru-before", {"linear_before_reset": 1})])
def test_a_node_told_wrongly_is_caught(name, stranger, kind, told, monkeypatch):
    module, implementation = stranger
    case, attributes = Case(Spec(input_size=3, hidden_size=6, **KINDS[kind])), module.attributes
    assert run_case(implementation, case).ok
    monkeypatch.setattr(module, "attributes", lambda spec: attributes(spec) | told)
    assert not run_case(implementation, case).ok
