"""ONNX's own reference implementation of its operators in NumPy, forward only.  Run with onnx 1.23.2."""

from functools import cache

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from .graph import build, fed


class Layer:
    """A stack of layers, for inference."""

    def __init__(self, spec, weights):
        self.evaluator = cache(lambda *given: ReferenceEvaluator(build(spec, weights, *given)))

    def forward(self, x, state, lengths=None):
        y, *state_n = self.evaluator(state is not None, lengths is not None).run(None, fed(x, state, lengths))
        return np.array(y), tuple(np.array(s) for s in state_n)  # it may return views of what it was given


load = Layer


def declines(spec):
    """A reason, or None."""
    if spec.device != "cpu":
        return "NumPy computes on the CPU"
    if spec.nonlinearity == "relu":
        return "ReferenceEvaluator's RNN knows the activations Tanh and Affine only"
    if spec.proj_size:
        return "ONNX's LSTM has no projection"
    return "ONNX's operators have no dropout between layers" if spec.dropout else None


def about():
    """Version."""
    return f"onnx {onnx.__version__}, ReferenceEvaluator"
