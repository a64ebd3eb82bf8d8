"""Equinox 0.13.8: nn.LSTMCell and nn.GRUCell under jax.vmap, for the batch, and jax.lax.scan, as its documentation uses them.

Composed by hand, as Equinox has cells alone: layers, directions, and the state held past a sequence's end.
"""

from importlib.metadata import version

import equinox as eqx
import jax

from . import compiled

BIASES = {"lstm": ("bias",), "gru": ("bias", "bias_n")}


def cell(spec, p):
    """The cell with its weights"""
    make = {"lstm": eqx.nn.LSTMCell, "gru": eqx.nn.GRUCell}[spec.cell]
    options = {"use_bias": spec.bias, "dtype": spec.dtype, "key": jax.random.key(0)}
    empty = eqx.filter_eval_shape(make, spec.input_size, spec.hidden_size, **options)
    names, values = ("weight_ih", "weight_hh"), [p["weight_ih"], p["weight_hh"]]
    if spec.bias:
        names += BIASES[spec.cell]
        b_ih, b_hh, rz = p["bias_ih"], p["bias_hh"], 2 * spec.hidden_size
        values += [b_ih + b_hh] if spec.cell == "lstm" else [b_ih.at[:rz].add(b_hh[:rz]), b_hh[rz:]]
    return eqx.tree_at(lambda c: [getattr(c, name) for name in names], empty, values)


def step(spec, p, x, s):
    """One step of one direction"""
    state = jax.vmap(cell(spec, p))(x, s if spec.cell == "lstm" else s[0])
    return state if spec.cell == "lstm" else (state,)


run = compiled.by_cell(jax.lax.scan, step)


def load(spec, weights):
    return compiled.Layer(run, spec, weights)


def declines(spec):
    """A reason, or None."""
    if spec.cell == "rnn":
        return "Equinox has no plain RNN"
    if not spec.reset_after:
        return "Equinox's GRUCell resets after the product"
    return compiled.declines(spec)


def about():
    """Versions."""
    return compiled.about("Equinox", version("equinox"))
