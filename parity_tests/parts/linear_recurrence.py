"""Cases and faults of reference/parts/linear_recurrence.py: the recurrence by itself, and the layer over it."""

import numpy as np

import torch_impl.parts.linear_recurrence as twins

from ..helpers import draw
from ..mutation.catalogue import Fault
from ..rooms import RoomCase

B, I, H = 2, 5, 3
RUNS = ("loop", "scan")


def recurrence(name: str, way: str, T: int, low: float, high: float) -> RoomCase:
    """h_{t+1} = a_t ∘ h_t + u_t by itself, every factor between ``low`` and ``high``."""

    def run(package, d):
        room = package.linear_recurrence
        h = getattr(room, way)(d["a"], d["u"], d["h_0"])
        da, du, dh_0 = room.recurrence_backward(d["dy"], d["dh_n"], d["a"], h, getattr(room, way))
        return {"y": h[1:], "h_n": h[-1], "da": da, "du": du, "dh_0": dh_0}

    def twin(d):
        h = getattr(twins, way)(d["a"], d["u"], d["h_0"])
        return {"y": h[1:], "h_n": h[-1]}

    factors = low + (high - low) * np.random.default_rng(1).random((T, B, H))
    inputs = {"a": factors, "u": draw(2, T, B, H), "h_0": draw(3, B, H), "dy": draw(4, T, B, H), "dh_n": draw(5, B, H)}
    return RoomCase("linear_recurrence", f"{way}-{name}", inputs, run, twin)


def layer(name: str, way: str, T: int, gain: float = 1.0) -> RoomCase:
    def run(package, d):
        room = package.linear_recurrence
        y, h_n, k = room.forward(room.Params(d["W_ih"], d["b_ih"]), d["x"], d["h_0"], getattr(room, way))
        dp, dx, dh_0 = room.backward(d["dy"], d["dh_n"], k)
        return {"y": y, "h_n": h_n, "dW_ih": dp.W_ih, "db_ih": dp.b_ih, "dx": dx, "dh_0": dh_0}

    def twin(d):
        y, h_n = twins.forward(twins.Params(d["W_ih"], d["b_ih"]), d["x"], d["h_0"], getattr(twins, way))
        return {"y": y, "h_n": h_n}

    inputs = {"W_ih": gain * draw(1, 2 * H, I), "b_ih": draw(2, 2 * H), "x": draw(3, T, B, I), "h_0": draw(4, B, H)}
    inputs |= {"dy": draw(5, T, B, H), "dh_n": draw(6, B, H)}
    return RoomCase("linear_recurrence", f"{way}-layer-{name}", inputs, run, twin)


CASES = [
    case
    for way in RUNS
    for case in (
        recurrence("gates", way, 6, 0.0, 1.0),
        recurrence("one_step", way, 1, 0.0, 1.0),
        recurrence("power_of_two", way, 8, 0.2, 0.9),
        recurrence("long", way, 100, 0.9, 1.0),
        recurrence("near_one", way, 33, 1 - 1e-4, 1.0),
        recurrence("near_zero", way, 9, 0.0, 1e-6),
        recurrence("negative", way, 11, -1.0, 1.0),
        recurrence("growing", way, 12, -2.0, 2.0),
        layer("random", way, 7),
        layer("one_step", way, 1),
        layer("saturated", way, 6, gain=6.0),
    )
]

# fmt: off
FAULTS = [
    Fault("factor of the step before", "loop", "a[t] * h[t]", "a[t - 1] * h[t]"),
    Fault("input forgotten with the state", "loop", "a[t] * h[t] + u[t]", "a[t] * (h[t] + u[t])"),
    Fault("first state starts at zero", "loop", "[h_0[None], u]", "[0 * h_0[None], u]"),
    Fault("first state starts at zero, in the scan", "scan", "[h_0[None], u]", "[0 * h_0[None], u]"),
    Fault("composed in the wrong order", "scan", "a[reach:] * h[:-reach] + h[reach:]", "a[:-reach] * h[reach:] + h[:-reach]"),
    Fault("factors not composed", "scan", "a[reach:] = a[reach:] * a[:-reach]", "pass"),
    Fault("factors composed before the states read them", "scan",
          "h[reach:] = a[reach:] * h[:-reach] + h[reach:]\na[reach:] = a[reach:] * a[:-reach]",
          "a[reach:] = a[reach:] * a[:-reach]\nh[reach:] = a[reach:] * h[:-reach] + h[reach:]"),
    Fault("last round left out", "scan", "reach < len(h)", "2 * reach < len(h)"),
    Fault("reach grows by one, not twofold", "scan", "reach *= 2", "reach += 1"),
    Fault("inputs of the caller are written to", "scan", "reach = 1", "reach = 1\nu *= 2", shows="changed"),
    Fault("gradient of the final state ignored", "recurrence_backward", "direct[-1] += dh_n", "pass"),
    Fault("first state taken for an output", "recurrence_backward", "np.concatenate([np.zeros_like(h[:1]), dy])",
          "np.concatenate([dy[:1], dy])"),
    Fault("backward runs forward in time", "recurrence_backward", "run(a[::-1], direct[-2::-1], direct[-1])[::-1]",
          "run(a, direct[:-1], direct[-1])"),
    Fault("factors not reversed in the backward", "recurrence_backward", "run(a[::-1], direct[-2::-1], direct[-1])",
          "run(a, direct[-2::-1], direct[-1])"),
    Fault("factor's gradient by the state that leaves", "recurrence_backward", "dh[1:] * h[:-1]", "dh[1:] * h[1:]"),
    Fault("factor's gradient by the gradient that leaves", "recurrence_backward", "dh[1:] * h[:-1]", "dh[:-1] * h[:-1]"),
    Fault("input's gradient one step early", "recurrence_backward", "dh[1:] * h[:-1], dh[1:], dh[0]",
          "dh[1:] * h[:-1], dh[:-1], dh[0]"),
    Fault("z and its complement exchanged", "forward", "run(z, (1 - z) * n, h_0)", "run(1 - z, z * n, h_0)",
          source="the minGRU paper's z is one minus this one"),
    Fault("bias left out", "forward", "rows(x) @ p.W_ih.T + p.b_ih", "rows(x) @ p.W_ih.T",
          source="numpy-ml #42: all tests had zero biases"),
    Fault("z counted as a factor only", "backward", "da - du * k.n", "da"),
    Fault("derivative of the sigmoid left out", "backward", "dz * k.z * (1 - k.z)", "dz"),
    Fault("gradient of the bias averaged", "backward", "A.sum(0)", "A.mean(0)"),
]
