"""Checkpoints of torch modules, in the files of reference/checkpoint.py: either side reads what the other wrote."""

import torch

from reference.checkpoint import Checkpoint, CheckpointError, check, load, save, settle

__all__ = ["Checkpoint", "CheckpointError", "load", "restore", "save"]


def restore(checkpoint: Checkpoint, model, optimizer=None, *, generators=None, vocabulary=None) -> None:
    """As reference.checkpoint.restore, into a torch.nn.Module and an optimiser of torch_impl.optim."""
    check(checkpoint, model, optimizer, generators or {}, vocabulary)
    weights = {k: torch.from_numpy(v.copy()) for k, v in checkpoint.weights.items()}
    settle(checkpoint, model, optimizer, generators or {}, weights)
