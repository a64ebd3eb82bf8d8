"""Checkpoints of torch modules, in the files of reference/common/checkpoint.py: either side reads what the other wrote."""

import torch

from reference.common.checkpoint import Checkpoint, CheckpointError, check, load, save, settle

__all__ = ["Checkpoint", "CheckpointError", "load", "restore", "save"]


def restore(checkpoint: Checkpoint, model, optimizer=None, *, generators=None, vocabulary=None) -> None:
    """As reference.common.checkpoint.restore, into a torch.nn.Module and an optimiser of torch_impl.training.optim."""
    check(checkpoint, model, optimizer, generators or {}, vocabulary)
    weights = {k: torch.from_numpy(v.copy()) for k, v in checkpoint.weights.items()}
    settle(checkpoint, model, optimizer, generators or {}, weights)
