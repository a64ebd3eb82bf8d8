"""The trained models as ONNX graphs, of its own operators RNN, LSTM and GRU, so that T and B stay free.

torch.onnx's exporter fixes T: it unrolls the recurrence.  Operators: https://onnx.ai/onnx/operators/
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper
from torch import Tensor

from reference.common.arrays import Array

from ..cells.layers import Written
from ..models.forecaster import Forecaster
from ..models.language_model import LanguageModel, TiedHead

# torch's order of gates (h; i f g o; r z n)  ->  ONNX's (h; i o f c; z r h)
ORDER = {"RNN": [0], "LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2]}
OPSET, IR_VERSION = 13, 7  # the oldest in which Squeeze and Split take their axes as inputs: older runtimes read it, too


class Graph:
    """Nodes in the order in which they are added; ``node`` and ``outputs`` give the names of what they put out."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, Array] = {}

    def constant(self, name: str, value: ArrayLike) -> str:
        """Arrays of numbers become float32, of integers int64."""
        v = np.asarray(value)
        self.constants[name] = v.astype(np.int64 if v.dtype.kind == "i" else np.float32)
        return name

    def node(self, op: str, inputs: Sequence[str], **attributes: Any) -> str:
        """A node with one output"""
        return self.outputs(op, inputs, 1, **attributes)[0]

    def outputs(self, op: str, inputs: Sequence[str], count: int, **attributes: Any) -> list[str]:
        """A node with ``count`` outputs"""
        names = [f"{op.lower()}_{len(self.nodes)}_{k}" for k in range(count)]
        self.nodes.append(helper.make_node(op, list(inputs), names, **attributes))
        return names

    def rnn(self, name: str, layer: Written, x: str, state: Sequence[Sequence[str]] | None) -> tuple[str, list[list[str]]]:
        """A torch_impl.RNN, LSTM or GRU of one direction: x (T, B, I)  ->  y (T, B, H), state

        A state is for each layer the names of h, and c, each (1, B, H); None is zeros.
        """
        op, letters = layer.mode.split("_")[0], 2 if layer.mode == "LSTM" else 1
        options = {"linear_before_reset": 1} if op == "GRU" else {}
        ends = []
        for k in range(layer.num_layers):
            weights = [
                self.constant(f"{name}.{what}_l{k}", by_gate(op, [getattr(layer, f"{part}_l{k}") for part in parts]))
                for what, parts in (("W", ["weight_ih"]), ("R", ["weight_hh"]), ("B", ["bias_ih", "bias_hh"]))
            ]
            start = [] if state is None else ["", *state[k]]  # no lengths
            y, *end = self.outputs(op, [x, *weights, *start], 1 + letters, hidden_size=layer.hidden_size, **options)
            x = self.node("Squeeze", [y, self.constant("axis1", [1])])
            ends.append(end)
        return x, ends

    def linear(self, y: str, W: str, b: str) -> str:
        """y Wᵀ + b, W the name of a constant (out, in)"""
        return self.node("Add", [self.node("MatMul", [y, self.node("Transpose", [W], perm=[1, 0])]), b])

    def model(self, inputs: Sequence[ValueInfoProto], outputs: dict[str, tuple[str, list]], about: dict[str, str]) -> ModelProto:
        """The finished model; outputs: name -> (name within, shape)"""
        for name, (within, _) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [within], [name]))
        infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, (_, shape) in outputs.items()]
        constants = [numpy_helper.from_array(v, name) for name, v in self.constants.items()]
        graph = helper.make_graph(self.nodes, "bptt", list(inputs), infos, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        helper.set_model_props(model, about)
        return model


def array(p: Tensor) -> Array:
    return p.detach().cpu().numpy()


def by_gate(op: str, parameters: Sequence[Tensor]) -> Array:
    """Parameters (G·H, ...) of torch one under the other  ->  (1, G·H or more, ...), each in ONNX's order of gates"""
    blocks = [np.split(array(p), len(ORDER[op])) for p in parameters]
    return np.concatenate([b[k] for b in blocks for k in ORDER[op]])[None]


def language_model(model: LanguageModel, about: dict[str, str]) -> ModelProto:
    """A torch_impl LanguageModel: tokens (T, B), h_0, c_0  ->  logits (T, B, V), h_n, c_n; in evaluation mode"""
    g, rnn = Graph(), model.rnn
    letters, (L, H) = "hc" if rnn.mode == "LSTM" else "h", (rnn.num_layers, rnn.hidden_size)
    E = g.constant("embedding.weight", array(model.embedding.weight))
    sizes = g.constant("ones", [1] * L)
    inputs = [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["T", "B"])]
    starts = []
    for v in letters:
        inputs.append(helper.make_tensor_value_info(f"{v}_0", TensorProto.FLOAT, [L, "B", H]))
        starts.append(g.outputs("Split", [f"{v}_0", sizes], L, axis=0))
    y, ends = g.rnn("rnn", rnn, g.node("Gather", [E, "tokens"]), list(zip(*starts, strict=True)))
    W = E if isinstance(model.head, TiedHead) else g.constant("head.weight", array(model.head.weight))
    z = g.linear(y, W, g.constant("head.bias", array(model.head.bias)))
    states = {f"{v}_n": (g.node("Concat", [end[k] for end in ends], axis=0), [L, "B", H]) for k, v in enumerate(letters)}
    return g.model(inputs, {"logits": (z, ["T", "B", model.embedding.num_embeddings])} | states, about)


