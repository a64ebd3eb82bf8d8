"""torch.ao.quantization.quantize_dynamic of torch.nn.LSTM and GRU: weights in 8 bits, inputs too at each call; forward only.

No precision of ``computes`` is that of 8 bits: it is judged as float32, and wrong by what its rounding costs.
Run with torch 2.13.0.
"""

import warnings

import torch

from . import layer
from .layer import about as about


class Layer:
    """torch's own quantised layer, for inference."""

    def __init__(self, spec, weights):
        with warnings.catch_warnings(action="ignore"):  # torch.ao is deprecated
            m = torch.nn.Sequential(layer.module(spec, weights))
            (m,) = torch.ao.quantization.quantize_dynamic(m, {type(m[0])}).eval()
        self.inner = layer.TorchLayer(spec, m)
        self.put, self.get = self.inner.put, self.inner.get

    def forward(self, x, state, lengths=None):
        return self.inner.infer(x, state, lengths)


load = Layer


def declines(spec):
    """A reason, or None."""
    if spec.cell == "rnn":
        return "quantize_dynamic takes LSTM and GRU only"
    if spec.dtype != "float32":
        return "quantised layers take float32 only"
    if not spec.bias:
        return "quantised layers have biases"
    if spec.proj_size:
        return "quantised LSTM has no projection"
    return "for inference only" if spec.dropout else layer.declines(spec)
