"""What an exported forecaster must compute: inputs to check it with, and NumPy's answers to them."""

import numpy as np

from ..common.arrays import Array
from ..common.checkpoint import Checkpoint
from .backend import BACKEND
from .schema import checked as checked
from .train import restored


def inputs(saved: Checkpoint) -> list[dict[str, Array]]:
    """past (T, B, F) and, where columns are known ahead, known (K, B, known), float32, of two sizes"""
    rng, o = np.random.default_rng(0), saved.config
    F, known = len(o["series"]["columns"]), o["series"]["known"]

    def drawn(*shape: int) -> Array:
        return rng.standard_normal(shape).astype(np.float32)

    return [
        {"past": drawn(T, B, F)} | ({"known": drawn(o["horizon"], B, known)} if known else {})
        for T, B in ((o["window"], 3), (2, 1))
    ]


def answers(saved: Checkpoint, dtype: str, inputs: dict[str, Array]) -> list[Array]:
    """forecast (K, B), or with quantiles (K, B, Q), by NumPy in this dtype"""
    model, known = restored(BACKEND, saved, dtype), inputs.get("known")
    said = model.ahead(inputs["past"].astype(dtype), None if known is None else known.astype(dtype))
    return [said if model.quantiles else said[..., 0]]
