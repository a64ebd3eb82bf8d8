"""Forecasts by libraries of others, on the windows of an evaluation."""

from collections.abc import Callable, Sequence

from ...common.arrays import Array
from ..train import Task
from ..windows import Windows

Peer = Callable[[Task, Windows], dict[str, Array]]  # forecasts (K, W) in the units of the target, by name


def peers(names: Sequence[str]) -> list[Peer]:
    return []
