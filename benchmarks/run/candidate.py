"""A layer with its data, ready to be called: what is judged, timed and looked into."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from parity_tests.judge.cases import Case, Data
from parity_tests.judge.implementations import BUILTIN, Implementation
from parity_tests.judge.numpy_layer import NumpyLayer
from parity_tests.judge.oracle import Tensors, compute, lengths, transform

from ..what.config import Config
from ..what.precision import LOW, rounded

OURS = [name for name in BUILTIN if name.startswith("numpy")]


class DeclinedError(Exception):
    """An implementation that does not do this, and why."""


class ForwardOnly:
    """A layer without its backward, run as inference: what phase "forward" judges and times.

    Inference is the layer's ``infer``, if it has one; else its ``forward`` where torch records nothing.
    """

    def __init__(self, layer: Any):
        self.infer = getattr(layer, "infer", layer.forward)
        for name in ("put", "get", "sync"):
            if hasattr(layer, name):
                setattr(self, name, getattr(layer, name))

    def forward(self, x, state, lengths=None, masks=None):
        with torch.no_grad():
            return self.infer(x, state, lengths, *(() if masks is None else (masks,)))


@lru_cache(maxsize=2)
def data_of(config: Config) -> Data:
    """The data of a configuration, as arrays, in its precision."""
    return rounded(config.case().data(), config.dtype)


class Subject:
    """One implementation of one configuration in one phase.

    ``call()`` is the work: in phase "forward" an inference; in "train" a forward and a backward from scratch, with the
    gradients of input, initial state and weights returned and nothing kept from the call before.  The input product is
    part of it for everybody.  Arguments are on the device, and in the layer's own kind of tensor, before.

    Raises
    ------
    DeclinedError
        The implementation declines this, or has no backward to be trained with.
    """

    def __init__(self, implementation: Implementation, config: Config, phase: str):
        self.name, self.config, self.phase = implementation.name, config, phase
        reason = reason_to_decline(implementation, config)
        if reason:
            raise DeclinedError(reason)
        data = transform(data_of(config), np.copy)
        layer = implementation.load(config.spec(), data.weights)
        if phase == "train" and not hasattr(layer, "backward"):
            raise DeclinedError("forward only: it has no backward")
        self.is_numpy, self.compiles = isinstance(layer, NumpyLayer), bool(getattr(layer, "compiles", False))
        self.layer: Any = ForwardOnly(layer) if phase == "forward" else layer
        self.sync: Callable[[], Any] = getattr(layer, "sync", _device_sync(config.device))
        put = getattr(layer, "put", _same)
        given = lengths(config.case())
        self.arguments = put(data.x), tuple(map(put, data.state or ())), given
        self.upstream = put(data.dy), tuple(map(put, data.dstate))

    def call(self) -> Any:
        """The work that is timed; what it returns is the caller's to drop."""
        out = self.layer.forward(*self.arguments)
        return out if self.phase == "forward" else (out, self.layer.backward(*self.upstream))

    def tensors(self, case: Case, data: Data) -> Tensors:
        """Every output, and in training every gradient, by name, of this layer on any data."""
        return compute(self.layer, case, transform(data, np.copy))


def reason_to_decline(implementation: Implementation, config: Config) -> str | None:
    """Why a configuration is not for an implementation, or None."""
    reason = implementation.reason_to_decline(config.spec())
    if not reason and implementation.name in OURS and config.dtype in LOW:
        return f"NumPy does not compute in {config.dtype}"
    return reason


def _device_sync(device: str) -> Callable[[], Any]:
    return torch.cuda.synchronize if device == "cuda" else lambda: None


def _same(v):
    return v
