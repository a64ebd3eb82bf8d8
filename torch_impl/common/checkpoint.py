"""Checkpoints of torch modules, in the files of reference/common/checkpoint.py: either side reads what the other wrote."""

from functools import partial

import torch

from reference.common import checkpoint
from reference.common.checkpoint import Checkpoint, CheckpointError, load, save

__all__ = ["Checkpoint", "CheckpointError", "load", "restore", "save"]

restore = partial(checkpoint.restore, weight=torch.tensor)
