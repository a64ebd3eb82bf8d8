"""Implementations by others agree with the definition, and once broken no longer do."""

from importlib import import_module
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from ..judge.arithmetic import unit
from ..judge.cases import KINDS, LENGTHS, Case, Spec, table
from ..judge.implementations import LoadError, resolve
from ..judge.running import expected
from ..judge.strangers import STRANGERS
from ..judge.suite import run_case
from ..judge.tolerance import LIBM_ULP

NEEDS = {"others.hips_autograd": ("autograd",), "onnx.runtime": ("onnx", "onnxruntime"), "jax.scan": ("jax",)}
ORDERS = {"others.hips_autograd": "GATES", "onnx.runtime": "ORDER", "jax.scan": "GATES"}  # where each keeps its order of gates
SAYS = {"onnx.runtime": "parity_tests.strangers.onnx.graph"}  # the module that says what is run, where that is another
# What they are known to fail, and why: strict, so that what passes must leave the list.
KNOWN = {"onnx.runtime": expected.read(Path(__file__).parent / "onnx" / "runtime.xfails", ("float32", "float64"))}
# JAX compiles for a second or more for each case, and autograd takes a second for each of those that are long.
SLOW = {"jax.scan", "others.hips_autograd"}
JUDGED = [(name, d, name in SLOW) for name in NEEDS for d in ("float32", "float64")]
QUICK = [pytest.param(name, marks=pytest.mark.slow) if name == "jax.scan" else name for name in NEEDS]


@pytest.fixture
def stranger(name):
    """(module that says what it runs, implementation), or a skip that says what is missing"""
    for module in NEEDS[name]:
        pytest.importorskip(module, reason=f"extra 'dev' is not installed: no module {module}")
    implementation = resolve(f"parity_tests.strangers.{name}")
    return import_module(SAYS.get(name, implementation.name)), implementation


def wrong(result):
    """The wrong tensors of a result, in words"""
    case, bad = result.case, [v for v in result.verdicts if not v.ok]
    said = ", ".join(f"{v.tensor} ({v.why} {v.detail or f'{v.error:.1e}, allowed {v.allowed:.1e}'})" for v in bad)
    return f"{case.name}-{case.spec.dtype}: {said}"


def expected_to_decline(name, case):
    """Whether this implementation has an honest reason not to be judged on a case"""
    spec = case.spec
    if case.contract == "inference" and name != "jax.scan":  # which alone has an infer of its own
        return True
    float32_without_projection = name == "onnx.runtime"
    return bool(spec.dropout) or (float32_without_projection and (spec.dtype == "float64" or bool(spec.proj_size)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "dtype"), [pytest.param(n, d, marks=[pytest.mark.slow] * slow) for n, d, slow in JUDGED])
def test_agrees_with_the_definition(name, stranger, kind, dtype):
    _, implementation = stranger
    cases = [case for case in table([dtype]) if case.spec.kind == kind]
    assert cases
    failures, known = [], KNOWN.get(name, [])
    for case in cases:
        result = expected.marked(known, run_case(implementation, case))
        assert bool(result.declined) == expected_to_decline(name, case), (case.name, result.declined)
        if result.declined:
            assert isinstance(result.declined, str)
            assert result.declined.strip()
            continue
        assert result.verdicts
        assert result.forward_only == (name == "onnx.runtime")
        if result.status not in ("passed", "xfailed"):
            failures.append(f"{result.status} {wrong(result)}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["others.hips_autograd"])
def test_two_layers_agree_with_the_definition(name, stranger, kind):
    _, implementation = stranger
    cases = [c for c in table(("float32",)) if c.spec.kind == kind and c.T == 5 and "-2layers-b" in c.name]
    assert len(cases) > 10
    failures = [r for r in (run_case(implementation, case) for case in cases) if not r.ok]
    assert not failures, "\n".join(map(wrong, failures))


@pytest.mark.parametrize("name", NEEDS)
def test_cuda_is_declined(name, stranger):
    _, implementation = stranger
    assert implementation.declines(Spec("rnn", 3, 6, device="cuda"))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("name", QUICK)
def test_every_wrong_order_of_gates_is_caught(name, stranger, cell, monkeypatch):
    module, implementation = stranger
    orders = getattr(module, ORDERS[name])
    right, case = tuple(orders[cell]), Case(Spec(cell, 3, 6))
    assert run_case(implementation, case).ok
    for order in permutations(right):
        monkeypatch.setitem(orders, cell, order)
        assert run_case(implementation, case).ok == (order == right), order


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["others.hips_autograd"])
def test_a_cut_gradient_is_caught_in_the_gradients_only(name, stranger, kind, monkeypatch):
    from autograd.tracer import getval

    module, implementation = stranger
    case = Case(Spec(input_size=3, hidden_size=6, bidirectional=True, **KINDS[kind]), lengths=LENGTHS["unsorted"])
    assert run_case(implementation, case).ok
    step = module.STEP[case.spec.cell]
    monkeypatch.setitem(module.STEP, case.spec.cell, lambda spec, p, x, *state: step(spec, p, x, *map(getval, state)))
    bad = {v.tensor for v in run_case(implementation, case).verdicts if not v.ok}
    assert {"dx", "dh_0", "dweight_ih_l0", "dweight_hh_l0"} <= bad
    assert all(tensor.startswith("d") for tensor in bad)


