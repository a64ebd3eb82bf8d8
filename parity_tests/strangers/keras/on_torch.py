"""Keras 3.15.1 on PyTorch 2.13.0: keras.layers, called as they are; torch.autograd is the backward.  KERAS_BACKEND is set here."""

import torch

from . import layers
from .layers import declines as declines

keras = layers.chosen("torch")


class Layer:
    """A stack of layers; ``backward`` is that of the last ``forward``."""

    def __init__(self, spec, weights):
        self.spec, self.stack = spec, layers.Stack(keras, spec, weights)

    def forward(self, x, state, lengths=None):
        x = layers.turned(self.spec, x)
        mask = layers.mask(lengths, x.shape[1])
        self.inputs = [torch.tensor(v.copy(), requires_grad=True) for v in (x, *(state or ()))]
        x, *start = self.inputs
        y, finals = self.stack.run(x, start or None, None if mask is None else torch.tensor(mask))
        self.outputs = [y, *map(torch.stack, finals)]
        y, *state_n = (v.detach().numpy() for v in self.outputs)
        return layers.turned(self.spec, y), tuple(state_n)

    def backward(self, dy, dstate):
        d = [torch.tensor(v) for v in (layers.turned(self.spec, dy), *(v.copy() for v in dstate))]
        n = len(self.inputs)
        gradients = torch.autograd.grad(self.outputs, [*self.inputs, *self.stack.variables], d)
        dx, *rest = (g.numpy() for g in gradients)
        return layers.turned(self.spec, dx), tuple(rest[: n - 1]) or None, self.stack.named(rest[n - 1 :])


load = Layer


def about():
    """Versions."""
    return f"Keras {keras.__version__} on PyTorch {torch.__version__}, {torch.get_num_threads()} threads"
