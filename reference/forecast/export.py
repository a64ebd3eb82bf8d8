"""What an exported forecaster must compute: inputs to check it with, and NumPy's answers to them."""

import numpy as np

from ..common.arrays import Array
from ..common.checkpoint import Checkpoint
from .backend import BACKEND
from .train import features, restored


def inputs(saved: Checkpoint) -> list[dict[str, Array]]:
    """past (T, B, F) float32, of two sizes"""
    rng, F = np.random.default_rng(0), features(saved)
    return [{"past": rng.standard_normal((T, B, F)).astype(np.float32)} for T, B in ((saved.config["window"], 3), (2, 1))]


def answers(saved: Checkpoint, dtype: str, inputs: dict[str, Array]) -> list[Array]:
    """forecast (K, B) by NumPy in this dtype"""
    return [restored(BACKEND, saved, dtype).forecast(inputs["past"].astype(dtype))]
