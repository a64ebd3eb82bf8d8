"""Keras 3.15.1: a product of two float64 tensors is computed, and returned, in float32 with the PyTorch backend.

What: keras.ops.matmul casts both operands to ``result_type("float64", "float64")``, which is "float32" with every backend but
TensorFlow.  A SimpleRNN made with dtype="float64" returns float64 that is exact to float32 only: no warning, weights and outputs
say float64.  In the judge's cases so do a GRU with reset_after=False, and every layer under a mask.

Witness: the product in NumPy's float64, and the recurrence in NumPy's float64.

Upstream: keras-team/keras #23704, open. keras/src/backend/common/dtypes.py says "Force to be 32-bit dtype when encountering
64-bit dtype. This is to be aligned with JAX's default behavior."

Their tests: in keras/src/ops/numpy_test.py test_matmul multiplies ones, test_matmul_sparse, which has float64, is skipped where
a backend has no sparse tensors, as PyTorch's has none, and NumpyDtypeTest leaves out all 64-bit types.
test_result_type_with_float64 in keras/src/backend/common/dtypes_test.py is for TensorFlow only. The tests of recurrent layers
have no float64.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np

rng = np.random.default_rng(0)
a, b = rng.standard_normal((3, 4)), rng.standard_normal((4, 5))
product = keras.ops.matmul(keras.ops.convert_to_tensor(a), keras.ops.convert_to_tensor(b))
print(f"float64 @ float64 is {product.dtype}, wrong by {abs(product.numpy() - a @ b).max():.1e}")

x, layer = rng.standard_normal((2, 4, 3)), keras.layers.SimpleRNN(5, dtype="float64")
y = layer(x)
W, U, bias = layer.get_weights()
h = np.zeros((2, 5))
for t in range(4):
    h = np.tanh(x[:, t] @ W + h @ U + bias)
error = abs(y.detach().numpy() - h).max()
print(f"SimpleRNN(dtype='float64') returns {y.dtype} from weights of {W.dtype}, wrong by {error:.1e}")
assert error > 1e-9
