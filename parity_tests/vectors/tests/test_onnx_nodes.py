"""Node tests for ONNX: no two orders of the gates fit one, onnxruntime passes all, and ONNX's own runner reads them."""

import itertools
import os
import sys
import unittest
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="extra 'apps' is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="extra 'apps' is not installed")

from onnx.backend.base import Backend as Base  # noqa: E402
from onnx.backend.base import BackendRep  # noqa: E402
from onnx.backend.test import loader, runner  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from ..command import main  # noqa: E402
from ..onnx_nodes import DIRECTIONS, OPTIONS, NodeTest, model, node_test, rows  # noqa: E402

RTOL, ATOL = 1e-3, 1e-7  # of ONNX's runner: loader.load_model_tests
TESTS = rows()
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
each = pytest.mark.parametrize("name", TESTS)


@cache
def made(name: str) -> NodeTest:
    kind, options = TESTS[name]
    return node_test(name, kind, **options)


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("onnx") / "recurrent"
    assert main(["--onnx", str(out)]) == 0
    return out


def started(proto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # of models that it does not take it is told in an exception
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])


def alike(outputs, expected) -> bool:
    """As ONNX's runner has it."""
    return all(np.allclose(a, b, rtol=RTOL, atol=ATOL) for a, b in zip(outputs, expected, strict=True))


def permuted(op: str, name: str, v: np.ndarray, order) -> np.ndarray:
    """W, R or B (D, G·H or 2·G·H, ...) with the gates in another order"""
    if name not in ("W", "R", "B"):
        return v
    blocks = np.split(v, (1 + (name == "B")) * GATES[op], axis=1)
    halves = [blocks[k : k + GATES[op]] for k in range(0, len(blocks), GATES[op])]
    return np.concatenate([half[k] for half in halves for k in order], axis=1)


def by_orders(op: str, session, inputs: dict) -> list:
    """The outputs for each order of the gates, the right one first."""
    orders = itertools.permutations(range(GATES[op]))
    return [session.run(None, {name: permuted(op, name, v, order) for name, v in inputs.items()}) for order in orders]


@each
def test_onnxruntime_passes_and_no_other_order_of_gates_does(name):
    test = made(name)
    proto = model(test)
    onnx.checker.check_model(proto, full_check=True)
    right, *others = by_orders(test.op, started(proto), test.inputs)
    assert alike(right, test.outputs.values())
    assert len(others) == {"RNN": 0, "GRU": 5, "LSTM": 23}[test.op]
    for one, other in itertools.combinations([right, *others], 2):
        assert not alike(one, other)


def otherwise(test: NodeTest) -> dict[str, NodeTest]:
    """The same node, misunderstood: what is given is not used, or an attribute is another."""
    found = {}
    for lacking in ("sequence_lens", "initial_h", "initial_c", "B"):
        if lacking in test.inputs:
            found[f"no {lacking}"] = test._replace(inputs={k: v for k, v in test.inputs.items() if k != lacking})
    told = test.attributes
    if told.get("direction") != "bidirectional":
        turned = "forward" if "direction" in told else "reverse"
        found["turned round"] = test._replace(attributes=told | {"direction": turned})
    else:
        swapped = {k: v[::-1].copy() if k in "WRB" else v for k, v in test.inputs.items()}
        found["directions swapped"] = test._replace(inputs=swapped)
    if test.op == "GRU":
        reset = {"linear_before_reset": 1 - told.get("linear_before_reset", 0)}
        found["reset elsewhere"] = test._replace(attributes=told | reset)
    if "activations" in told:
        found["tanh"] = test._replace(attributes={k: v for k, v in told.items() if k != "activations"})
    if "B" in test.inputs and test.op == "GRU" and told.get("linear_before_reset"):
        halves = np.split(test.inputs["B"], 2, axis=1)
        found["biases swapped"] = test._replace(inputs=test.inputs | {"B": np.concatenate(halves[::-1], axis=1)})
    return found


@each
def test_no_other_reading_of_an_option_passes(name):
    test = made(name)
    for what, other in otherwise(test).items():
        assert not alike(started(model(other)).run(None, other.inputs), test.outputs.values()), what


def test_every_pair_of_options_is_there_for_each_cell():
    names = {kind: [n for n in TESTS if n.startswith(f"test_{kind}")] for kind in ("rnn", "lstm", "gru")}
    assert {kind: len(those) for kind, those in names.items()} == {"rnn": 12, "lstm": 6, "gru": 12}
    assert {len(TESTS)} == {5 * len({n.removeprefix("test_lstm_") for n in names["lstm"]})}
    for direction in DIRECTIONS:
        assert sum(f"_{direction}" in n for n in TESTS) == len(TESTS) / 3
    assert all(len(values) > 1 for values in OPTIONS.values())


