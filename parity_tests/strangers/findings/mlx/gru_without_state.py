"""MLX 0.31.1: nn.GRU without an initial state leaves the bias b_hn out of its first step.

What: layer(x) and layer(x, zeros) differ; by its documentation n = tanh(W_xn x + b_n + r (W_hn h + b_hn)), and the term r b_hn
is missing at the first step where no state is given.  The first output is that of a layer with bhn = 0.  0.32.4 is right.

Witness: the documented equations in NumPy, one step, float32.

Upstream: ml-explore/mlx #3249, mended by PR #3252.

Their tests: at v0.31.1 test_gru in python/tests/test_nn.py looks at shapes alone. PR #3252 added the comparison of layer(x)
with layer(x, zeros).
"""

import mlx.core as mx
import numpy as np
from mlx import nn


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


mx.set_default_device(mx.cpu)
layer = nn.GRU(1, 1)
layer.update({"Wx": mx.full((3, 1), 0.5), "Wh": mx.full((3, 1), 0.5), "b": mx.zeros(3), "bhn": mx.full((1,), 2.0)})
x = mx.ones((1, 1, 1))
without, zeros = layer(x).item(), layer(x, mx.zeros((1, 1))).item()
gate = sigmoid(0.5)
right, left_out = (1 - gate) * np.tanh(0.5 + gate * 2), (1 - gate) * np.tanh(0.5)
print(f"mlx {mx.__version__}: without a state {without:.6f}, with zeros {zeros:.6f}, by the equations {right:.6f}")
print(f"by the equations without b_hn {left_out:.6f}")
assert abs(zeros - right) < 1e-6
assert abs(without - left_out) < 1e-6
