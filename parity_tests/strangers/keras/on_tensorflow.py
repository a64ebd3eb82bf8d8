"""Keras 3.15.1 on TensorFlow 2.21.0: keras.layers, called eagerly; GradientTape is the backward.  KERAS_BACKEND is set here."""

import tensorflow as tf

from . import layers
from .layers import declines as declines

keras = layers.chosen("tensorflow")


class Layer:
    """A stack of layers; ``backward`` is that of the last ``forward``."""

    def __init__(self, spec, weights):
        self.spec, self.stack = spec, layers.Stack(keras, spec, weights)

    def forward(self, x, state, lengths=None):
        x = layers.turned(self.spec, x)
        mask = layers.mask(lengths, x.shape[1])
        self.inputs = [tf.constant(v.copy()) for v in (x, *(state or ()))]
        with tf.GradientTape() as self.tape:
            self.tape.watch(self.inputs)
            x, *start = self.inputs
            y, finals = self.stack.run(x, start or None, None if mask is None else tf.constant(mask))
            self.outputs = [y, *map(tf.stack, finals)]
        y, *state_n = (v.numpy() for v in self.outputs)
        return layers.turned(self.spec, y), tuple(state_n)

    def backward(self, dy, dstate):
        d = [tf.constant(v) for v in (layers.turned(self.spec, dy), *(v.copy() for v in dstate))]
        n, sources = len(self.inputs), [*self.inputs, *self.stack.variables]
        dx, *rest = (g.numpy() for g in self.tape.gradient(self.outputs, sources, d))
        return layers.turned(self.spec, dx), tuple(rest[: n - 1]) or None, self.stack.named(rest[n - 1 :])


load = Layer


def about():
    """Versions."""
    return f"Keras {keras.__version__} on TensorFlow {tf.__version__}"
