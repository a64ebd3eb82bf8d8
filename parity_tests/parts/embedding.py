"""Cases and faults of reference/parts/embedding.py."""

import numpy as np

import torch_impl.parts.embedding

from ..helpers import draw
from ..mutation.faults import Fault
from .harness import PartCase

V, E = 6, 3


def case(name, ids, padding_idx=None):
    """ids have repeats, and tokens that never occur."""
    def run(package, d):
        y, k = package.embedding.forward(d["W"], d["ids"], padding_idx)
        return {"y": y, "dW": package.embedding.backward(d["dy"], k)}

    def twin(d):
        return {"y": torch_impl.parts.embedding.forward(d["W"], d["ids"], padding_idx)}

    ids = np.array(ids)
    return PartCase("embedding", name, {"W": draw(1, V, E), "ids": ids, "dy": draw(2, *ids.shape, E)}, run, twin,
                    holomorphic=padding_idx is None)


CASES = [case("repeats", [[0, 5, 2], [2, 2, 0]]), case("padding", [[4, 1, 4], [1, 0, 1]], padding_idx=1),
         case("padding_last", [5, 3, 5, 3], padding_idx=5), case("token", 3), case("all_equal", [2, 2, 2, 2])]

FAULTS = [
    Fault("of a repeated token only the last gradient counts", "parts/embedding.py", "return S @ dy",
          "out = np.zeros((V, dy.shape[1]), dy.dtype)\n    out[ids] = dy\n    return out"),
    Fault("gradient of a token averaged over its occurrences", "parts/embedding.py", "return S @ dy",
          "return S @ dy / np.maximum(np.bincount(ids, minlength=V), 1)[:, None]"),
    Fault("padding takes a gradient", "parts/embedding.py", "dW[k.padding_idx] = 0", "pass"),
    Fault("padding at the wrong row", "parts/embedding.py", "dW[k.padding_idx] = 0", "dW[k.padding_idx - 1] = 0"),
    Fault("padding is read as zeros", "parts/embedding.py", "return W[ids], Cache",
          "return W[ids] * (np.asarray(ids) != padding_idx)[..., None], Cache"),
]
