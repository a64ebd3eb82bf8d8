"""What an exported forecaster must compute: inputs to check it with, and NumPy's answers to them."""

import numpy as np

from ..common.arrays import Array
from ..common.checkpoint import Checkpoint
from ..common.command import Model
from .backend import BACKEND, Backend
from .train import build


def features(saved: Checkpoint) -> int:
    """F, how many variables its windows have"""
    return saved.weights["rnn.weight_ih_l0"].shape[1]


def restored(backend: Backend, saved: Checkpoint, dtype: str) -> Model:
    """The model of a checkpoint in evaluation mode, with its weights.  CheckpointError: they are not its own."""
    model = build(backend, saved.config | {"dtype": dtype}, features(saved))
    weights = {k: v.astype(dtype) for k, v in saved.weights.items()}
    backend.restore(saved._replace(weights=weights, carried={}), model)
    model.eval()
    return model


def inputs(saved: Checkpoint) -> list[dict[str, Array]]:
    """past (T, B, F) float32, of two sizes"""
    rng = np.random.default_rng(0)
    return [
        {"past": rng.standard_normal((T, B, features(saved))).astype(np.float32)} for T, B in ((saved.config["window"], 3), (2, 1))
    ]


def answers(saved: Checkpoint, dtype: str, inputs: dict[str, Array]) -> list[Array]:
    """forecast (K, B) by NumPy in this dtype"""
    return [restored(BACKEND, saved, dtype).forecast(inputs["past"].astype(dtype))]
