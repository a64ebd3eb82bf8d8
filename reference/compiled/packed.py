"""Segments of a packed batch with the rooms of ``compiled``: weights are laid out once, and gradients added up in one place."""

from types import ModuleType
from typing import Any

from ..cells import stack
from ..common.arrays import Array, rows, stacked
from ..fast.packed import run_forward, run_inference

__all__ = ["run_backward", "run_forward", "run_inference"]


def run_backward(room: ModuleType, dy: Array, ds_n: Any, caches: list, batch_sizes: Array):
    """As ``stack.run_backward``"""
    p = caches[0].p
    w, dp = room.turned(p), room.zeros(p)
    of_segments, ds = stack.backwards(lambda dy, ds, k: room.accumulate(dy, ds, k, w, dp), dy, ds_n, caches, batch_sizes)
    return room.finished(dp), stacked([rows(dx) for dx, in of_segments]), ds
