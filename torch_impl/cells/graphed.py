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
        self.way = partial(module.room.hoisted, **module.options())
        self.rows: Tensor | None = None
        self.order: Tensor | None = None
        self.back: Tensor | None = None
        self.sizes = np.full(T, B)

        def on_device(index: Array) -> Tensor:
            return torch.from_numpy(index).to(device)

        if lengths is not None:
            lengths = np.asarray(lengths)
            order = np.argsort(-lengths, kind="stable")
            self.sizes = (lengths > np.arange(lengths.max())[:, None]).sum(1)
            self.rows = on_device(np.concatenate([t * B + order[:size] for t, size in enumerate(self.sizes)]))
            self.order, self.back = on_device(order), on_device(np.argsort(order))
        self.turn = on_device(stack.flip(self.sizes))

    def forward(self, x: Tensor, *hx: Tensor) -> tuple[Tensor, ...]:
        """x (T, B, I) or (B, T, I), state as the module takes it  ->  y, state_n..., all tensors"""
        module = self.module
        x = x.transpose(0, 1) if module.batch_first else x
        fields, D = module.room.State._fields, 1 + module.bidirectional
        if not hx:
            widths = (module.proj_size or module.hidden_size, module.hidden_size)[: len(fields)]
            hx = tuple(x.new_zeros(module.num_layers * D, self.B, width) for width in widths)
        states = [module.room.State(*vs) for vs in zip(*(pick(h, 1, self.order) for h in hx), strict=True)]
        y, states_n = pick(x.reshape(self.T * self.B, -1), 0, self.rows), []
        for layer, params in enumerate(module.params()):
            ys = []
            for d, p in enumerate(params):
                y_d, s_n = stack.run(self.way, p, pick(y, 0, self.turn) if d else y, states[layer * D + d], self.sizes)
                ys.append(pick(y_d, 0, self.turn) if d else y_d)
                states_n.append(s_n)
            y = torch.cat(ys, -1)
        if self.rows is not None:
            y = y.new_zeros(self.T * self.B, y.shape[-1]).index_copy(0, self.rows, y)
        y = y.reshape(self.T, self.B, -1)
        hs = [pick(torch.stack(vs), 1, self.back) for vs in zip(*states_n, strict=True)]
        return y.transpose(0, 1) if module.batch_first else y, *hs


def pick(v: Tensor, axis: int, index: Tensor | None) -> Tensor:
    """Rows of v along an axis, in the order of an index; all of them as they are if there is none"""
    return v if index is None else v.index_select(axis, index)


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
