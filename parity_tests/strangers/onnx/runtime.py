"""ONNX Runtime on the CPU, forward only.

What is declined was tried with onnxruntime 1.32.  float64: "LSTM operator does not support double yet", likewise GRU,
and for RNN "Could not find an implementation".  proj_size: the operator has no input for a projection, and a W_hh of
that width is refused with "Input R must have shape ...".
"""

import os
from functools import cache

import onnxruntime

from .graph import build, fed

# Waiting threads spin: no faster on small models, twice the CPU time.  Who times large ones says how many.
THREADS = int(os.environ.get("BPTT_STRANGER_THREADS", "1"))


class Layer:
    """A stack of layers, for inference."""

    def __init__(self, spec, weights):
        self.session = cache(lambda *given: start(build(spec, weights, *given)))

    def forward(self, x, state, lengths=None):
        y, *state_n = self.session(state is not None, lengths is not None).run(None, fed(x, state, lengths))
        return y, tuple(state_n)


def start(model):
    """A session that runs a model."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


load = Layer


def declines(spec):
    """A reason, or None."""
    if spec.device != "cpu":
        return "this adapter runs ONNX Runtime's CPU kernels"
    if spec.dtype != "float32":
        return "ONNX Runtime computes RNN, LSTM and GRU in float32 only"
    if spec.proj_size:
        return "ONNX's LSTM has no projection"
    return None


def about():
    """Version and threads."""
    return f"ONNX Runtime {onnxruntime.__version__}, {THREADS} thread{'s' * (THREADS > 1)}"
