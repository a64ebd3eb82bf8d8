"""Cases and faults of reference/parts/linear.py."""

import torch_impl.parts.linear as torch_linear

from ..helpers import draw
from ..mutation.catalogue import Fault
from ..rooms import RoomCase


def run(package, d):
    p = package.linear.Params(d["W"], d.get("b"))
    y, k = package.linear.forward(p, d["x"])
    dp, dx = package.linear.backward(d["dy"], k)
    return {"y": y, "dW": dp.W, "dx": dx} | ({} if dp.b is None else {"db": dp.b})


def twin(d):
    return {"y": torch_linear.forward(torch_linear.Params(d["W"], d.get("b")), d["x"])}


def case(name: str, lead: tuple[int, ...], bias: bool = True) -> RoomCase:
    O, I = 3, 5
    b = {"b": draw(3, O)} if bias else {}
    return RoomCase("linear", name, {"W": draw(1, O, I), "x": draw(2, *lead, I), "dy": draw(4, *lead, O)} | b, run, twin)


CASES = [case("sequence", (4, 2)), case("row", ()), case("batch", (4,)), case("nobias", (4, 2), bias=False), case("size1", (1, 1))]

# fmt: off
FAULTS = [
    Fault("bias left out", "forward", "y += p.b", "y += 0 * p.b", source="numpy-ml #42: all tests had zero biases"),
    Fault("gradient of the bias of the last row only", "backward", "A.sum(0)", "A[-1]"),
    Fault("gradient of the bias averaged", "backward", "A.sum(0)", "A.mean(0)"),
    Fault("rows of time and batch exchanged", "backward", "rows(k.x)", "rows(k.x.swapaxes(0, 1) if k.x.ndim == 3 else k.x)"),
    Fault("gradient of the weight scaled by the batch", "backward", "A.T @ rows(k.x)", "A.T @ rows(k.x) / len(A)"),
    Fault("upstream gradient's array is written to", "backward", "A = rows(dy)", "A = rows(dy)\nA *= 2",
          source="in-place code on a view where a copy was expected", shows="changed"),
]
