"""Cases and faults of reference/parts/dropout.py."""

import numpy as np

import torch_impl.parts.dropout

from ..helpers import draw
from ..mutation.faults import Fault
from .harness import PartCase


def case(name, p, *shape):
    keep = np.random.default_rng(0).random(shape) >= p

    def run(package, d):
        y, k = package.dropout.forward(d["x"], d["keep"], p)
        return {"y": y, "dx": package.dropout.backward(d["dy"], k)}

    def twin(d):
        return {"y": torch_impl.parts.dropout.forward(d["x"], d["keep"], p)}

    return PartCase("dropout", name, {"x": draw(1, *shape), "keep": keep, "dy": draw(2, *shape)}, run, twin)


CASES = [case("third", 0.3, 5, 4, 3), case("most", 0.8, 7, 5), case("none", 0.0, 4, 3)]

FAULTS = [
    Fault("not scaled", "cells/stack.py", "return 1 / (1 - p) if p < 1 else 0.0", "return 1.0"),
    Fault("mask exchanged", "parts/dropout.py", "return x * keep * scale", "return x * ~keep * scale"),
    Fault("left out of the backward", "parts/dropout.py", "dy * k.keep * scale(k.p)", "dy",
          source="pytorch #190056: MPS backward ignored dropout"),
    Fault("not scaled in the backward", "parts/dropout.py", "dy * k.keep * scale(k.p)", "dy * k.keep"),
    Fault("kept with probability p", "parts/dropout.py", "scale(p), Cache(keep, p)", "scale(1 - p), Cache(keep, p)"),
]
