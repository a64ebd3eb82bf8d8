"""Opacus' DPRNN, DPLSTM and DPGRU, its layers for training with differential privacy, without the privacy.

Run with opacus 1.6.0.
"""

import opacus
from opacus.layers import DPGRU, DPLSTM, DPRNN

from . import layer

KINDS = {"rnn": DPRNN, "lstm": DPLSTM, "gru": DPGRU}


def load(spec, weights):
    """The layer of a spec with these weights, named as torch.nn's."""
    m = KINDS[spec.cell](spec.input_size, spec.hidden_size, **layer.options(spec))
    m = layer.filled(m.to(getattr(layer.torch, spec.dtype)), weights)
    made = layer.TorchLayer(spec, m)
    named = dict(m.named_parameters(remove_duplicate=False))  # each under its cell's name and under torch.nn's
    made.weights = {name: named[name] for name in weights}
    return made


def declines(spec):
    """A reason, or None."""
    return "Opacus' LSTM has no projection" if spec.proj_size else layer.declines(spec)


def about():
    """Version and threads."""
    return f"Opacus {opacus.__version__}, {layer.about()}"
