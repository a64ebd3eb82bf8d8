"""Keras 3.15.1 on JAX 0.10.2: keras.layers through stateless_call, compiled; jax.vjp is the backward.

KERAS_BACKEND is set here.
"""

from functools import cache

import jax.numpy as jnp

from ..jax import compiled
from . import layers
from .layers import declines as declines

keras = layers.chosen("jax")


@cache
def layer(spec):
    """A layer of this form, whose own weights are not used"""
    return layers.built(keras, spec, spec.input_size)


def run(spec, p, x, state, lengths):
    """One layer in all its directions."""

    def turned(v):
        return v if spec.batch_first else v.swapaxes(0, 1)

    own, weights = layer(spec), [w for q in p for w in layers.to_keras(jnp, spec, q)]
    start = None if state is None else [v for s in state for v in s]
    mask = None if lengths is None else jnp.arange(x.shape[spec.batch_first]) < lengths[:, None]
    fixed = [v.value for v in own.non_trainable_variables]
    (y, *last), _ = own.stateless_call(weights, fixed, turned(x), initial_state=start, mask=mask)
    n = len(spec.state_sizes)
    return turned(y), tuple(tuple(last[n * d : n * (d + 1)]) for d in range(len(p)))


def load(spec, weights):
    return compiled.Layer(run, spec, weights)


def about():
    """Versions."""
    return compiled.about("Keras", keras.__version__)
