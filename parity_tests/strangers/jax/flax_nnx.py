"""Flax 0.12.8, nnx: RNN over LSTMCell, GRUCell and SimpleCell, Bidirectional over two of them.

Its cells always have a bias, zero here where the spec has none.  GRUCell has no hidden bias of n: b_hn of its own
docstring's equation is not there.  Composed by hand: the layers, and zeros in x and y past an end, as nnx.RNN promises
nothing of what is there.
"""

import flax
import jax
import jax.numpy as jnp
from flax import nnx

from . import compiled


def cell(spec, p, lstm):
    """The cell with its weights"""
    H, options = spec.hidden_size, {"dtype": spec.dtype, "param_dtype": spec.dtype, "rngs": nnx.Rngs(0)}
    sizes, (b_ih, b_hh) = (spec.input_size, H), compiled.biases(spec, p)
    if spec.cell == "lstm" and lstm is nnx.LSTMCell:
        own = lstm(*sizes, **options)
        for g, w_ih, w_hh, b in zip("ifgo", *(jnp.split(v, 4) for v in (p["weight_ih"], p["weight_hh"], b_ih + b_hh)), strict=True):
            put(getattr(own, "if_" if g == "f" else f"i{g}"), w_ih)
            put(getattr(own, f"h{g}"), w_hh, b)
        return own
    if spec.cell == "rnn":
        own = nnx.SimpleCell(*sizes, activation_fn={"tanh": jnp.tanh, "relu": jax.nn.relu}[spec.nonlinearity], **options)
    else:
        own = {"lstm": lstm, "gru": nnx.GRUCell}[spec.cell](*sizes, **options)
    put(own.dense_i, p["weight_ih"], None if spec.cell == "lstm" else b_ih + b_hh)
    put(own.dense_h, p["weight_hh"], b_ih + b_hh if spec.cell == "lstm" else None)
    return own


def put(linear, weight, bias=None):
    """Put torch's weight into a Linear, and a bias into one that has any."""
    linear.kernel[...] = weight.T
    if bias is not None:
        linear.bias[...] = bias


def run(spec, p, x, state, lengths, lstm=nnx.LSTMCell):
    """One layer in all its directions."""

    def turned(s):  # (h, c) and Flax's (c, h)
        return tuple(reversed(s)) if spec.cell == "lstm" else s[0]

    options = {"time_major": not spec.batch_first, "return_carry": True}
    rnns = [nnx.RNN(cell(spec, q, lstm), **options) for q in p]
    there = compiled.valid(spec, x, lengths)
    x = compiled.inside(x, there)
    carry = None if state is None else tuple(turned(s) for s in state)
    if spec.bidirectional:
        last, y = nnx.Bidirectional(*rnns, **options)(x, initial_carry=carry, seq_lengths=lengths)
    else:
        last, y = rnns[0](x, initial_carry=carry and carry[0], seq_lengths=lengths)
        last = [last]
    last = tuple(turned(s) if spec.cell == "lstm" else (s,) for s in last)
    return compiled.inside(y, there), last


def load(spec, weights):
    return compiled.Layer(run, spec, weights)


def declines(spec):
    """A reason, or None."""
    if not spec.reset_after:
        return "Flax's GRUCell resets after the product"
    if spec.cell == "gru" and spec.bias:
        return "nnx.GRUCell has no hidden bias of n"
    return compiled.declines(spec)


def about():
    """Versions."""
    return compiled.about("Flax nnx", flax.__version__)
