"""brainstate 0.5.4: nn.ValinaRNNCell, nn.LSTMCell and nn.GRUCell under jax.lax.scan.

Composed by hand, as brainstate has cells alone: layers, directions, and the state held past an end.  Its gates are i g f o,
with 1 added to f, and r z, where z is the share of the new state: 1 - z of torch.  It always has a bias, zero here where the
spec has none.
"""

import brainstate
import jax
import jax.numpy as jnp

from . import compiled

CELLS = {"rnn": brainstate.nn.ValinaRNNCell, "lstm": brainstate.nn.LSTMCell, "gru": brainstate.nn.GRUCell}


def linears(spec, p):
    """For each Linear of the cell the weight over x and h, and its bias"""
    whole, b = jnp.concatenate([p["weight_ih"], p["weight_hh"]], 1), sum(compiled.biases(spec, p))
    if spec.cell == "rnn":
        return {"W": (whole, b)}
    if spec.cell == "lstm":
        i, f, g, o = zip(jnp.split(whole, 4), jnp.split(b, 4), strict=True)
        return {"W": tuple(map(jnp.concatenate, zip(i, g, (f[0], f[1] - 1), o, strict=True)))}
    r, z, n = zip(jnp.split(whole, 3), jnp.split(b, 3), strict=True)
    return {"Wrz": (jnp.concatenate([r[0], -z[0]]), jnp.concatenate([r[1], -z[1]])), "Wh": n}  # σ(-z) = 1 - σ(z)


def step(spec, p, x, s):
    """One step of one direction"""
    zeros = brainstate.nn.init.ZeroInit()  # no random numbers, which brainstate refuses under jax.jit
    own = CELLS[spec.cell](spec.input_size, spec.hidden_size, w_init=zeros, activation=spec.nonlinearity)
    for name, (weight, bias) in linears(spec, p).items():
        getattr(own, name).weight.value = {"weight": weight.T, "bias": bias}
    own.init_state(len(x))
    names = "hc"[: len(s)]
    for name, v in zip(names, s, strict=True):
        getattr(own, name).value = v
    own.update(x)
    return tuple(getattr(own, name).value for name in names)


run = compiled.by_cell(jax.lax.scan, step)


def load(spec, weights):
    return compiled.Layer(run, spec, weights)


def declines(spec):
    """A reason, or None."""
    if spec.cell == "gru" and spec.reset_after:
        return "brainstate's GRUCell resets before the product"
    return compiled.declines(spec)


def about():
    """Versions."""
    return compiled.about("brainstate", brainstate.__version__)
