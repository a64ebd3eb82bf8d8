"""OpenVINO on the CPU, forward only, told to compute in float32: by itself it takes bfloat16 where the processor has it.

The model is one for any T and B; openvino_static.py has one for each.  Run with openvino 2026.4.1.
"""

import os
from functools import cache

import numpy as np
import openvino

from .graph import build, fed

CORE = openvino.Core()
THREADS = int(os.environ.get("BPTT_STRANGER_THREADS", "1"))
OPTIONS = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": str(THREADS)}


class Layer:
    """A stack of layers, for inference."""

    def __init__(self, spec, weights):
        self.model = cache(lambda *given: start(build(spec, weights, *given)))

    def forward(self, x, state, lengths=None):
        results = self.model(state is not None, lengths is not None)(fed(x, state, lengths))
        y, *state_n = (np.array(results[k]) for k in range(len(results)))
        return y, tuple(state_n)


def start(model):
    """A program that runs a model."""
    return CORE.compile_model(CORE.read_model(model.SerializeToString()), "CPU", OPTIONS)


load = Layer


def declines(spec):
    """A reason, or None."""
    if spec.device != "cpu":
        return "this adapter runs OpenVINO's CPU plugin"
    if spec.dtype != "float32":
        return "OpenVINO's CPU plugin computes in float32 and less"
    if spec.proj_size:
        return "ONNX's LSTM has no projection"
    return "ONNX's operators have no dropout between layers" if spec.dropout else None


def about():
    """Version and threads."""
    return f"OpenVINO {openvino.__version__}, {THREADS} thread{'s' * (THREADS > 1)}"
