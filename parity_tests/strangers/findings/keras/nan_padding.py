"""Keras 3.15.1: a NaN under the mask makes the gradients of recurrent layers NaN, though masked steps are to be ignored.

What: keras.layers.LSTM (GRU, SimpleRNN) says of ``mask`` that a False entry "indicates that the corresponding timestep should be
ignored".  Outputs and states ignore it, gradients do not: the cell is run over the masked steps, and in the backward zero
is multiplied by the slope at NaN.  Measured here with the PyTorch backend; the JAX and TensorFlow backends do the same.

Witness: the same call with zeros under the mask, whose loss is equal, and central differences of that loss.

Upstream: no thread was found in a search of Keras' issues; tensorflow #6209 is the same of a loop in TensorFlow 1.

Their tests: gru_test.py, lstm_test.py and simple_rnn_test.py in keras/src/layers/rnn compare outputs under a mask with fixed
numbers, for finite sequences. No test file in that folder holds a NaN or compares a gradient.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import torch

x, mask = np.random.default_rng(0).standard_normal((2, 4, 3)), np.array([[1, 1, 1, 1], [1, 1, 0, 0]], bool)
padded, zeroed = x.copy(), x.copy()
padded[1, 2:], zeroed[1, 2:] = np.nan, 0
layer = keras.layers.LSTM(5, dtype="float64")
layer.build(x.shape)
kernel = layer.trainable_variables[0].value


def loss(x):
    return (layer(torch.tensor(x), mask=torch.tensor(mask)) ** 2).sum()


def moved(step):
    with torch.no_grad():
        kernel[0, 0] += step
        value = float(loss(padded))
        kernel[0, 0] -= step
    return value


difference = (moved(1e-2) - moved(-1e-2)) / 2e-2  # Keras' products are of float32, hence so wide
of_nan, of_zero = (torch.autograd.grad(loss(v), kernel)[0] for v in (padded, zeroed))
print(f"loss: NaN under the mask {loss(padded).item():.6f}, zeros {loss(zeroed).item():.6f}")
print(f"gradient of one weight: NaN {of_nan[0, 0]:.5f}, zeros {of_zero[0, 0]:.5f}, central differences {difference:.5f}")
assert abs(difference - of_zero[0, 0]) < 1e-3
assert of_nan.isnan().all()
