"""Cases and faults of reference/parts/dropout.py."""

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

# fmt: off
FAULTS = [
    Fault("not scaled", "scale", "1 / (1 - p) if p < 1 else 0.0", "1.0", room="cells/stack"),
    Fault("mask exchanged", "forward", "x * keep * scale(p)", "x * ~keep * scale(p)"),
    Fault("left out of the backward", "backward", "dy * k.keep * scale(k.p)", "dy",
          source="pytorch #190056: MPS backward ignored dropout"),
    Fault("not scaled in the backward", "backward", "dy * k.keep * scale(k.p)", "dy * k.keep"),
    Fault("kept with probability p", "forward", "x * keep * scale(p)", "x * keep * scale(1 - p)"),
]
