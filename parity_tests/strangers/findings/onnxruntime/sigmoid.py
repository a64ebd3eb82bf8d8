"""ONNX Runtime 1.32.0: sigmoid is exact to a rounding of 1, not of itself, on the CPU.

What: Sigmoid in float32 between -20 and 0, where it goes from 2e-9 to a half, is never wrong by more than 1e-7; at -10 that is more
than two thousand units in the last place, and further out it is 0.  An LSTM with a gate that is nearly shut, before a large
cell state, is wrong by as much.

Witness: NumPy in longdouble.

Upstream: microsoft/onnxruntime #22557, open, of results below 0.

Their tests: onnxruntime/test/providers/cpu/activation/activation_op_test.cc expects 1 - sigmoid(|x|) in float32 where x is below
0, and so what is exact to a rounding of 1, too.
"""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

x = np.linspace(-20, 0, 2001, dtype=np.float32)
described = [helper.make_tensor_value_info(name, TensorProto.FLOAT, x.shape) for name in "xy"]
graph = helper.make_graph([helper.make_node("Sigmoid", ["x"], ["y"])], "sigmoid", described[:1], described[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
(y,) = session.run(None, {"x": x})
right = 1 / (1 + np.exp(-x.astype(np.longdouble)))
error = np.abs(y - right)
ulp = error / np.spacing(right.astype(np.float32))
at = int(np.argmin(np.abs(x + 10)))
print(f"largest error {error.max():.1e}; at -10 wrong by {ulp[at]:.0f} units in the last place; smallest result {y.min():.1e}")
assert error.max() < 1e-6
assert ulp[at] > 1000
