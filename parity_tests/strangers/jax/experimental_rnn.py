"""jax.experimental.rnn of JAX 0.10.2: lstm_ref, the reference in plain JAX of its cuDNN LSTM, and unpack_lstm_weights.

The stack is all theirs: layers, directions and lengths.  It always has two biases, zero here where the spec has none, and is
batch first, turned by hand where the spec is not.  What stands in x past an end is zeroed by hand: nothing is promised of it.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import rnn

from . import compiled


def packed(spec, weights):
    """All weights in one row as cuDNN wants them: W_ih and W_hh of each layer and direction, then b_ih and b_hh of each"""
    ends = [f"_l{k}{d}" for k in range(spec.num_layers) for d in ("", "_reverse")[: 1 + spec.bidirectional]]
    layers = [{name: weights[name + end] for name in ("weight_ih", "weight_hh")} for end in ends]
    if spec.bias:
        layers += [{name: weights[name + end] for name in ("bias_ih", "bias_hh")} for end in ends]
    row = jnp.concatenate([v.ravel() for layer in layers for v in layer.values()])
    zeros = 0 if spec.bias else 8 * spec.hidden_size * len(ends)
    return jnp.pad(row, (0, zeros))


def run(spec, weights, x, state, lengths):
    """The whole stack"""
    sizes = (spec.input_size, spec.hidden_size, spec.num_layers)
    W_ih, W_hh, b_ih, b_hh = rnn.unpack_lstm_weights(packed(spec, weights), *sizes, spec.bidirectional)
    x = compiled.inside(x, compiled.valid(spec, x, lengths))
    x = x if spec.batch_first else x.swapaxes(0, 1)
    y, *state_n = rnn.lstm_ref(x, *state, W_ih, W_hh, b_ih, b_hh, lengths, *sizes, 0.0, spec.bidirectional)
    return y if spec.batch_first else y.swapaxes(0, 1), tuple(state_n)


class Layer:
    """A stack of layers; ``backward`` is the pullback of the last ``forward``."""

    def __init__(self, spec, weights):
        self.spec, self.weights = spec, {name: jnp.array(v) for name, v in weights.items()}
        self.recorded, self.pulled = compiled.programs(run, compiled.form(spec))

    def forward(self, x, state, lengths=None):
        B, T = x.shape[:2] if self.spec.batch_first else x.shape[1::-1]
        zeros = np.zeros((self.spec.num_layers * (1 + self.spec.bidirectional), B, self.spec.hidden_size), x.dtype)
        state = (zeros, zeros) if state is None else tuple(state)
        lengths = np.array(np.full(B, T) if lengths is None else lengths, np.int32)  # the only type that it takes
        results, self.pullback = self.recorded(self.weights, *compiled.own((x, state, lengths)))
        return results

    def backward(self, dy, dstate):
        dweights, dx, dstate_0 = self.pulled(self.pullback, compiled.own((dy, tuple(dstate))))
        return dx, dstate_0, dweights


load = Layer


def declines(spec):
    """A reason, or None."""
    if spec.cell != "lstm":
        return "jax.experimental.rnn has LSTM only"
    return compiled.declines(spec)


def about():
    """Version."""
    return compiled.about("jax.experimental.rnn.lstm_ref of JAX", jax.__version__)
