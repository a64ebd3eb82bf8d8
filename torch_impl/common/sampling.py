"""Sampling of tensors: reference/common/sampling.py on the CPU in float64, so both sides draw alike.

P1 to P5: notes/common/sampling.md
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from reference.common import checks, sampling
from reference.common.arrays import Array
from reference.common.sampling import Hypothesis

S = TypeVar("S")  # a state, which is the model's affair


def greedy(logits: Tensor) -> Tensor:
    """logits (..., V)  ->  tokens (...), on the device of the logits.  TypeError: no tensor."""
    checked(logits)
    return logits.argmax(-1)


def sample(
    logits: Tensor, rng: np.random.Generator, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """As reference.common.sampling.sample, errors included; tokens (...) on the device of the logits (..., V)."""
    return tensor(sampling.sample(array(checked(logits)), rng, temperature, top_k, top_p), logits.device)  # P1 to P4


def beam_search(
    step: Callable[[Tensor, S], tuple[Tensor, S]],
    select: Callable[[S, Tensor], S],
    state: S,
    start: int,
    end: int,
    width: int,
    max_length: int,
    length_power: float = 0.0,
    device: torch.device | str = "cpu",
) -> list[Hypothesis]:
    """As reference.common.sampling.beam_search; ``step`` and ``select`` are given tensors, and logits may be on any device."""

    checks.function("step", step), checks.function("select", select)

    def step_(tokens: Array, state: S) -> tuple[Array, S]:
        logits, state = step(tensor(tokens, device), state)
        return array(logits), state

    with torch.no_grad():
        return sampling.beam_search(
            step_, lambda s, rows: select(s, tensor(rows, device)), state, start, end, width, max_length, length_power
        )  # P5


def checked(logits: Tensor) -> Tensor:
    """TypeError: no tensor of real numbers.  ValueError: no token on its last axis."""
    if not isinstance(logits, Tensor) or logits.is_complex():
        raise TypeError(f"logits must be a tensor of real numbers, got {getattr(logits, 'dtype', type(logits).__name__)}")
    if not logits.dim() or not logits.shape[-1]:
        raise ValueError(f"logits must have a token on the last axis, got shape {tuple(logits.shape)}")
    return logits


def array(logits: Tensor) -> Array:
    """In float64"""
    return logits.detach().double().cpu().numpy()


def tensor(tokens: Array, device: torch.device | str) -> Tensor:
    """In int64"""
    return torch.from_numpy(np.asarray(tokens, np.int64)).to(device)