@pytest.mark.parametrize("name", ["onnx.runtime"])
@pytest.mark.parametrize(
    ("kind", "told"),
    [("rnn", {"activations": ["Relu"]}), ("gru", {"linear_before_reset": 0}), ("gru-before", {"linear_before_reset": 1})],
)
def test_a_node_told_wrongly_is_caught(name, stranger, kind, told, monkeypatch):
    module, implementation = stranger
    case, attributes = Case(Spec(input_size=3, hidden_size=6, **KINDS[kind])), module.attributes
    assert run_case(implementation, case).ok
    monkeypatch.setattr(module, "attributes", lambda spec: attributes(spec) | told)
    assert not run_case(implementation, case).ok


@pytest.mark.parametrize("name", ["jax.scan"])
@pytest.mark.parametrize(
    ("kind", "dtype"), [("rnn-relu", "float32"), ("lstm-proj", "float64"), ("gru", "float32"), ("gru-before", "float64")]
)
def test_a_scan_in_both_directions_over_unsorted_lengths(name, stranger, kind, dtype):
    spec = Spec(input_size=3, hidden_size=6, bidirectional=True, dtype=dtype, **KINDS[kind])
    result = run_case(stranger[1], Case(spec, lengths=LENGTHS["unsorted"]))
    assert result.ok, wrong(result)
    assert not result.forward_only


@pytest.mark.parametrize("name", ["jax.scan"])
def test_inference_is_the_forward(name, stranger):
    case = Case(Spec("lstm", 3, 6, num_layers=2), lengths=LENGTHS["unsorted"])
    data = case.data()
    layer = stranger[1].load(case.spec, data.weights)
    given = layer.put(data.x), tuple(map(layer.put, data.state)), np.array(case.lengths)
    (y, state), (y_2, state_2) = layer.forward(*given), layer.infer(*given)
    layer.sync()
    for one, other in zip((y, *state), (y_2, *state_2), strict=True):
        np.testing.assert_allclose(layer.get(one), layer.get(other), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["jax.scan"])
def test_the_functions_of_jax_are_as_exact_as_the_rule_asks(name, stranger):
    """T5 admits libraries that are wrong by LIBM_ULP.  XLA's tanh in float32 almost is, in [-3, 3]: by 3.9, and by 4.3 near 5.2."""
    import jax

    x = np.linspace(-3, 3, 200_001, dtype=np.float32)
    for function, exact in ((jax.numpy.tanh, np.tanh(x.astype(float))), (jax.nn.sigmoid, 1 / (1 + np.exp(-x.astype(float))))):
        error = np.abs(np.asarray(jax.jit(function)(x)) - exact) / np.abs(unit(exact.astype(np.float32)))
        assert error.max() <= LIBM_ULP, (function, error.max(), x[error.argmax()])


@pytest.mark.parametrize("name", NEEDS)
def test_short_names_are_those_of_the_modules(name, stranger):
    _, implementation = stranger
    short = next(s for s, long in STRANGERS.items() if long.address == implementation.name)
    assert (resolve(short).name, resolve(short).load) == (short, implementation.load)
    assert resolve(short).about is None or resolve(short).about().count("\n") == 0


def test_a_short_name_without_its_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(STRANGERS, "jax.scan", STRANGERS["jax.scan"]._replace(module="not_there"))
    with pytest.raises(LoadError, match=r"jax.scan is not installed: pip install"):
        resolve("jax.scan")
