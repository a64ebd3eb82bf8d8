"""Cases and faults of reference/parts/embedding.py."""

import numpy as np
from numpy.typing import ArrayLike

import torch_impl.parts.embedding

from ..helpers import draw
from ..mutation.catalogue import Fault
from ..rooms import RoomCase

V, E = 6, 3


def case(name: str, tokens: ArrayLike, padding_idx: int | None = None) -> RoomCase:
    """tokens have repeats, and tokens that never occur."""

    def run(package, d):
        y, k = package.embedding.forward(d["W"], d["ids"], padding_idx)
        return {"y": y, "dW": package.embedding.backward(d["dy"], k)}

    def twin(d):
        return {"y": torch_impl.parts.embedding.forward(d["W"], d["ids"], padding_idx)}

    ids = np.array(tokens)
    inputs = {"W": draw(1, V, E), "ids": ids, "dy": draw(2, *ids.shape, E)}
    return RoomCase("embedding", name, inputs, run, twin, holomorphic=padding_idx is None)


CASES = [
    case("repeats", [[0, 5, 2], [2, 2, 0]]),
    case("padding", [[4, 1, 4], [1, 0, 1]], padding_idx=1),
    case("padding_last", [5, 3, 5, 3], padding_idx=5),
    case("token", 3),
    case("all_equal", [2, 2, 2, 2]),
]

# fmt: off
FAULTS = [
    Fault("of a repeated token only the last gradient counts", "scatter", "return X.T @ dy",
          "out = np.zeros((V, dy.shape[1]), dy.dtype)\nout[ids] = dy\nreturn out"),
    Fault("gradient of a token averaged over its occurrences", "scatter", "return X.T @ dy",
          "return X.T @ dy / np.maximum(np.bincount(ids, minlength=V), 1)[:, None]"),
    Fault("padding takes a gradient", "backward", "dW[k.padding_idx] = 0", "pass"),
    Fault("padding at the wrong row", "backward", "dW[k.padding_idx] = 0", "dW[k.padding_idx - 1] = 0"),
    Fault("padding is read as zeros", "forward", "W[ids]", "W[ids] * (np.asarray(ids) != padding_idx)[..., None]"),
]
