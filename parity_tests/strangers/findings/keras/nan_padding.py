"""Keras 3.15.1: a NaN under the mask makes the gradients of recurrent layers NaN, though masked steps are to be ignored.

What: keras.layers.LSTM (GRU, SimpleRNN) says of ``mask`` that a False entry "indicates that the corresponding timestep should be
ignored".  Outputs and states ignore it, gradients do not: the cell is run over the masked steps, and in the backward zero
is multiplied by the slope at NaN.  It is so with each backend: PyTorch, JAX and TensorFlow, as far as they are installed.

Witness: the same call with zeros under the mask, whose loss is equal, and central differences of that loss.

Upstream: no thread was found in a search of Keras' issues; tensorflow #6209 is the same of a loop in TensorFlow 1.

Their tests: gru_test.py, lstm_test.py and simple_rnn_test.py in keras/src/layers/rnn compare outputs under a mask with fixed
numbers, for finite sequences. No test file in that folder holds a NaN or compares a gradient.
"""

import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np

BACKENDS = [name for name in ("torch", "jax", "tensorflow") if find_spec(name)]
if len(sys.argv) == 1:  # a process takes one backend
    ended = [subprocess.run([sys.executable, __file__, name], env=os.environ | {"KERAS_BACKEND": name}) for name in BACKENDS]
    assert not any(process.returncode for process in ended)
    sys.exit()

import keras  # noqa: E402

keras.utils.set_random_seed(0)
x, mask = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32"), np.array([[1, 1, 1, 1], [1, 1, 0, 0]], bool)
padded, zeroed = x.copy(), x.copy()
padded[1, 2:], zeroed[1, 2:] = np.nan, 0
layer = keras.layers.LSTM(5)
layer.build(x.shape)
kernel, *others = (keras.ops.convert_to_numpy(v.value) for v in layer.trainable_variables)


def loss(x, w):
    values = [w, *map(keras.ops.array, others)]
    y, _ = layer.stateless_call(values, [v.value for v in layer.non_trainable_variables], x, mask=keras.ops.array(mask))
    return keras.ops.sum(y**2)


def gradient(x):
    """Of the loss in the first weight"""
    x, w = keras.ops.array(x), keras.ops.array(kernel)
    if keras.backend.backend() == "torch":
        import torch

        return torch.autograd.grad(loss(x, w.requires_grad_()), w)[0].numpy()
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(loss, 1)(x, w))
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(w)
        value = loss(x, w)
    return tape.gradient(value, w).numpy()


def value(x, step=0.0):
    """The loss with one weight moved"""
    w = kernel.copy()
    w[0, 0] += step
    return float(loss(keras.ops.array(x), keras.ops.array(w)))


difference = (value(padded, 1e-2) - value(padded, -1e-2)) / 2e-2
of_nan, of_zero = gradient(padded), gradient(zeroed)
print(f"{keras.backend.backend()}: loss: NaN under the mask {value(padded):.6f}, zeros {value(zeroed):.6f}")
print(f"  gradient of one weight: NaN {of_nan[0, 0]:.4f}, zeros {of_zero[0, 0]:.4f}, central differences {difference:.4f}")
assert value(padded) == value(zeroed)
assert abs(difference - of_zero[0, 0]) < 1e-3 < abs(difference)
assert np.isnan(of_nan).all()
