"""Where and how a model of an application computes: its options --device and --compile."""

from typing import Any

import torch
from torch import nn

from reference.common.command import UsageError

from ..cells import compiled


def device(name: str) -> torch.device:
    """UsageError: torch has no such device here."""
    try:
        found = torch.device(name)
        torch.zeros(1, device=found)
    except (RuntimeError, AssertionError) as e:
        raise UsageError(f"--device {name} cannot be used here: {str(e).splitlines()[0]}") from None
    return found


def placed(model: nn.Module, name: str, compile: bool) -> Any:
    """The model on a device; to be compiled, its way must be "hoisted"."""
    for layer in model.children() if compile else ():
        if hasattr(layer, "room"):
            layer.room = compiled.room(layer.room)
    return model.to(device(name))
