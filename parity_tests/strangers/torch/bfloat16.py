"""torch.nn.RNN, LSTM and GRU in bfloat16 where float32 is asked for, and judged by what that allows.

Run with torch 2.13.0.
"""

import torch

from . import layer
from .layer import about as about

computes = {"float32": "bfloat16"}


class Layer(layer.TorchLayer):
    """As torch.nn's in float32, but that everything inside is bfloat16."""

    def __init__(self, spec, weights):
        super().__init__(spec, layer.module(spec, weights).to(torch.bfloat16))
        self.dtype = torch.bfloat16  # what put() makes of an array; get() makes float32 of it


load = Layer


def declines(spec):
    """A reason, or None."""
    return "this adapter computes in bfloat16" if spec.dtype == "float64" else layer.declines(spec)
