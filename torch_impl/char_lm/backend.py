"""What PyTorch gives to the character model; all else is reference/char_lm."""

from typing import Any

import torch

from reference.char_lm.backend import Backend
from reference.common.arrays import Array

from ..cells import layers
from ..common import checkpoint
from ..models.language_model import LanguageModel
from ..models.placement import placed
from ..training import init, loop, optim
from ..training.processes import launch, together


def model(*sizes: int, options: dict, **how: Any) -> LanguageModel:
    """A LanguageModel, where and as the options say.  UsageError: torch has no such device here."""
    lm = LanguageModel(*sizes, **how, way="hoisted" if options["compile"] else options["engine"])
    return placed(lm, options["device"], options["compile"])


@torch.no_grad()
def logits(model: LanguageModel, tokens: Array, state: layers.State | None) -> tuple[Array, layers.State]:
    """tokens (T, B)  ->  z (T, B, V) in float64, state"""
    z, state = model.logits(tokens, state)
    return z.double().cpu().numpy(), state


BACKEND = Backend(
    "torch_impl",
    ("library", *layers.WAYS),
    model,
    optim.OPTIMIZERS,
    loop.train,
    loop.evaluate,
    checkpoint.restore,
    logits,
    init.initialise,
    together,
    launch=launch,
)
