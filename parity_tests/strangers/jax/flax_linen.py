"""Flax 0.12.8, linen: nn.RNN over LSTMCell, GRUCell and SimpleCell, nn.Bidirectional over two of them.

Its cells always have a bias, zero here where the spec has none.  Composed by hand: the layers, and zeros in y past an end,
as ``seq_lengths`` promises to ignore what is there, but not to zero it.
"""

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp

from . import compiled


def cell(spec, lstm):
    """The cell, without its weights"""
    options = {"features": spec.hidden_size, "dtype": spec.dtype, "param_dtype": spec.dtype}
    if spec.cell == "rnn":
        return nn.SimpleCell(activation_fn={"tanh": jnp.tanh, "relu": jax.nn.relu}[spec.nonlinearity], **options)
    return {"lstm": lstm, "gru": nn.GRUCell}[spec.cell](**options)


def parameters(spec, p):
    """torch's names  ->  Flax's"""
    gates = {"rnn": [""], "lstm": list("ifgo"), "gru": list("rzn")}[spec.cell]
    b_ih, b_hh = (jnp.split(b, len(gates)) for b in compiled.biases(spec, p))
    own = {f"i{g}": {"kernel": w.T} for g, w in zip(gates, jnp.split(p["weight_ih"], len(gates)), strict=True)}
    own |= {f"h{g}": {"kernel": w.T} for g, w in zip(gates, jnp.split(p["weight_hh"], len(gates)), strict=True)}
    for g, b_i, b_h in zip(gates, b_ih, b_hh, strict=True):
        if g == "n":
            own["in"]["bias"], own["hn"]["bias"] = b_i, b_h
        else:
            own[("h" if spec.cell == "lstm" else "i") + g]["bias"] = b_i + b_h
    return own


def run(spec, p, x, state, lengths, lstm=nn.LSTMCell):
    """One layer in all its directions."""

    def turned(s):  # (h, c) and Flax's (c, h)
        return tuple(reversed(s)) if spec.cell == "lstm" else s[0]

    options = {"time_major": not spec.batch_first, "return_carry": True}
    rnns, inner = [nn.RNN(cell(spec, lstm), **options) for _ in p], [{"cell": parameters(spec, q)} for q in p]
    carry = None if state is None else [turned(s) for s in state]
    if spec.bidirectional:
        whole = nn.Bidirectional(*rnns, **options)
        named = {"forward_rnn": inner[0], "backward_rnn": inner[1]}
        last, y = whole.apply({"params": named}, x, initial_carry=carry, seq_lengths=lengths)
    else:
        last, y = rnns[0].apply({"params": inner[0]}, x, initial_carry=carry and carry[0], seq_lengths=lengths)
        last = [last]
    last = tuple(turned(s) if spec.cell == "lstm" else (s,) for s in last)
    return compiled.inside(y, compiled.valid(spec, x, lengths)), last


def load(spec, weights):
    return compiled.Layer(run, spec, weights)


def declines(spec):
    """A reason, or None."""
    if not spec.reset_after:
        return "Flax's GRUCell resets after the product"
    return compiled.declines(spec)


def about():
    """Versions."""
    return compiled.about("Flax linen", flax.__version__)
