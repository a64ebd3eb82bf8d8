"""As openvino.py, with models whose T and B are said: OpenVINO then takes other programs, and compiles for each T and B."""

from functools import cache

from . import openvino
from .graph import build
from .openvino import about as about
from .openvino import declines as declines


class Layer(openvino.Layer):
    """A stack of layers, for inference."""

    def __init__(self, spec, weights):
        self.spec, self.models = spec, cache(lambda *given: openvino.start(build(spec, weights, *given)))

    def forward(self, x, state, lengths=None):
        B, T = x.shape[:2] if self.spec.batch_first else x.shape[1::-1]
        self.model = lambda *given: self.models(*given, T, B)
        return super().forward(x, state, lengths)


load = Layer
