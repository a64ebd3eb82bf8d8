"""What is judged and timed, and the one of a layer, with its data; the definition's own results on them.

In TF32, bfloat16 and float16 the baseline is torch's own hoisted loop in that precision, as NumPy has none of them.

Where an argument of relu is so near 0 that rounding decides on which side it is, the gradient jumps, and two right layers
differ by all that one unit passes on.  Among the millions of a large layer there are such: no gradient is sent through
them (``before_kinks``, which takes a forward more in both precisions).
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch

from parity_tests.judge.cases import Case, Data
from parity_tests.judge.implementations import BUILTIN, Implementation
from parity_tests.judge.numpy_layer import NumpyLayer
from parity_tests.judge.oracle import Tensors, compute, define, transform
from parity_tests.judge.tolerance import BASELINE_FACTOR, FLOOR_EPS, largest

from .precision import LOW, PRECISIONS, in_force, rounded

if TYPE_CHECKING:
    from .config import Config

ENGINES = {"numpy": "definition", "numpy.fast": "fast", "numba": "compiled"}  # of reference, by the names of its implementations
NUMPY = tuple(ENGINES)
Inputs: TypeAlias = Any  # what is judged on: the Data of a layer, the parameters of a model


class DeclinedError(Exception):
    """An implementation that does not do this, and why."""


class ForwardOnly:
    """A layer without its backward, run as inference: what phase "forward" judges and times.

    Inference is the layer's ``infer``, if it has one; else its ``forward`` where torch records nothing.
    """

    def __init__(self, layer: Any):
        self.infer = getattr(layer, "infer", layer.forward)
        vars(self).update({name: getattr(layer, name) for name in ("put", "get", "sync") if hasattr(layer, name)})

    def forward(self, x, state, lengths=None):
        with torch.no_grad():
            return self.infer(x, state, lengths)


@lru_cache(maxsize=2)
def data_of(config: "Config") -> Data:
    """The data of a configuration, as arrays, in its precision."""
    return rounded(config.case().data(), config.dtype)


class Candidate:
    """One implementation of one configuration in one phase, with its arguments, ready to be judged and timed.

    DeclinedError: the implementation declines this.
    """

    is_numpy = False
    compiles = False  # the first call builds something
    trains = False  # a call changes the parameters, and the first makes the state of an optimiser

    def __init__(self, implementation: Implementation, config: "Config", phase: str):
        self.name, self.config, self.phase, self.device = implementation.name, config, phase, config.device
        self.sync: Callable[[], object] = torch.cuda.synchronize if config.device == "cuda" else lambda: None
        if reason := config.reason_to_decline(implementation):
            raise DeclinedError(reason)

    def call(self) -> object:
        """The work that is timed; what it returns is the caller's to drop."""
        raise NotImplementedError

    def tensors(self, T: int, inputs: Inputs) -> Tensors:
        """Every output, and in training every gradient, by name, on the inputs of T steps."""
        raise NotImplementedError


class Layer(Candidate):
    """A layer: ``call()`` is in phase "forward" an inference; in "train" a forward and a backward from scratch, with the
    gradients of input, initial state and weights returned and nothing kept from the call before.

    The input product is part of it for everybody.  Arguments are on the device, and in the layer's own kind of tensor,
    before.  Without a backward there is nothing to be trained: DeclinedError.
    """

    def __init__(self, implementation: Implementation, config: "Config", phase: str):
        super().__init__(implementation, config, phase)
        data = transform(data_of(config), np.copy)
        layer = implementation.load(config.spec(), data.weights)
        if phase == "train" and not hasattr(layer, "backward"):
            raise DeclinedError("forward only: it has no backward")
        self.is_numpy, self.compiles = isinstance(layer, NumpyLayer), bool(getattr(layer, "compiles", False))
        self.layer: Any = ForwardOnly(layer) if phase == "forward" else layer
        self.sync = getattr(layer, "sync", self.sync)
        put = getattr(layer, "put", lambda v: v)
        self.arguments = put(data.x), tuple(map(put, data.state or ())), data.lengths
        self.upstream = put(data.dy), tuple(map(put, data.dstate))

    def call(self) -> object:
        out = self.layer.forward(*self.arguments)
        return out if self.phase == "forward" else (out, self.layer.backward(*self.upstream))

    def tensors(self, T: int, inputs: Data) -> Tensors:
        return compute(self.layer, self.config.case(T), transform(inputs, np.copy))


def before_kinks(case: Case, data: Data) -> Data:
    """The data of one layer of relu, one direction, with no gradient given to a sequence's outputs from the first step on at
    which rounding decides on which side of 0 an argument is.

    That is where the argument, in float64, is no farther from 0 than an output may be from the right one.
    """
    exact = transform(data, lambda v: v.astype(np.float64))
    y, rough = (compute(ForwardOnly(BUILTIN["numpy"].load(case.spec, d.weights)), case, d)["y"] for d in (exact, data))
    margin = BASELINE_FACTOR * largest(rough - y) + FLOOR_EPS * np.finfo(data.x.dtype).eps * largest(y)
    (h_0,), w = exact.state or (np.zeros_like(y[:1]),), exact.weights
    bias = w["bias_ih_l0"] + w["bias_hh_l0"]
    a = exact.x @ w["weight_ih_l0"].T + np.concatenate([h_0, y[:-1]]) @ w["weight_hh_l0"].T + bias
    clear = ~np.logical_or.accumulate((abs(a) <= margin).any(-1))  # (T, B)
    return data._replace(dy=data.dy * clear[..., None], dstate=(data.dstate[0] * clear[-1][:, None],))


def baseline(case: Case, data: Data, dtype: str, device: str) -> Tensors:
    """The definition in the candidate's precision; where NumPy has none, torch's hoisted loop."""
    if dtype not in LOW:
        return define(case, data)
    spec = replace(case.spec, dtype=PRECISIONS[dtype].dtype, device=device)
    with in_force(dtype), torch.enable_grad():
        return compute(BUILTIN["torch.hoisted"].load(spec, data.weights), case, data)
