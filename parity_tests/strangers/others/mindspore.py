"""MindSpore's nn.RNN, LSTM and GRU on the CPU in PyNative mode, with its own seq_length; mindspore.grad is the backward.

Run with mindspore 2.10.0.  MindSpore does not promise that it ignores what stands past a sequence's end: x and dy are given to it
with zeros there, and its y gets them.
"""

import mindspore
import numpy as np
from mindspore import Tensor, nn

from .lengths import valid

mindspore.set_context(mode=mindspore.PYNATIVE_MODE, device_target="CPU")


def tensor(v):
    """ndarray  ->  MindSpore's, a copy"""
    return Tensor(np.array(v, order="C"))


class Layer:
    """One of MindSpore's layers; ``backward`` is that of the last ``forward``."""

    def __init__(self, spec, weights):
        self.spec = spec
        options = {"has_bias" if name == "bias" else name: getattr(spec, name) for name in NAMES}
        options |= {"nonlinearity": spec.nonlinearity} if spec.cell == "rnn" else {}
        kind = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[spec.cell]
        self.module = kind(spec.input_size, spec.hidden_size, dtype=getattr(mindspore, spec.dtype), **options)
        named = {p.name.removeprefix("rnn."): p for p in self.module.trainable_params()}
        self.weights = {name: named[name] for name in weights}  # torch's names, shapes and order of gates
        for name, w in weights.items():
            self.weights[name].set_data(tensor(w))

    def run(self, x, *state):
        h, *c = state or [None]
        y, state_n = self.module(x, (h, *c) if c else h, self.ends)
        return y, *(state_n if self.spec.cell == "lstm" else (state_n,))

    def forward(self, x, state, lengths=None):
        self.valid = valid(self.spec, x, lengths)
        self.ends = None if lengths is None else tensor(np.asarray(lengths, np.int32))
        self.inputs = [tensor(v) for v in (np.where(self.valid, x, 0), *(state or ()))]
        y, *state_n = (v.asnumpy().copy() for v in self.run(*self.inputs))
        return np.where(self.valid, y, 0), tuple(state_n)

    def backward(self, dy, dstate):
        given = [tensor(v) for v in (np.where(self.valid, dy, 0), *dstate)]

        def loss(*inputs):
            return sum((v * d).sum() for v, d in zip(self.run(*inputs), given, strict=True))

        wanted = tuple(range(len(self.inputs)))
        dinputs, dweights = mindspore.grad(loss, wanted, list(self.weights.values()))(*self.inputs)
        dinputs = dinputs if isinstance(dinputs, tuple) else (dinputs,)
        dx, *dstate_0 = (v.asnumpy().copy() for v in dinputs)
        return dx, tuple(dstate_0) or None, {k: v.asnumpy().copy() for k, v in zip(self.weights, dweights, strict=True)}


NAMES = ("num_layers", "bias", "batch_first", "bidirectional")
load = Layer


def declines(spec):
    """A reason, or None."""
    if spec.device != "cpu":
        return "this adapter runs MindSpore on the CPU"
    if spec.dtype != "float32":
        return "MindSpore's layers take Float32 and Float16 only"
    if spec.proj_size:
        return "MindSpore's LSTM has no projection"
    if not spec.reset_after:
        return "MindSpore's GRU resets after the product only"
    return "this adapter has no dropout" if spec.dropout else None


def about():
    """Version."""
    return f"MindSpore {mindspore.__version__} on the CPU"
