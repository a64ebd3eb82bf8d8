"""torch.jit.script of torch.nn.RNN, LSTM and GRU: TorchScript compiles their forward, for tensors and for packed sequences.

Run with torch 2.13.0.
"""

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from . import layer
from .layer import about as about
from .layer import declines as declines


class DenseLSTM(torch.nn.Module):
    """One form of call, as TorchScript wants the types."""

    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        return self.m(x, state)


class PackedLSTM(DenseLSTM):
    def forward(self, x: PackedSequence, state: tuple[Tensor, Tensor] | None) -> tuple[PackedSequence, tuple[Tensor, Tensor]]:
        return self.m(x, state)


class Dense(DenseLSTM):
    def forward(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        return self.m(x, state)


class Packed(DenseLSTM):
    def forward(self, x: PackedSequence, state: Tensor | None) -> tuple[PackedSequence, Tensor]:
        return self.m(x, state)


def load(spec, weights):
    """The layer of a spec with these weights."""
    m = layer.module(spec, weights)
    form = {("lstm", True): PackedLSTM, ("lstm", False): DenseLSTM, ("gru", True): Packed, ("rnn", True): Packed}
    made = layer.TorchLayer(spec, torch.jit.script(form.get((spec.cell, spec.packed), Dense)(m)))
    made.weights = {name.removeprefix("m."): p for name, p in made.weights.items()}
    return made
