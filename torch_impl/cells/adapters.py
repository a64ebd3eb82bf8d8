"""The PyTorch implementations behind the one interface that parity_tests and benchmarks speak.

``ADAPTERS`` maps a name to an object with ``load(spec, weights)`` and ``declines(spec)``; see README.md, "Bring your
own", for what they promise.  ``MORE`` does so for those that are judged and timed only when asked for by name: one
compiles for seconds for every size, the others need a GPU, or an interpreter of seconds for every case.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from reference.common.arrays import Array

from .. import triton
from . import compiled, graphed, layers

Spec = Any  # what is asked for: the attributes that parity_tests.judge.cases.Spec has
Lengths = Sequence[int] | Array | None


@contextmanager
def native() -> Iterator[None]:
    """torch's own kernels: neither oneDNN nor cuDNN.  Needed around forward *and* backward."""
    with torch.backends.mkldnn.flags(enabled=False), torch.backends.cudnn.flags(enabled=False):
        yield


class TorchLayer:
    """A torch.nn-like module as the interface wants it: explicit gradients, padded sequences.

    Under torch.no_grad() a forward is inference, as in a model that was put in evaluation mode.
    """

    def __init__(self, spec: Spec, module: nn.Module, context: Callable[[], AbstractContextManager] = nullcontext,
                 compiles: bool = False):
        """compiles: whether the first call of a form of input builds something that later ones use"""
        self.spec, self.module, self.context, self.compiles = spec, module, context, compiles
        self.dtype, self.weights = getattr(torch, spec.dtype), dict(module.named_parameters())
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []

    def put(self, array: Array) -> Tensor:
        """ndarray  ->  tensor on the device; numbers in the dtype of the spec, which NumPy may not have"""
        tensor = torch.from_numpy(np.array(array))
        return tensor.to(self.spec.device, self.dtype if tensor.is_floating_point() else tensor.dtype)

    def get(self, tensor: Tensor) -> Array:
        """tensor  ->  ndarray; bfloat16 as float32"""
        tensor = tensor.detach().cpu()
        return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()

    def sync(self) -> None:
        """Wait until the device has done what it was asked."""
        if self.spec.device.partition(":")[0] not in ("cpu", "meta"):
            torch.accelerator.synchronize(self.spec.device)

    def forward(self, x: Tensor, state: tuple[Tensor, ...] | None, lengths: Lengths = None,
                masks: Sequence[Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """As ``run``, and remembers what backward needs, if gradients are on."""
        train = torch.is_grad_enabled()
        if train:
            x, state = x.detach().requires_grad_(), state and tuple(s.detach().requires_grad_() for s in state)
        if self.module.training != train:
            self.module.train(train)
        with self.context():
            y, state_n = self.run(x, state, lengths, masks)
        self.inputs, self.outputs = [x, *(state or ())], [y, *state_n]
        return y, state_n

    def infer(self, x: Tensor, state: tuple[Tensor, ...] | None, lengths: Lengths = None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """As ``forward`` in evaluation mode: without dropout, and the next backward is that of the last forward all the same."""
        kept = self.inputs, self.outputs
        with torch.no_grad():
            out = self.forward(x, state, lengths)
        self.inputs, self.outputs = kept
        return out

    def run(self, x: Tensor, state: tuple[Tensor, ...] | None, lengths: Lengths,
            masks: Sequence[Tensor] | None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """x, state (h,) or (h, c) or None, lengths or None, dropout masks or None  ->  y, state_n"""
        options = {} if masks is None else {"keep": masks}
        axis = 1 - self.spec.batch_first
        hx = state if state is None or self.spec.cell == "lstm" else state[0]
        if lengths is None:
            y, state_n = self.module(x, hx, **options)
        else:
            packed = pack_padded_sequence(x, torch.from_numpy(np.array(lengths)), self.spec.batch_first, enforce_sorted=False)
            y, state_n = self.module(packed, hx, **options)
            y, _ = pad_packed_sequence(y, self.spec.batch_first, total_length=x.shape[1 - axis])
        return y, layers.fields(state_n)

    def backward(self, dy: Tensor, dstate: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, ...] | None, dict[str, Tensor]]:
        """Of the last forward  ->  dx, dstate or None, dweights by name"""
        with self.context():
            grads = torch.autograd.grad(self.outputs, [*self.inputs, *self.weights.values()], [dy, *dstate])
        n = len(self.inputs)
        dweights = dict(zip(self.weights, grads[n:], strict=True))
        return grads[0], tuple(grads[1:n]) or None, dweights


class GraphedLayer(TorchLayer):
    """The hoisted loop as CUDA graphs, one for each form of input: torch_impl/cells/graphed.py."""

    module: layers.Written

    def __init__(self, spec: Spec, module: layers.Written):
        super().__init__(spec, module, compiles=True)
        self.graphs: dict[tuple, Callable] = {}

    def run(self, x: Tensor, state: tuple[Tensor, ...] | None, lengths: Lengths,
            masks: Sequence[Tensor] | None) -> tuple[Tensor, tuple[Tensor, ...]]:
        B, T = x.shape[:2] if self.spec.batch_first else x.shape[1::-1]
        form = (T, B, None if lengths is None else tuple(map(int, lengths)), state is None, torch.is_grad_enabled())
        inputs = [x, *(state or ())]
        if form not in self.graphs:
            unrolled = graphed.Unrolled(self.module, T, B, lengths, self.spec.device)
            self.graphs[form] = graphed.capture(unrolled, inputs)
        y, *state_n = self.graphs[form](*inputs)
        return y, tuple(state_n)


TRITON = {"triton": "hoisted", "triton.step": "steps"}  # a way by the function of torch_impl/triton's rooms that is its form


@dataclass(frozen=True)
class Adapter:
    """One way of computing the networks in PyTorch."""

    way: str
    takes_masks: bool = True

    def load(self, spec: Spec, weights: Mapping[str, Array]) -> TorchLayer:
        """The layer of a spec with these weights, named as torch.nn's."""
        written = self.way not in ("native", "library")
        names = ["num_layers", "bias", "batch_first", "bidirectional", "dropout", "device"]
        names += {"rnn": ["nonlinearity"], "lstm": ["proj_size"], "gru": ["reset_after"] * written}[spec.cell]
        options = {name: getattr(spec, name) for name in names} | {"dtype": getattr(torch, spec.dtype)}
        if written:
            options["way"] = self.way if self.way in layers.WAYS else "hoisted"
        module = getattr(layers if written else nn, spec.cell.upper())(spec.input_size, spec.hidden_size, **options)
        module.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in weights.items()})
        if self.way == "graphed":
            return GraphedLayer(spec, module)
        if self.way == "compiled":
            module.room = compiled.room(module.room)
        if self.way in TRITON:
            own = triton.room(spec.cell)
            module.room = SimpleNamespace(State=own.State, Params=own.Params, hoisted=getattr(own, TRITON[self.way]))
        compiles = self.way == "compiled" or self.way in TRITON
        return TorchLayer(spec, module, native if self.way == "native" else nullcontext, compiles)

    def declines(self, spec: Spec) -> str | None:
        """Why it cannot do what a spec asks for, or None."""
        if self.way == "graphed" and spec.device.partition(":")[0] != "cuda":
            return "CUDA graphs need a CUDA device"
        if self.way in TRITON:
            return triton.refusal(spec.device, spec.dtype)
        if self.way == "cell" and spec.proj_size:
            return "torch.nn.LSTMCell has no projection"
        if self.way in ("cell", "native", "library") and not spec.reset_after:
            return "torch.nn's GRU resets after the product only"
        return None


ADAPTERS = {f"torch.{way}": Adapter(way) for way in layers.WAYS} | {
    f"torch.{way}": Adapter(way, takes_masks=False) for way in ("native", "library")}
MORE = {"torch.compiled": Adapter("compiled"), "torch.graphed": Adapter("graphed", takes_masks=False)} | {
    f"torch.{way}": Adapter(way) for way in TRITON}
