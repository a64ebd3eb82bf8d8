"""A layer with its data, ready to be judged and timed; and what it is judged on, with the definition's own results.

In TF32, bfloat16 and float16 the baseline is torch's own hoisted loop in that precision, as NumPy has none of them.

Where an argument of relu is so near 0 that rounding decides on which side it is, the gradient jumps, and two right layers
differ by all that one unit passes on.  Among the millions of a large layer there are such: no gradient is sent through
them (``before_kinks``, which takes a forward more in both precisions).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from parity_tests.judge.cases import Case, Data, Spec
from parity_tests.judge.implementations import BUILTIN, Implementation
from parity_tests.judge.numpy_layer import NumpyLayer
from parity_tests.judge.oracle import Tensors, compute, define, lengths, transform
from parity_tests.judge.tolerance import BASELINE_FACTOR, FLOOR_EPS, largest

from .precision import LOW, PRECISIONS, in_force, jittered, rounded

if TYPE_CHECKING:
    from .config import Config

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
def data_of(config: "Config") -> Data:
    """The data of a configuration, as arrays, in its precision."""
    return rounded(config.case().data(), config.dtype)


def reason_to_decline(implementation: Implementation, spec: Spec, dtype: str) -> str | None:
    """Why a layer is not for an implementation in a precision, or None."""
    reason = implementation.reason_to_decline(spec)
    if not reason and implementation.name in OURS and dtype in LOW:
        return f"NumPy does not compute in {dtype}"
    return reason


class Layer:
    """One implementation of one layer in one phase.

    ``call()`` is in phase "forward" an inference; in "train" a forward and a backward from scratch, with the gradients of
    input, initial state and weights returned and nothing kept from the call before.  The input product is part of it for
    everybody.  Arguments are on the device, and in the layer's own kind of tensor, before.

    Raises
    ------
    DeclinedError
        The implementation declines this, or has no backward to be trained with.
    """

    trains = False

    def __init__(self, implementation: Implementation, config: "Config", phase: str):
        self.name, self.phase, self.device = implementation.name, phase, config.device
        reason = config.reason_to_decline(implementation)
        if reason:
            raise DeclinedError(reason)
        data = transform(data_of(config), np.copy)
        layer = implementation.load(config.spec(), data.weights)
        if phase == "train" and not hasattr(layer, "backward"):
            raise DeclinedError("forward only: it has no backward")
        self.is_numpy, self.compiles = isinstance(layer, NumpyLayer), bool(getattr(layer, "compiles", False))
        self.layer: Any = ForwardOnly(layer) if phase == "forward" else layer
        self.sync: Callable[[], Any] = getattr(layer, "sync", device_sync(config.device))
        put = getattr(layer, "put", lambda v: v)
        self.arguments = put(data.x), tuple(map(put, data.state or ())), lengths(config.case())
        self.upstream = put(data.dy), tuple(map(put, data.dstate))

    def call(self) -> Any:
        out = self.layer.forward(*self.arguments)
        return out if self.phase == "forward" else (out, self.layer.backward(*self.upstream))

    def tensors(self, problem: "LayerProblem", inputs: Data) -> Tensors:
        return compute(self.layer, problem.case, transform(inputs, np.copy))


def device_sync(device: str) -> Callable[[], Any]:
    """What waits until a device has done its work."""
    return torch.cuda.synchronize if device == "cuda" else lambda: None


@dataclass(frozen=True)
class LayerProblem:
    """A configuration's layer on a case of its sizes, or with fewer steps.

    The weights are those of the configuration, which a layer has been loaded with: a shortened case has others of its own.
    """

    BASELINES: ClassVar = 3

    config: "Config"
    case: Case
    exact: Any = np.float64

    @property
    def label(self) -> str:
        return f"T = {self.case.T}"

    @property
    def dtype(self) -> str:
        return self.config.dtype

    def inputs(self) -> Data:
        data = rounded(self.case.data(), self.dtype)._replace(weights=data_of(self.config).weights)
        relu = self.case.spec.nonlinearity == "relu" and self.dtype not in LOW
        return before_kinks(self.case, data) if relu else data

    def oracle(self, inputs: Data) -> Tensors:
        return define(self.case, transform(inputs, lambda v: v.astype(self.exact)))

    def baselines(self, inputs: Data) -> Iterator[Tensors]:
        rng = np.random.default_rng(0)
        for data in (inputs, *(jittered(inputs, self.dtype, rng) for _ in range(self.BASELINES - 1))):
            yield baseline(self.case, data, self.dtype, self.config.device)


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
