"""onnx 1.23.2: ReferenceEvaluator ignores the attributes activations, clip and input_forget of LSTM, and the first two of GRU.

What: an LSTM node with activations ["Tanh", "Tanh", "Tanh"], with clip=0.1 or with input_forget=1 gives what it gives without,
and says nothing.  RNN takes its activations in earnest, but knows Tanh and Affine only, and raises for the others.

Witness: the first step of one unit by the operator's equations in NumPy.

Upstream: no thread was found in a search of its issues. "TODO: support overridden attributes" in onnx/reference/ops/op_lstm.py
and op_gru.py.

Their tests: no node test of RNN, GRU or LSTM in the installed package (onnx/backend/test/case/node) sets one of them, and
tests/python/reference_evaluator_test.py in the repository has no recurrent operator.
"""

import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator


def run(op, gates, **attributes):
    """Y_h of one unit after one step, x and all of its weights 1"""
    node = helper.make_node(op, ["x", "w", "r"], ["", "h"], hidden_size=1, **attributes)
    inputs = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in "xwr"]
    graph = helper.make_graph([node], op, inputs, [helper.make_tensor_value_info("h", TensorProto.DOUBLE, None)])
    w = np.ones((1, gates, 1))
    return ReferenceEvaluator(helper.make_model(graph)).run(None, {"x": np.ones((1, 1, 1)), "w": w, "r": w})[0].item()


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def lstm(f=sigmoid, a=1.0, forget=False):
    """o tanh(i g), all gates' arguments a; i is 1 - f where the gates are coupled"""
    i = 1 - f(a) if forget else f(a)
    return f(a) * np.tanh(i * np.tanh(a))


def gru(f=sigmoid, a=1.0):
    """(1 - z) n"""
    return (1 - f(a)) * np.tanh(a)


usual = lstm()
assert abs(run("LSTM", 4) - usual) < 1e-15
assert abs(run("GRU", 3) - gru()) < 1e-15
for op, gates, attributes, right, default in (
    ("LSTM", 4, {"activations": ["Tanh"] * 3}, lstm(np.tanh), usual),
    ("LSTM", 4, {"clip": 0.1}, lstm(a=0.1), usual),
    ("LSTM", 4, {"input_forget": 1}, lstm(forget=True), usual),
    ("GRU", 3, {"activations": ["Tanh"] * 2}, gru(np.tanh), gru()),
    ("GRU", 3, {"clip": 0.1}, gru(a=0.1), gru()),
):
    found = run(op, gates, **attributes)
    print(f"{op} with {attributes}: {found:.6f}; by the equations {right:.6f}, without the attribute {default:.6f}")
    assert found == run(op, gates)
    assert abs(found - right) > 0.01
