"""Segments of a packed batch with the rooms of ``fast``: what does not belong to one segment alone is done once.

- The weights are laid out once, not for every segment (``folded``).
- A segment's backward is only the time loop (``deltas``); the weight gradients and dx of all segments are one product
  each (``gradients``).
"""

from types import ModuleType, SimpleNamespace
from typing import Any

from ..cells import stack
from ..common.arrays import Array


def run_forward(room: ModuleType, p: Any, x: Array, s: Any, batch_sizes: Array, options: dict[str, Any]):
    """As ``stack.run_forward``"""
    return stack.run_forward(with_weights_of(room, p), p, x, s, batch_sizes, options)


def run_inference(room: ModuleType, p: Any, x: Array, s: Any, batch_sizes: Array, options: dict[str, Any]):
    """As run_forward, but nothing is kept"""
    return stack.run_forward(with_weights_of(room, p), p, x, s, batch_sizes, options | {"keep": False})


def run_backward(room: ModuleType, dy: Array, ds_n: Any, caches: list, batch_sizes: Array):
    """As ``stack.run_backward``"""
    of_segments, ds = stack.backwards(room.deltas, dy, ds_n, caches, batch_sizes)
    dp, dx = room.gradients(of_segments, caches)
    return dp, dx, ds


def with_weights_of(room: ModuleType, p: Any) -> SimpleNamespace:
    """The room with a forward for which these Params are laid out already"""
    w = room.folded(p)
    return SimpleNamespace(forward=lambda _, x, s, **options: room.run(w, x, s, **options))
