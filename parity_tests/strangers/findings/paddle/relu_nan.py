"""PaddlePaddle 3.3.1: relu makes a NaN 0, in nn.functional.relu and in nn.SimpleRNN(activation="relu").

What: on the CPU relu(NaN) is 0, so a NaN that reaches an RNN is gone after its first step and y is a number.  With
activation="tanh" the NaN stays.

Witness: paddle.maximum(NaN, 0), which is the definition of relu and documented to give NaN; NumPy's maximum.

Upstream: PaddlePaddle/Paddle #79351, open, of relu alone; PR #65310 of 2024 was to mend it.

Their tests: not known; the installed package holds none.
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
