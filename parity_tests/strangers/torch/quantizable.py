"""torch.ao.nn.quantizable.LSTM, from torch.nn.LSTM by its own from_float, before anything is quantised: a loop over a cell.

Run with torch 2.13.0.
"""

import torch
from torch.ao.nn import quantizable

from . import layer
from .layer import about as about


class Layer(layer.TorchLayer):
    """As torch.nn's, with parameters named otherwise."""

    def __init__(self, spec, weights):
        m = layer.module(spec, weights)
        m.qconfig = None
        super().__init__(spec, quantizable.LSTM.from_float(m).to(getattr(torch, spec.dtype)))
        named, self.weights = self.weights, {}
        for name in weights:
            kind, which, end = name.split("_", 2)
            direction = "bw" if end.endswith("_reverse") else "fw"
            gates = {"ih": "igates", "hh": "hgates"}[which]
            number = end.removesuffix("_reverse")[1:]
            self.weights[name] = named[f"layers.{number}.layer_{direction}.cell.{gates}.{kind}"]


load = Layer


def declines(spec):
    """A reason, or None."""
    if spec.cell != "lstm":
        return "torch.ao.nn.quantizable has an LSTM only"
    if spec.proj_size:
        return "it has no projection"
    return "it takes no packed sequences" if spec.packed else layer.declines(spec)