def forecaster(model: Forecaster, about: dict[str, str]) -> ModelProto:
    """A torch_impl Forecaster, free running for its horizon: past (T, B, F)  ->  forecast (K, B), both scaled; T at least 2

    Where columns are known ahead there is a second input, known (K, B, known).  Where there are quantiles the forecast is
    (K, B, Q), sorted.
    """
    g, F, n = Graph(), model.columns, model.known
    inputs = [helper.make_tensor_value_info("past", TensorProto.FLOAT, ["T", "B", F])]
    if n:
        inputs.append(helper.make_tensor_value_info("known", TensorProto.FLOAT, [model.horizon, "B", n]))
    forecast = direct(g, model) if model.mode == "direct" else stepwise(g, model)
    shape = [model.horizon, "B", *([len(model.quantiles)] if model.quantiles else [])]
    return g.model(inputs, {"forecast": (forecast, shape)}, about)


def direct(g: Graph, model: Forecaster) -> str:
    """past, known  ->  forecast (K, B), or (K, B, Q) sorted"""
    K, n, Q = model.horizon, model.known, len(model.quantiles)
    W, b = head(g, model)
    _, ends = g.rnn("rnn", model.rnn, "past", None)
    y = ends[-1][0]  # (1, B, H)
    if n:
        rows = g.node("Transpose", ["known"], perm=[1, 0, 2])  # (B, K, known)
        y = g.node("Concat", [y, g.node("Reshape", [rows, g.constant("known_rows", [1, -1, K * n])])], axis=2)
    last = g.node("Gather", ["past", g.constant("last", [-1])], axis=0)  # (1, B, F)
    x = g.node("Gather", [last, g.constant("first", [0])], axis=2)
    f = g.node("Add", [x, g.linear(y, W, b)])  # (1, B, K) or (1, B, K Q)   Y1, Y7
    if not Q:
        return g.node("Squeeze", [g.node("Transpose", [f], perm=[2, 1, 0]), g.constant("axis2", [2])])
    f = g.node("Transpose", [g.node("Reshape", [f, g.constant("quantile_rows", [-1, K, Q])])], perm=[1, 0, 2])  # (K, B, Q)
    return g.outputs("TopK", [f, g.constant("quantiles", [Q])], 2, axis=2, largest=0, sorted=1)[0]  # Y8


def stepwise(g: Graph, model: Forecaster) -> str:
    """past, known  ->  forecast (K, B); each step reads the one before"""
    C, n = model.columns - model.known, model.known
    W, b = head(g, model)
    zero, last = g.constant("zero", [0]), g.constant("last", [-1])
    x, u = g.node("Slice", ["past", zero, last, zero]), g.node("Gather", ["past", last], axis=0)  # without x_T; x_T (1, B, F)
    if n:
        column, axis2 = g.constant("columns", [C]), g.constant("axis2", [2])
        x, u = (g.node("Slice", [v, zero, column, axis2]) for v in (x, u))
        rest = g.constant("starts", [1, C]), g.constant("ends", [2**62, 2**62]), g.constant("axes", [0, 2])
        after = g.node("Slice", ["past", *rest])  # the known columns of all rows but the first
        x = g.node("Concat", [x, after], axis=2)
    _, state = g.rnn("rnn", model.rnn, x, None)  # Y2
    name, decoder, steps = ("rnn", model.rnn, []) if model.decoder is None else ("decoder", model.decoder, [])
    for k in range(model.horizon):
        known = [g.node("Gather", ["known", g.constant(f"step{k}", [k])], axis=0)] if n else []  # (1, B, known)
        y, state = g.rnn(name, decoder, g.node("Concat", [u, *known], axis=2) if n else u, state)  # Y3, Y4
        u = g.node("Add", [u, g.linear(y, W, b)])  # Y5
        steps.append(g.node("Gather", [u, g.constant("column", 0)], axis=2))  # (1, B)
    return g.node("Concat", steps, axis=0)


def head(g: Graph, model: Forecaster) -> tuple[str, str]:
    """Weight and bias of the linear layer, as constants"""
    return g.constant("head.weight", array(model.head.weight)), g.constant("head.bias", array(model.head.bias))
