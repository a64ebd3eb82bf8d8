"""PaddlePaddle 3.3.1: relu makes a NaN 0, in nn.functional.relu and in nn.SimpleRNN(activation="relu").

What: on the CPU relu(NaN) is 0, so a NaN that reaches an RNN is gone after its first step and y is a number.  With
activation="tanh" the NaN stays.

Witness: paddle.maximum(NaN, 0), which is the definition of relu and documented to give NaN; NumPy's maximum.

Upstream: PaddlePaddle/Paddle #79351, open, of relu alone; PR #65310 of 2024 was to mend it.

Their tests: test/legacy_test/test_activation_op.py has one of it, TestRelu_NanInput, which asks that some NaN is left and names
no device; what it asks is not so with 3.3.1 on the CPU, and how it passed is not known. test/rnn/test_rnn_nets.py and
test/legacy_test/test_simple_rnn_op.py run SimpleRNN with relu on finite numbers.
"""

import numpy as np
import paddle

paddle.set_device("cpu")
x = paddle.to_tensor(np.array([[[np.nan], [1]]], "float32"))
relu, maximum = paddle.nn.functional.relu(x), paddle.maximum(x, paddle.zeros_like(x))
print("relu", relu.numpy().ravel(), "maximum", maximum.numpy().ravel(), "NumPy", np.maximum(x.numpy(), 0).ravel())
y = {f: paddle.nn.SimpleRNN(1, 1, activation=f)(x)[0].numpy().ravel() for f in ("relu", "tanh")}
print("SimpleRNN", y)
assert relu[0, 0, 0].item() == 0
assert np.isnan(maximum[0, 0, 0].item())
assert np.isfinite(y["relu"]).all()
assert np.isnan(y["tanh"]).all()
