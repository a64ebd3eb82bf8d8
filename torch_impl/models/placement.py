"""Where and how a model of an application computes: its options --device and --compile."""

from typing import TypeVar

import torch

from reference.common.command import UsageError

from ..cells import compiled
from ..cells.layers import Written
from .model import Model

M = TypeVar("M", bound=Model)


def device(name: str) -> torch.device:
    """UsageError: torch has no such device here."""
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as e:
        raise UsageError(f"--device {name} cannot be used here: {str(e).splitlines()[0]}") from None


def placed(model: M, name: str, compile: bool) -> M:
    """The model on a device; to be compiled, its way must be "hoisted".  UsageError: as ``device``."""
    for layer in model.children() if compile else ():
        if isinstance(layer, Written):
            layer.room = compiled.room(layer.room)
    return model.to(device(name))
