"""The PyTorch implementations behind the one interface that parity_tests and benchmarks speak.

``ADAPTERS`` maps a name to an object with ``load(spec, weights)`` and ``declines(spec)``; see README.md, "Bring your
own", for what they promise.
"""

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from . import modules

CLASSES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}


@contextmanager
def native():
    """torch's own kernels: neither oneDNN nor cuDNN.  Needed around forward *and* backward."""
    with torch.backends.mkldnn.flags(enabled=False), torch.backends.cudnn.flags(enabled=False):
        yield


class TorchLayer:
    """A torch.nn-like module as the interface wants it: explicit gradients, padded sequences."""

    def __init__(self, spec, module, context=nullcontext):
        self.spec, self.module, self.context = spec, module, context
        self.inputs, self.outputs = [], []

    def put(self, array):
        """ndarray  ->  tensor on the device"""
        return torch.from_numpy(np.array(array)).to(self.spec.device)

    def get(self, tensor):
        """tensor  ->  ndarray"""
        return tensor.detach().cpu().numpy()

    def sync(self):
        """Wait until the device has done what it was asked."""
        if self.spec.device == "cuda":
            torch.cuda.synchronize()

    def forward(self, x, state, lengths=None, masks=None):
        x = x.detach().requires_grad_()
        state = state and tuple(s.detach().requires_grad_() for s in state)
        more = {} if masks is None else {"keep": masks}
        axis = 1 - self.spec.batch_first
        with self.context():
            hx = state if state is None or self.spec.cell == "lstm" else state[0]
            if lengths is None:
                y, state_n = self.module(x, hx, **more)
            else:
                packed = pack_padded_sequence(x, torch.as_tensor(lengths), self.spec.batch_first, enforce_sorted=False)
                y, state_n = self.module(packed, hx, **more)
                y, _ = pad_packed_sequence(y, self.spec.batch_first, total_length=x.shape[1 - axis])
        state_n = tuple(state_n) if isinstance(state_n, tuple) else (state_n,)
        self.inputs, self.outputs = [x, *(state or ())], [y, *state_n]
        return y, state_n

    def backward(self, dy, dstate):
        named = dict(self.module.named_parameters())
        with self.context():
            grads = torch.autograd.grad(self.outputs, [*self.inputs, *named.values()], [dy, *dstate])
        n = len(self.inputs)
        dweights = dict(zip(named, grads[n:], strict=True))
        return grads[0], tuple(grads[1:n]) or None, dweights


@dataclass(frozen=True)
class Adapter:
    """One way of computing the networks in PyTorch."""

    way: str
    takes_masks: bool = True

    def load(self, spec, weights):
        kwargs = {"num_layers": spec.num_layers, "bias": spec.bias, "batch_first": spec.batch_first,
                  "bidirectional": spec.bidirectional, "dropout": spec.dropout,
                  "dtype": getattr(torch, spec.dtype), "device": spec.device}
        if spec.cell == "rnn":
            kwargs["nonlinearity"] = spec.nonlinearity
        if spec.proj_size:
            kwargs["proj_size"] = spec.proj_size
        written = self.way in modules.WAYS
        if written:
            kwargs["way"] = self.way
            if spec.cell == "gru":
                kwargs["reset_after"] = spec.reset_after
        module = getattr(modules if written else nn, CLASSES[spec.cell])(spec.input_size, spec.hidden_size, **kwargs)
        module.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in weights.items()})
        return TorchLayer(spec, module, native if self.way == "native" else nullcontext)

    def declines(self, spec):
        if self.way == "cell" and spec.proj_size:
            return "torch.nn.LSTMCell has no projection"
        if self.way not in ("loop", "hoisted", "bptt") and not spec.reset_after:
            return "torch.nn's GRU resets after the product only"
        return None


ADAPTERS = {f"torch.{way}": Adapter(way) for way in modules.WAYS} | {
    f"torch.{way}": Adapter(way, takes_masks=False) for way in ("native", "library")}
