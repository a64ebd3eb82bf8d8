"""Flax 0.12.8, linen, with OptimizedLSTMCell: one product for all gates.  All else as in flax_linen.py."""

import flax.linen as nn

from . import compiled, flax_linen
from .flax_linen import about as about


def load(spec, weights):
    return compiled.Layer(run, spec, weights)


def run(*given):
    return flax_linen.run(*given, lstm=nn.OptimizedLSTMCell)


def declines(spec):
    """A reason, or None."""
    if spec.cell != "lstm":
        return "the same as flax_linen"
    return flax_linen.declines(spec)
