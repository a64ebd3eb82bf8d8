"""Keras 3.15.1 on JAX: with float64 switched on in JAX, LSTM and GRU of float64 compute in float32; SimpleRNN raises.

What: with jax_enable_x64, layers of dtype "float64" have weights and a compute_dtype of float64.  But keras.ops.tanh of a float64
array is float32: its dtype comes from keras.backend.result_type, which makes float64 float32 on every backend but TensorFlow's.
So LSTM and GRU answer in float64 and are off by about 1e-7, without a word, and SimpleRNN raises "TypeError: scan body function
carry input and carry output must have equal types".

Witness: an LSTM in NumPy's float64; and the same Keras layer with jax.numpy.tanh as its activation, which agrees with it to 1e-15.

Upstream: keras-team/keras #23704, open, of the same dtypes on torch.

Their tests: keras/src/backend/common/dtypes_test.py tests float64 in test_result_type_with_float64, on TensorFlow only; no test
in keras/src/layers/rnn asks for float64.
"""

import os

os.environ |= {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}

import jax
import keras
import numpy as np

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(0)
x = rng.standard_normal((2, 4, 3))
W, U, b = weights = [rng.standard_normal(shape) for shape in ((3, 20), (5, 20), (20,))]


def keras_lstm(activation):
    layer = keras.layers.LSTM(5, activation=activation, dtype="float64", return_sequences=True)
    layer.build(x.shape)
    layer.set_weights(weights)
    return layer(x)


def lstm():
    h, c, y = np.zeros((2, 5)), np.zeros((2, 5)), []
    for t in range(4):
        i, f, g, o = np.split(x[:, t] @ W + h @ U + b, 4, -1)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
        y.append(h)
    return np.stack(y, 1)


raised = None
try:
    keras.layers.SimpleRNN(5, dtype="float64")(x)
except TypeError as error:
    raised = error
y = keras_lstm("tanh")
wrong, right = (np.abs(v - lstm()).max() for v in (y, keras_lstm(jax.numpy.tanh)))
zeros = keras.ops.zeros(2, "float64")
print(f"Keras {keras.__version__} on JAX {jax.__version__}, jax_enable_x64")
print(f"  keras.ops.tanh of {zeros.dtype}: {keras.ops.tanh(zeros).dtype}")
print(f"  LSTM: output {y.dtype}, off by {wrong:.1e}; with jax.numpy.tanh by {right:.1e}")
print(f"  SimpleRNN: {'no error' if raised is None else type(raised).__name__ + ' in scan' * ('scan body' in str(raised))}")
assert right < 1e-14
assert wrong > 1e-9
assert raised is not None
