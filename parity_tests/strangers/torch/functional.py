"""torch.func: vjp over functional_call of torch.nn.RNN, LSTM and GRU, instead of torch.autograd.

Run with torch 2.13.0.
"""

import torch

from . import layer
from .layer import about as about
from .layer import declines as declines


class Layer(layer.TorchLayer):
    """As torch.nn's; ``backward`` is the pullback of the last ``forward``."""

    def __init__(self, spec, weights):
        super().__init__(spec, layer.module(spec, weights))

    def run(self, x, state, lengths, masks):
        if not self.module.training:
            return super().run(x, state, lengths, masks)
        run = super().run

        def pure(weights, x, *state):  # torch.func.vjp takes no None
            named = {f"m.{name}": w for name, w in weights.items()}
            return torch.func.functional_call(Called(self.module, run), named, (x, state or None, lengths))

        (y, state_n), self.pullback = torch.func.vjp(pure, dict(self.module.named_parameters()), x, *(state or ()))
        return y, state_n

    def backward(self, dy, dstate):
        dweights, dx, *dstate_0 = self.pullback((dy, tuple(dstate)))
        return dx, tuple(dstate_0) or None, dweights


class Called(torch.nn.Module):
    """A call of a layer as a module, which is what functional_call takes."""

    def __init__(self, m, run):
        super().__init__()
        self.m, self.run = m, run

    def forward(self, x, state, lengths):
        return self.run(x, state, lengths, None)


load = Layer
