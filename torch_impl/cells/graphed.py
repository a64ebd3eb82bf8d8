"""The hoisted loop as CUDA graphs: its kernels are recorded once for a form of input, then launched all at once.

A graph is bound to its shapes and to its memory: there is one for each form of input that comes, and the tensors that a
forward or backward returns are overwritten by the next one of that form.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from reference.common.arrays import Array
from reference.common.packing import padding_mask

from . import stack
from .layers import Written

WARM_UP = 3  # calls before a capture, so that libraries have set themselves up


class Unrolled(nn.Module):
    """A module of torch_impl for one form of input; what depends on the form only is computed beforehand.

    During a capture nothing may come from the CPU's memory, so the indices that pack, turn round and unpack the rows are
    tensors on the device before it starts.
    """

    def __init__(self, module: Written, T: int, B: int, lengths: Sequence[int] | Array | None, device: str):
        """lengths: (B,) integers in any order, or None if every sequence is T long"""
        super().__init__()
        self.module, self.T, self.B = module, T, B
        n = np.full(B, T) if lengths is None else np.asarray(lengths, np.int64)
        order = np.argsort(-n, kind="stable")
        self.sizes, self.dense = padding_mask(n).sum(1), lengths is None
        rows = np.concatenate([t * B + order[:size] for t, size in enumerate(self.sizes)])
        self.rows, self.order, self.back, self.turn = (
            torch.from_numpy(index).to(device) for index in (rows, order, np.argsort(order), stack.flip(self.sizes)))

    def forward(self, x: Tensor, *hx: Tensor) -> tuple[Tensor, ...]:
        """x (T, B, I) or (B, T, I), state as the module takes it  ->  y, state_n..., all tensors"""
        module = self.module
        x = x.transpose(0, 1) if module.batch_first else x
        hx = hx or tuple(x.new_zeros(shape) for shape in module.state_shapes(self.B))
        hx = hx if self.dense else tuple(h.index_select(1, self.order) for h in hx)
        states = module.by_layer([module.room.State(*vs) for vs in zip(*hx, strict=True)])
        y = x.reshape(self.T * self.B, -1)
        y, states_n = stack.forward(partial(module.room.hoisted, **module.options()), module.params(),
                                    y if self.dense else y.index_select(0, self.rows), states, self.sizes, turn=self.turn)
        hs = [torch.stack(vs) for vs in zip(*(s for layer in states_n for s in layer), strict=True)]
        if not self.dense:
            y = y.new_zeros(self.T * self.B, y.shape[-1]).index_copy(0, self.rows, y)
            hs = [h.index_select(1, self.back) for h in hs]
        y = y.reshape(self.T, self.B, -1)
        return y.transpose(0, 1) if module.batch_first else y, *hs


def capture(unrolled: Unrolled, inputs: Sequence[Tensor]) -> Callable[..., Any]:
    """The module as a graph: a callable like it.  With gradients if they are on, and then its backward is one graph too."""
    if torch.is_grad_enabled():
        samples = tuple(v.detach().clone().requires_grad_() for v in inputs)
        return torch.cuda.make_graphed_callables(unrolled, samples, num_warmup_iters=WARM_UP)
    return Forward(unrolled, inputs)


class Forward:
    """The forward alone as one graph, without what a backward would need."""

    def __init__(self, unrolled: Unrolled, inputs: Sequence[Tensor]):
        self.inputs = [v.detach().clone() for v in inputs]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                unrolled(*self.inputs)
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.outputs = unrolled(*self.inputs)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        for recorded, v in zip(self.inputs, inputs, strict=True):
            recorded.copy_(v)
        self.graph.replay()
        return self.outputs
