"""Node tests of ONNX's operators RNN, LSTM and GRU, in the layout of the ONNX backend suite, from the definition.

    NAME/model.onnx    NAME/test_data_set_0/input_0.pb, ..., output_0.pb, ...

Most of the suite's own tests of these operators have constant weights, which every order of the gates fits; one of them,
test_gru_seq_length, has not.  Here all is random, and each order of gates, each place of the reset and each option gives
other numbers.

Operators: https://onnx.ai/onnx/operators/   Layout: https://github.com/onnx/onnx/blob/main/docs/OnnxBackendTest.md
"""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto, helper, numpy_helper, save

from torch_impl.export.onnx_graph import ORDER

from ..judge import oracle
from ..judge.cases import Case, pairwise, usual
from ..judge.oracle import Tensors

Arrays = dict[str, np.ndarray]
OPSET, IR_VERSION = 22, 10  # the last in which the three operators changed
NAMES = {"rnn": "rnn", "rnn-relu": "rnn_relu", "lstm": "lstm", "gru": "gru_linear_before_reset", "gru-before": "gru"}
DIRECTIONS = {"forward": [0], "reverse": [1], "bidirectional": [0, 1]}
OPTIONS: dict[str, tuple] = {
    "direction": tuple(DIRECTIONS),
    "bias": (True, False),
    "initial_state": (True, False),
    "sequence_lens": (True, False),
}
LENGTHS = (3, 5, 2)
LEAST = 1e-3  # of an output that is not zero: the suite compares with a tolerance relative to each element
INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c")
OUTPUTS = ("Y", "Y_h", "Y_c")


class NodeTest(NamedTuple):
    """One node, what goes in, and what must come out."""

    name: str
    op: str
    attributes: dict[str, Any]
    inputs: Arrays  # in the order of the operator, those that are given
    outputs: Arrays


def rows() -> dict[str, tuple[str, dict]]:
    """Each kind of cell with every pair of options, by the name of the test."""
    return {named(kind, options): (kind, options) for kind in NAMES for options in pairwise(OPTIONS)}


def named(kind: str, options: dict) -> str:
    """As ONNX names its tests; a bias is usual, the others are not."""
    words = [word for word, there in (("nobias", not options["bias"]), *options.items()) if there is True and word != "bias"]
    return "_".join(["test", NAMES[kind], options["direction"], *words])


def node_tests() -> Iterator[NodeTest]:
    """A test for each row."""
    for name, (kind, options) in rows().items():
        yield node_test(name, kind, **options)


def node_test(name: str, kind: str, direction: str, bias: bool, initial_state: bool, sequence_lens: bool) -> NodeTest:
    """The first draw of random numbers in which no output is next to zero."""
    lengths = LENGTHS if sequence_lens else None
    spec = usual(kind, bias=bias, bidirectional=True)  # of which the wanted directions are kept
    draws = (Case(spec, T=5, B=3, lengths=lengths, state=initial_state, label=f"{name}_{k}") for k in itertools.count())
    tests = (computed(name, case, direction) for case in draws)
    return next(test for test in tests if all(np.abs(v[v != 0]).min() >= LEAST for v in test.outputs.values()))


def computed(name: str, case: Case, direction: str) -> NodeTest:
    """What a case says, in the layout of ONNX: W (D, G·H, I), R (D, G·H, H), B (D, 2·G·H), Y (T, D, B, H), Y_h (D, B, H)."""
    data, ways, H = case.data(), DIRECTIONS[direction], case.spec.hidden_size
    wide = oracle.transform(data, lambda v: v.astype(np.longdouble))
    y, h_n, c_n = (oracle.define(case, wide).get(k) for k in ("y", "h_n", "c_n"))
    state = data.state or ()
    inputs: dict[str, np.ndarray | None] = {
        "X": data.x,
        "W": stacked(case, data.weights, "weight_ih", ways),
        "R": stacked(case, data.weights, "weight_hh", ways),
        "B": None,
        "sequence_lens": None if data.lengths is None else data.lengths.astype(np.int32),
    } | {f"initial_{letter}": v[ways] for letter, v in zip("hc", state, strict=False)}
    if case.spec.bias:
        inputs["B"] = np.concatenate([stacked(case, data.weights, part, ways) for part in ("bias_ih", "bias_hh")], axis=1)
    assert y is not None
    by_way = y.reshape(case.T, case.B, 2, H).swapaxes(1, 2)[:, ways]  # (T, D, B, H)
    outputs = {"Y": by_way} | {f"Y_{letter}": v[ways] for letter, v in (("h", h_n), ("c", c_n)) if v is not None}
    return NodeTest(
        name,
        case.spec.cell.upper(),
        attributes(case, direction),
        {k: np.ascontiguousarray(v) for k in INPUTS if (v := inputs.get(k)) is not None},
        {k: np.ascontiguousarray(v, np.float32) for k, v in outputs.items()},
    )


def stacked(case: Case, weights: Tensors, name: str, ways: list[int]) -> np.ndarray:
    """(D, G·H, ·), gates in ONNX's order"""
    order = ORDER[case.spec.cell.upper()]
    each = [np.split(weights[f"{name}_l0{('', '_reverse')[way]}"], len(order)) for way in ways]
    return np.stack([np.concatenate([blocks[k] for k in order]) for blocks in each])


def attributes(case: Case, direction: str) -> dict[str, Any]:
    """What the node is told, defaults left out."""
    told: dict[str, Any] = {"hidden_size": case.spec.hidden_size}
    if direction != "forward":
        told["direction"] = direction
    if case.spec.nonlinearity == "relu":
        told["activations"] = ["Relu"] * len(DIRECTIONS[direction])
    if case.spec.cell == "gru" and case.spec.reset_after:
        told["linear_before_reset"] = 1
    return told


def model(test: NodeTest) -> ModelProto:
    """A graph of the one node; inputs that are not given have no name."""
    given = [name if name in test.inputs else "" for name in INPUTS]
    while not given[-1]:
        given.pop()
    node = helper.make_node(test.op, given, list(test.outputs), **test.attributes)
    given_infos, found_infos = (
        [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for name, v in arrays.items()]
        for arrays in (test.inputs, test.outputs)
    )
    graph = helper.make_graph([node], test.name, given_infos, found_infos)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="bptt")


def write(folder: Path, test: NodeTest) -> None:
    """One test in its own folder."""
    data = folder / test.name / "test_data_set_0"
    data.mkdir(parents=True)
    save(model(test), folder / test.name / "model.onnx")
    for what, arrays in (("input", test.inputs), ("output", test.outputs)):
        for k, (name, v) in enumerate(arrays.items()):
            (data / f"{what}_{k}.pb").write_bytes(numpy_helper.from_array(v, name).SerializeToString())


def write_all(folder: Path, overwrite: bool) -> int:
    """Every test; returns how many.  ValueError: there is something in the folder that they would stand beside."""
    tests = list(node_tests())
    there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if others := there - {test.name for test in tests}:
        raise ValueError(f"--onnx: {folder} is not empty, and holds {min(others)}, which is none of these tests")
    if there and not overwrite:
        raise ValueError(f"--onnx: {folder} holds tests already; --overwrite puts others in their place")
    for name in there:
        shutil.rmtree(folder / name)
    for test in tests:
        write(folder, test)
    return len(tests)
