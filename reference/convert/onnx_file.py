""".onnx files: the weights of the operators RNN, LSTM and GRU.  https://onnx.ai/onnx/operators/"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, load_model_from_string, numpy_helper

from ..common.arrays import Array
from ..common.checks import UsageError
from .files import Contents
from .stacks import Stack, theirs

OPERATORS = ("RNN", "LSTM", "GRU")
ACTIVATIONS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
OPSET, IR_VERSION = 14, 7  # the oldest in which all these operators are as they are today


def read(path: Path) -> Contents:
    """UsageError: it is damaged, a node has options that ours do not have, or computes its weights, or has them elsewhere."""
    try:
        graph = load_model_from_string(path.read_bytes()).graph
    except (DecodeError, ValueError, TypeError) as e:
        raise UsageError(f"{path} is damaged, or no .onnx file: {e}") from e
    arrays: dict[str, Array] = {}
    resets: dict[str, bool] = {}
    phis: dict[str, str] = {}
    for number, node in enumerate(n for n in graph.node if n.op_type in OPERATORS):
        name, own = node.name or f"{node.op_type}_{number}", attributes(node)
        refuse(node, name, own)
        given = [(k, wanted) for k, wanted in zip("WRB", node.input[1:], strict=False) if wanted]
        arrays |= {f"{name}/{k}": weight(graph, name, wanted) for k, wanted in given}
        if node.op_type == "GRU":
            resets[f"{name}/"] = bool(own.get("linear_before_reset", 0))
        if node.op_type == "RNN":
            phis[f"{name}/"] = own.get("activations", ["Tanh"])[0].lower()
    if not graph.node:
        raise UsageError(f"{path} is no .onnx file, or an empty one")
    return Contents(arrays, "onnx", resets, phis)


def attributes(node: NodeProto) -> dict[str, Any]:
    """Strings as str."""
    plain: dict[str, Any] = {}
    for a in node.attribute:
        v = helper.get_attribute_value(a)
        plain[a.name] = [s.decode() for s in v] if a.name == "activations" else v.decode() if isinstance(v, bytes) else v
    return plain


def refuse(node: NodeProto, name: str, own: dict[str, Any]) -> None:
    """UsageError: options that ours do not have."""
    D = 2 if own.get("direction") == "bidirectional" else 1
    usual = ACTIVATIONS[node.op_type] * D
    odd = [k for k in ("clip", "input_forget") if own.get(k)]
    if own.get("activations", usual) not in (usual, *([["Relu"] * D] if node.op_type == "RNN" else [])):
        odd.append("activations")
    if own.get("direction") == "reverse":
        odd.append("direction=reverse")
    if node.op_type == "LSTM" and len(node.input) > 7 and node.input[7]:
        odd.append("peepholes")
    if odd:
        raise UsageError(f"the node {name} has {' and '.join(odd)}, which ours have not")


def weight(graph: GraphProto, name: str, wanted: str) -> Array:
    """An input of the node ``name`` that is stored in the file.  UsageError: it is computed, or stored elsewhere."""
    tensors = [t for t in graph.initializer if t.name == wanted]
    tensors += [a.t for n in graph.node if n.op_type == "Constant" and wanted in n.output for a in n.attribute if a.name == "value"]
    if not tensors:
        raise UsageError(f"the weights {wanted} of the node {name} are computed in the graph, not stored: fold constants first")
    if tensors[0].data_location == TensorProto.EXTERNAL:
        raise UsageError(f"the weights {wanted} of the node {name} are in another file: save the model as one file")
    try:
        return numpy_helper.to_array(tensors[0])
    except (ValueError, TypeError, AttributeError, RuntimeError) as e:
        raise UsageError(f"the weights {wanted} of the node {name} are damaged: {e}") from e


def encoded(stack: Stack) -> bytes:
    """A model of this stack: x (T, B, I), h_0 and c_0 (L·D, B, H)  ->  y (T, B, D·H), h_n and c_n; T and B are free"""
    return model(stack).SerializeToString()


def model(stack: Stack) -> ModelProto:
    W, L, D, H = stack.weights["weight_ih_l0"], stack.num_layers, 1 + stack.bidirectional, stack.weights["weight_hh_l0"].shape[1]
    kind, letters = helper.np_dtype_to_tensor_dtype(W.dtype), "hc" if stack.cell == "lstm" else "h"
    constants = theirs(stack, "onnx", [f"l{k}/*[{d}]" for k in range(L) for d in range(D)])
    constants |= {"sizes": np.full(L, D, np.int64), "shape": np.array([0, 0, -1], np.int64)}
    nodes = [helper.make_node("Split", [f"{v}_0", "sizes"], [f"{v}_0_{k}" for k in range(L)], axis=0) for v in letters]
    x = "x"
    for k in range(L):
        held = [name if name in constants else "" for name in (f"l{k}/{n}" for n in "WRB")]
        out = [f"y_{k}", *(f"{v}_n_{k}" for v in letters)]
        given = [x, *held, "", *(f"{v}_0_{k}" for v in letters)]
        nodes += [
            helper.make_node(stack.cell.upper(), given, out, name=f"l{k}", **told(stack, D, H)),
            helper.make_node("Transpose", [f"y_{k}"], [f"y_{k}_t"], perm=[0, 2, 1, 3]),
            helper.make_node("Reshape", [f"y_{k}_t", "shape"], ["y" if k == L - 1 else f"x_{k + 1}"]),
        ]  # (T, D, B, H) -> (T, B, D, H) -> (T, B, D·H)
        x = f"x_{k + 1}"
    nodes += [helper.make_node("Concat", [f"{v}_n_{k}" for k in range(L)], [f"{v}_n"], axis=0) for v in letters]
    states = [[(f"{v}_{end}", [L * D, "B", H]) for v in letters] for end in "0n"]
    inputs, outputs = [("x", ["T", "B", W.shape[1]]), *states[0]], [("y", ["T", "B", D * H]), *states[1]]
    graph = helper.make_graph(nodes, "bptt", infos(inputs, kind), infos(outputs, kind),
                              [numpy_helper.from_array(v, name) for name, v in constants.items()])  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def infos(entries: Iterable[tuple[str, list]], kind: int) -> list:
    return [helper.make_tensor_value_info(name, kind, shape) for name, shape in entries]


def told(stack: Stack, D: int, H: int) -> dict[str, Any]:
    """The attributes of a node."""
    own: dict[str, Any] = {"hidden_size": H, "direction": "bidirectional" if D == 2 else "forward"}
    if stack.cell == "gru":
        own["linear_before_reset"] = int(stack.reset_after)
    if stack.cell == "rnn":
        own["activations"] = [stack.nonlinearity.capitalize()] * D
    return own
