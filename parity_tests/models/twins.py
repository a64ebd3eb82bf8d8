"""Twins of whole models: one seed, both sides, and everything that a training step computes."""

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

import reference

from ..helpers import array

LENGTHS = (4, 2, 6, 4, 1)  # unsorted, with a tie, and one step alone


def sequences(seed: int, low: int, high: int, lengths: Sequence[int] = LENGTHS) -> list[np.ndarray]:
    """Tokens from low to below high, a sequence for each length."""
    rng = np.random.default_rng(seed)
    return [rng.integers(low, high, n) for n in lengths]


def pair(
    room: str, *args: int, seed: int = 0, dtype: str = "float64", way: str = "library", engine: str = "definition", **kwargs: Any
) -> tuple[Any, Any]:
    """The model of this room in NumPy and in PyTorch, from generators of one seed."""
    name = room.capitalize()
    ours = getattr(reference, name)(*args, dtype=dtype, rng=np.random.default_rng(seed), engine=engine, **kwargs)
    theirs = getattr(importlib.import_module(f"torch_impl.models.{room}"), name)(
        *args, dtype=dtype, rng=np.random.default_rng(seed), way=way, **kwargs
    )
    return ours, theirs


def gradients(model: Any, batch: Any) -> dict[str, np.ndarray]:
    """The loss of a batch and its gradient in every parameter, of a model of either side."""
    loss = model.loss(batch)
    if isinstance(loss, torch.Tensor):
        model.zero_grad()
        loss.backward()
        return {"loss": array(loss)} | {k: array(p.grad) for k, p in model.named_parameters()}
    model.backward()
    return {"loss": np.asarray(loss)} | model.grads
