"""What PyTorch gives to the character model; all else is reference/char_lm."""

import numpy as np
import torch

from reference.char_lm.backend import Backend
from reference.common.arrays import Array

from ..cells import layers
from ..common import checkpoint
from ..models.language_model import LanguageModel
from ..models.placement import placed
from ..training import init, loop, optim
from ..training.processes import together


def model(config: dict, symbols: int, dtype: str, rng: np.random.Generator, options: dict) -> LanguageModel:
    """The model of a run's config, where and as its options say.  UsageError: torch has no such device here."""
    way = "hoisted" if options["compile"] else options["engine"]
    lm = LanguageModel(
        symbols,
        config["embedding"],
        config["size"],
        config["layers"],
        cell=config["cell"],
        dropout=config["dropout"],
        tied=config["tied"],
        dtype=dtype,
        rng=rng,
        way=way,
    )
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
)
