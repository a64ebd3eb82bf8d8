"""What an exported character model must compute: inputs to check it with, and NumPy's answers to them."""

import numpy as np

from ..common.arrays import Array
from ..common.checkpoint import Checkpoint
from ..models.recurrent import as_state, fields
from .backend import BACKEND
from .run import restored as restored
from .schema import checked as checked


def letters(saved: Checkpoint) -> str:
    """Of the states of its cell"""
    return "hc" if saved.config["cell"] == "lstm" else "h"


def inputs(saved: Checkpoint) -> list[dict[str, Array]]:
    """tokens (T, B) int64, h_0 and c_0 (L, B, H) float32, of two sizes"""
    rng, (L, H, V) = np.random.default_rng(0), (saved.config["layers"], saved.config["size"], len(saved.vocabulary or ()))
    return [
        {"tokens": rng.integers(0, V, (T, B))}
        | {f"{v}_0": rng.uniform(-1, 1, (L, B, H)).astype(np.float32) for v in letters(saved)}
        for T, B in ((40, 3), (1, 2))
    ]


def answers(saved: Checkpoint, dtype: str, inputs: dict[str, Array]) -> list[Array]:
    """logits (T, B, V), h_n, c_n (L, B, H) by NumPy in this dtype"""
    state = as_state([inputs[f"{v}_0"].astype(dtype) for v in letters(saved)])
    z, state = restored(BACKEND, saved, dtype).logits(inputs["tokens"], state)
    return [z, *fields(state)]
