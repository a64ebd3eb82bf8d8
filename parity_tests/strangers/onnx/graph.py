"""A spec and weights as an ONNX model of one RNN, LSTM or GRU node per layer.  Operators: https://onnx.ai/onnx/operators/"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

ORDER = {"rnn": [0], "lstm": [0, 3, 1, 2], "gru": [1, 0, 2]}  # torch's h, ifgo, rzn  ->  ONNX's h, iofc, zrh
KINDS = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}
OPSET, IR_VERSION = 13, 7  # the oldest whose Split takes its sizes as an input, so that older runtimes can read it


def by_gate(cell, v):
    """(G·H, ...) in torch's order of gates  ->  (G·H, ...) in ONNX's"""
    blocks = np.split(v, len(ORDER[cell]))
    return np.concatenate([blocks[k] for k in ORDER[cell]])


def parameters(spec, weights, layer):
    """One layer's W (D, G·H, I), R (D, G·H, H) and, with a bias, B (D, 2·G·H)"""

    def both(name):
        ends = ("", "_reverse")[: 1 + spec.bidirectional]
        return np.stack([by_gate(spec.cell, weights[f"{name}_l{layer}{end}"]) for end in ends])

    named = {"W": both("weight_ih"), "R": both("weight_hh")}
    return named | ({"B": np.concatenate([both("bias_ih"), both("bias_hh")], axis=1)} if spec.bias else {})


def attributes(spec):
    """What every layer's node is told."""
    D = 1 + spec.bidirectional
    own = {
        "rnn": {"activations": ["Relu" if spec.nonlinearity == "relu" else "Tanh"] * D},
        "lstm": {},
        "gru": {"linear_before_reset": int(spec.reset_after)},
    }
    return {"hidden_size": spec.hidden_size, "direction": "bidirectional" if D == 2 else "forward"} | own[spec.cell]


def described(name, kind, shape=None):
    return helper.make_tensor_value_info(name, kind, shape)


def build(spec, weights, with_state, with_lengths, T=None, B=None):
    """The model, with inputs x, h_0, c_0, lengths (those that are wanted) and outputs y, h_n, c_n; for any T and B if not said"""
    L, D, H = spec.num_layers, 1 + spec.bidirectional, spec.hidden_size
    letters = "hc" if spec.cell == "lstm" else "h"
    kind = KINDS[spec.dtype]
    inputs, nodes = [described("x", kind, [*((B, T) if spec.batch_first else (T, B)), spec.input_size])], []
    constants = {"merged": np.array([0, 0, D * H])}

    def node(op, inputs, outputs, **options):
        nodes.append(helper.make_node(op, inputs, outputs, **options))

    if with_lengths:
        inputs.append(described("lengths", TensorProto.INT32, [B]))
    if with_state:
        constants["rows"] = np.full(L, D)
        for v in letters:
            inputs.append(described(f"{v}_0", kind, [L * D, B, H]))
            node("Split", [f"{v}_0", "rows"], [f"{v}_0_l{k}" for k in range(L)], axis=0)
    swap = [1, 0, 2] if spec.batch_first else [0, 1, 2]
    node("Transpose", ["x"], ["y_l0"], perm=swap)
    for k in range(L):
        p = parameters(spec, weights, k)
        constants |= {f"{name}_l{k}": v for name, v in p.items()}
        bias, ends = f"B_l{k}" if spec.bias else "", "lengths" if with_lengths else ""
        given = [f"y_l{k}", f"W_l{k}", f"R_l{k}", bias, ends, *(f"{v}_0_l{k}" if with_state else "" for v in letters)]
        node(spec.cell.upper(), given, [f"Y_l{k}", *(f"{v}_n_l{k}" for v in letters)], **attributes(spec))
        node("Transpose", [f"Y_l{k}"], [f"Y_l{k}_swapped"], perm=[0, 2, 1, 3])  # (T, D, B, H) -> (T, B, D, H)
        node("Reshape", [f"Y_l{k}_swapped", "merged"], [f"y_l{k + 1}"])  # (T, B, D·H)
    node("Transpose", [f"y_l{L}"], ["y"], perm=swap)
    for v in letters:
        node("Concat", [f"{v}_n_l{k}" for k in range(L)], [f"{v}_n"], axis=0)

    outputs = [described(name, kind) for name in ("y", *(f"{v}_n" for v in letters))]
    initializers = [numpy_helper.from_array(v, name) for name, v in constants.items()]
    graph = helper.make_graph(nodes, spec.cell, inputs, outputs, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def fed(x, state, lengths):
    """The inputs of a model by name"""
    given = {"x": x} | dict(zip(("h_0", "c_0"), state or (), strict=False))
    return given if lengths is None else given | {"lengths": np.asarray(lengths, np.int32)}
