"""What the three backends of Keras share: SimpleRNN, LSTM and GRU, in keras.layers.Bidirectional where there are two directions.

Lengths are given as ``mask``, and y past an end is zero because ``zero_output_for_mask`` is asked for.  Composed by hand: y of a
layer is x of the next, and axes are exchanged, as Keras is batch first.
"""

import os
from importlib import import_module

import numpy as np


def chosen(backend):
    """The package with this backend, which it takes from the environment when it is imported, and then keeps."""
    os.environ["KERAS_BACKEND"] = backend
    keras = import_module("keras")
    if keras.backend.backend() != backend:
        raise ImportError(f"Keras is loaded already, with the backend {keras.backend.backend()}")
    return keras


def built(keras, spec, width):
    """One layer in all its directions, over an input of this width"""
    options = {"use_bias": spec.bias, "return_sequences": True, "return_state": True, "dtype": spec.dtype}
    if spec.cell == "rnn":
        layer = keras.layers.SimpleRNN(spec.hidden_size, activation=spec.nonlinearity, zero_output_for_mask=True, **options)
    elif spec.cell == "lstm":
        layer = keras.layers.LSTM(spec.hidden_size, zero_output_for_mask=True, **options)
    else:
        layer = keras.layers.GRU(spec.hidden_size, reset_after=spec.reset_after, zero_output_for_mask=True, **options)
    layer = keras.layers.Bidirectional(layer, dtype=spec.dtype) if spec.bidirectional else layer
    layer.build((None, None, width))
    return layer


def by_gate(xp, spec, v):
    """torch's order of gates  ->  Keras' and back: r z n and z r n, along the last axis"""
    if spec.cell != "gru":
        return v
    one, other, n = xp.split(v, 3, -1)
    return xp.concatenate([other, one, n], -1)


def to_keras(xp, spec, p):
    """The weights of one layer and direction by torch's names  ->  Keras' list"""
    given = [by_gate(xp, spec, p[name].T) for name in ("weight_ih", "weight_hh")]
    if spec.bias:
        b_ih, b_hh = (by_gate(xp, spec, p[name]) for name in ("bias_ih", "bias_hh"))
        given.append(xp.stack([b_ih, b_hh]) if spec.cell == "gru" and spec.reset_after else b_ih + b_hh)
    return given


def from_keras(spec, gradients):
    """Keras' list of gradients  ->  by torch's names"""
    w_ih, w_hh, *b = (by_gate(np, spec, v) for v in gradients)
    named = {"weight_ih": w_ih.T, "weight_hh": w_hh.T}
    if b:
        b_ih, b_hh = b[0] if b[0].ndim == 2 else (b[0], b[0])
        named |= {"bias_ih": b_ih.copy(), "bias_hh": b_hh.copy()}
    return named


class Stack:
    """Keras' layers with a spec's weights; what a backend with variables of its own needs."""

    def __init__(self, keras, spec, weights):
        self.spec, self.layers, self.ends = spec, [], []
        for k in range(spec.num_layers):
            ends = [f"_l{k}{d}" for d in ("", "_reverse")[: 1 + spec.bidirectional]]
            layer = built(keras, spec, weights[f"weight_ih_l{k}"].shape[1])
            own = ({name.removesuffix(end): w for name, w in weights.items() if name.endswith(end)} for end in ends)
            layer.set_weights([w for p in own for w in to_keras(np, spec, p)])
            self.layers.append(layer)
            self.ends += ends

    @property
    def variables(self):
        """The backend's own, in the order of their gradients"""
        return [v.value for layer in self.layers for v in layer.trainable_variables]

    def run(self, x, state, mask):
        """x (B, T, I) and states as the backend's tensors  ->  y, [h of each layer and direction], or two such lists"""
        D, n, finals = 1 + self.spec.bidirectional, len(self.spec.state_sizes), []
        for k, layer in enumerate(self.layers):
            start = None if state is None else [v[D * k + d] for d in range(D) for v in state]
            x, *final = layer(x, initial_state=start, mask=mask)
            finals += final
        return x, [finals[i::n] for i in range(n)]

    def named(self, gradients):
        """Gradients of the variables  ->  by torch's names"""
        each = len(gradients) // len(self.ends)
        parts = (from_keras(self.spec, gradients[each * i : each * (i + 1)]) for i in range(len(self.ends)))
        return {name + end: g for end, part in zip(self.ends, parts, strict=True) for name, g in part.items()}


def turned(spec, v):
    """(T, B, ·) and (B, T, ·), as an array of its own"""
    return np.array(v if spec.batch_first else np.swapaxes(v, 0, 1), order="C")


def mask(lengths, T):
    """(B, T) boolean, None if all"""
    return None if lengths is None else np.arange(T) < np.array(lengths)[:, None]


def declines(spec):
    """A reason, or None."""
    if spec.device != "cpu":
        return "this adapter runs Keras on the CPU"
    if spec.dropout:
        return "no dropout between layers: Keras drops what goes into each"
    return "Keras' LSTM has no projection" if spec.proj_size else None
