"""Cases and faults of reference/parts/dropout.py."""

from functools import partial

import numpy as np

import torch_impl.parts.dropout

from ..helpers import draw
from ..mutation.catalogue import Fault
from ..rooms import RoomCase


def case(name: str, p: float, *shape: int) -> RoomCase:
    keep = np.random.default_rng(0).random(shape) >= p

    def run(package, d):
        y, k = package.dropout.forward(d["x"], d["keep"], p)
        return {"y": y, "dx": package.dropout.backward(d["dy"], k)}

    def twin(d):
        return {"y": torch_impl.parts.dropout.forward(d["x"], d["keep"], p)}

    return RoomCase("dropout", name, {"x": draw(1, *shape), "keep": keep, "dy": draw(2, *shape)}, run, twin)


CASES = [case("third", 0.3, 5, 4, 3), case("most", 0.8, 7, 5), case("none", 0.0, 4, 3)]

fault = partial(Fault, "parts/dropout")
# fmt: off
FAULTS = [
    Fault("cells/stack", "not scaled", "scale", "1 / (1 - p) if p < 1 else 0.0", "1.0"),
    fault("mask exchanged", "forward", "x * keep * scale(p)", "x * ~keep * scale(p)"),
    fault("left out of the backward", "backward", "dy * k.keep * scale(k.p)", "dy",
          source="pytorch #190056: MPS backward ignored dropout"),
    fault("not scaled in the backward", "backward", "dy * k.keep * scale(k.p)", "dy * k.keep"),
    fault("kept with probability p", "forward", "x * keep * scale(p)", "x * keep * scale(1 - p)"),
]
