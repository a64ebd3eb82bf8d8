"""Checkpoints of torch modules, in the files of reference/common/checkpoint.py: either side reads what the other wrote."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from reference.common.checkpoint import Checkpoint, CheckpointError, check, load, save, settle

__all__ = ["Checkpoint", "CheckpointError", "load", "restore", "save"]


def restore(
    checkpoint: Checkpoint,
    model: nn.Module,
    optimizer: Any = None,
    *,
    generators: Mapping[str, np.random.Generator] | None = None,
    vocabulary: Sequence | None = None,
) -> None:
    """As reference.common.checkpoint.restore, CheckpointError included, into a module and an optimiser of this side."""
    check(checkpoint, model, optimizer, generators or {}, vocabulary)
    weights = {k: torch.from_numpy(v.copy()) for k, v in checkpoint.weights.items()}
    settle(checkpoint, model, optimizer, generators or {}, weights)