@each
def test_what_onnx_itself_computes(name):
    """Its reference evaluator takes no notice of lengths and knows no Relu; all else it has right."""
    test = made(name)
    if "activations" in test.attributes:
        with pytest.raises(RuntimeError, match="Unknown activation function"):
            ReferenceEvaluator(model(test)).run(None, test.inputs)
        return
    outputs = ReferenceEvaluator(model(test)).run(None, test.inputs)
    assert alike(outputs, test.outputs.values()) == ("sequence_lens" not in test.inputs)


@pytest.mark.slow
def test_the_tests_that_onnx_has_tell_few_orders_apart():
    """Which of them only the right order of the gates passes; those with layout=1 onnxruntime does not compute."""
    telling = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of the other operators' tests divide by zero
        tests = loader.load_model_tests(kind="node")
    for test in tests:
        node = test.model.graph.node[0]
        if node.op_type not in ("LSTM", "GRU") or any(a.name == "layout" and a.i for a in node.attribute):
            continue
        (given, expected), names = test.data_sets[0], [i.name for i in test.model.graph.input]
        outputs = by_orders(node.op_type, started(test.model), dict(zip(names, map(np.asarray, given), strict=True)))
        telling[test.name] = sum(alike(found, expected) for found in outputs) == 1
    assert len(telling) >= 6
    assert [name for name, alone in telling.items() if alone] == ["test_gru_seq_length"]


class Backend(Base):
    """onnxruntime behind ONNX's interface for backends."""

    @classmethod
    def prepare(cls, proto, device="CPU", **options):
        class Prepared(BackendRep):
            def run(self, inputs, **options):
                session = started(proto)
                return session.run(None, dict(zip([i.name for i in session.get_inputs()], inputs, strict=True)))

        return Prepared()

    @classmethod
    def supports_device(cls, device):
        return device == "CPU"


class Zero(Backend):
    """Nothing but zeros."""

    @classmethod
    def prepare(cls, proto, device="CPU", **options):
        right = super().prepare(proto)
        run = right.run
        right.run = lambda inputs, **options: [0 * v for v in run(inputs)]
        return right


@pytest.mark.parametrize("backend", [Backend, Zero])
def test_the_runner_of_onnx_reads_and_runs_them(backend, written, monkeypatch):
    """Loaded from their folder, as a kind of tests of that name; a wrong backend fails in each."""

    def load(kind):
        return loader.load_model_tests(str(written.parent), written.name) if kind == "simple" else []

    monkeypatch.setattr(runner, "load_model_tests", load)
    suite = runner.Runner(backend, __name__).test_suite
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        result = unittest.TextTestRunner(stream=nowhere).run(suite)
    assert len(result.skipped) == len(TESTS)  # on CUDA
    assert result.testsRun == 2 * len(TESTS)
    assert len(result.errors) + len(result.failures) == (0 if backend is Backend else len(TESTS)), result.errors[:1]


def test_files_are_those_of_the_suite(written):
    for name in TESTS:
        test = made(name)
        files = {path.relative_to(written / name).as_posix() for path in (written / name).rglob("*.*")}
        data = {f"test_data_set_0/{what}_{k}.pb" for what in ("input", "output") for k in range(len(getattr(test, f"{what}s")))}
        assert files == {"model.onnx"} | data
        proto = onnx.load(written / name / "model.onnx")
        assert [i.name for i in proto.graph.input] == [*test.inputs]
        read = onnx.load_tensor(written / name / "test_data_set_0" / "input_0.pb")
        assert (onnx.numpy_helper.to_array(read) == test.inputs["X"]).all()


def test_another_folder_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    assert main(["--onnx", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"error: --onnx: {tmp_path} is not empty, and holds mine, which is none of these tests\n"


def test_tests_are_put_in_the_place_of_others_only_when_told_so(tmp_path, capsys):
    out = str(tmp_path)
    assert main(["--onnx", out]) == 0
    assert main(["--onnx", out]) == 2
    assert capsys.readouterr().err == f"error: --onnx: {out} holds tests already; --overwrite puts others in their place\n"
    assert main(["--onnx", out, "--overwrite"]) == 0


def test_without_onnx_it_is_a_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setattr("reference.common.extras.find_spec", lambda name: None)
    assert main(["--onnx", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.startswith("error: onnx is needed and not installed; the extra 'apps' brings what is missing")
