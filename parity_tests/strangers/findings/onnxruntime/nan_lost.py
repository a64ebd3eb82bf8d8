"""ONNX Runtime 1.32.0: a NaN in the input of LSTM and GRU with a bias, and of RNN with Relu, is lost on the CPU.

What: one step whose input is NaN.  An LSTM with a bias answers tanh(1) = 0.7615942 in every unit and a GRU 0; without a bias both
answer NaN.  An RNN with Relu answers 0, and one with Tanh NaN.  What has gone wrong before the layer is not seen behind it.

Witness: the equations of the operators, in which every unit depends on the NaN; and the same nodes without a bias.

Upstream: no thread was found of these operators. Others that lose a NaN on the CPU are microsoft/onnxruntime #28462 (Erf) and
#21455 (Min, Max), both closed; by #11010, open, Relu by itself keeps one there.

Their tests: rnn_op_test.cc, deep_cpu_lstm_op_test.cc and deep_cpu_gru_op_test.cc in onnxruntime/test/providers/cpu/rnn hold no
NaN, and the one test of an RNN with Relu has no number below 0. NaN goes into the kernels of Relu, Tanh and Logistic one by one,
in onnxruntime/test/mlas/unittest/test_activation.cpp.
"""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

H = 2


def answer(op, gates, biases, **attributes):
    """y (H,) of one step and one sequence, with x = NaN"""
    constants = {"W": np.full((1, gates * H, 1), 0.5, np.float32), "R": np.full((1, gates * H, H), 0.5, np.float32)}
    if biases:
        constants["B"] = np.full((1, 2 * gates * H), 0.5, np.float32)
    node = helper.make_node(op, ["x", *constants], ["y"], hidden_size=H, **attributes)
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy")
    graph = helper.make_graph([node], op, [x], [y], [numpy_helper.from_array(v, name) for name, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": np.full((1, 1, 1), np.nan, np.float32)})[0].ravel()


lost = {}
for name, gates, attributes in (
    ("LSTM", 4, {}),
    ("GRU", 3, {}),
    ("RNN, Tanh", 1, {}),
    ("RNN, Relu", 1, {"activations": ["Relu"]}),
):
    for biases in (True, False):
        y = answer(name.partition(",")[0], gates, biases, **attributes)
        print(f"{name}, {'with' if biases else 'without'} a bias: {y}")
        lost[name, biases] = bool(np.isfinite(y).all())
assert lost["LSTM", True] and lost["GRU", True] and lost["RNN, Relu", True]
assert not (lost["LSTM", False] or lost["GRU", False] or lost["RNN, Tanh", True])
