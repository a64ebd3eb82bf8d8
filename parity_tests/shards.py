"""numpy.shards: numpy.fast with the batch shared out among threads, each of which computes its products alone.

Sequences do not see each other until the weight gradients are summed.  So each thread has a layer of its own for its part
of the batch, and the gradients of the weights are summed at the end.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

import reference

from .cases import Spec
from .numpy_layer import NumpyLayer


def load(spec: Spec, weights: dict[str, np.ndarray]) -> Any:
    """As any adapter's."""
    return ShardedLayer(spec, weights)


def declines(spec: Spec) -> str | None:
    """As any adapter's."""
    if spec.device != "cpu":
        return "NumPy computes on the CPU"
    return None if find_spec("threadpoolctl") else "needs threadpoolctl, which is not installed"


def count() -> int:
    """A shard for each processor; two on one, so that what is judged has shards everywhere."""
    return max(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


@cache
def threads(n: int) -> ThreadPoolExecutor:
    """They are kept from call to call."""
    return ThreadPoolExecutor(n)


@cache
def blas() -> Any:
    """What sets the number of threads of the BLAS libraries that are loaded"""
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # optional

    return ThreadpoolController()


def each(call: Callable[..., Any], *given: Any) -> list[Any]:
    """As map, in a thread each, with one thread of BLAS in each"""
    with blas().limit(limits=1, user_api="blas"):
        return list(threads(count()).map(call, *given))


class ShardedLayer:
    """Layers of numpy.fast behind the common interface, one for each shard of the batch."""

    def __init__(self, spec: Spec, weights: dict[str, np.ndarray]):
        self.layers = [NumpyLayer(reference, spec, weights, "fast") for _ in range(count())]
        self.axis = 0 if spec.batch_first else 1

    def forward(self, x, state, lengths=None):
        return self._through("forward", x, state, lengths)

    def infer(self, x, state, lengths=None):
        return self._through("infer", x, state, lengths)

    def _through(self, verb, x, state, lengths):
        B = x.shape[self.axis]
        n = min(len(self.layers), B)
        self.bounds = [B * k // n for k in range(1, n)]
        self.used = self.layers[:n]
        states = [None] * n if state is None else self._cut(state)
        lengths = [None] * n if lengths is None else np.split(np.asarray(lengths), self.bounds)
        ys, ends = zip(*each(lambda layer, *given: getattr(layer, verb)(*given), self.used,
                             np.split(x, self.bounds, self.axis), states, lengths), strict=True)
        return np.concatenate(ys, self.axis), self._joined(ends)

    def backward(self, dy, dstate):
        dxs, starts, grads = zip(*each(lambda layer, *given: layer.backward(*given), self.used,
                                       np.split(dy, self.bounds, self.axis), self._cut(dstate)), strict=True)
        summed = {name: sum(g[name] for g in grads[1:]) + grads[0][name] for name in grads[0]}
        return np.concatenate(dxs, self.axis), self._joined(starts), summed

    def _cut(self, state):
        """A state (L·D, B, ·) in parts, each a tuple of arrays"""
        return list(zip(*(np.split(s, self.bounds, 1) for s in state), strict=True))

    def _joined(self, states):
        return tuple(np.concatenate(parts, 1) for parts in zip(*states, strict=True))
