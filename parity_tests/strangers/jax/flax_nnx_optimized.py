"""Flax 0.12.8, nnx, with OptimizedLSTMCell: one product for all gates.  All else as in flax_nnx.py."""

from flax import nnx

from . import compiled, flax_nnx
from .flax_nnx import about as about


def load(spec, weights):
    return compiled.Layer(run, spec, weights)


def run(*given):
    return flax_nnx.run(*given, lstm=nnx.OptimizedLSTMCell)


def declines(spec):
    """A reason, or None."""
    if spec.cell != "lstm":
        return "the same as flax_nnx"
    return flax_nnx.declines(spec)
