"""torch.compile of torch.nn.RNN, LSTM and GRU, with torch._dynamo.config.allow_rnn, without which it leaves them as they are.

Compiled are the whole graph, forward and backward, by Inductor for the CPU, which needs a C++ compiler: seconds a case.
Run with torch 2.13.0.
"""

import torch

from . import layer
from .layer import about as about
from .layer import declines as declines

torch._dynamo.config.allow_rnn = True


class Layer(layer.TorchLayer):
    """As torch.nn's, compiled at the first call of each form."""

    def __init__(self, spec, weights):
        m = layer.module(spec, weights)
        super().__init__(spec, m, compiles=True)
        self.weights, self.module = dict(m.named_parameters()), torch.compile(m)


load = Layer
