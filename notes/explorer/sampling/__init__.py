"""The explorer of sampling: temperature, top-k and top-p on what a trained model says of the next character."""

from typing import Any

import numpy as np

from reference.common import sampling

from ...studies.temperature import STUDY
from ..formulas import Render, definitions
from ..source import source

JSON = dict[str, Any]
FUNCTIONS = ("log_probabilities", "rank", "before", "choose", "sample")
LABELS = ("P1", "P2", "P3", "P4")
DRAWS, SEEDS = 60, 20
# Not of the model: three equal logits, then two, to see which of them stay.
TIES: JSON = {"name": "made up: equal logits", "after": "", "logits": [1.0, 2.0, 2.0, 0.0, 2.0, 1.0], "symbols": list("abcdef")}


def uniforms() -> list[list[float]]:
    """For each seed the numbers that ``sample`` takes for so many rows."""
    return [np.random.default_rng(seed).random(DRAWS).tolist() for seed in range(SEEDS)]


def places() -> list[JSON]:
    """Where the model was asked, and its logits there."""
    kept = STUDY.kept()
    return [{"name": name, **place, "symbols": kept["symbols"]} for name, place in (kept["places"] | kept["endings"]).items()]


def data(render: Render) -> JSON:
    equations = definitions("common/sampling", render)
    return {
        "model": STUDY.kept()["command"],
        "places": [*places(), TIES],
        "uniforms": uniforms(),
        "source": source(sampling, FUNCTIONS),
        "equations": {label: equations[label] for label in LABELS},
    }
