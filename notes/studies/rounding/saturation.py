"""What a derivative loses that is computed from the function's value, where the function is saturated."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from benchmarks.what.precision import PRECISIONS
from reference.cells import rnn
from reference.common.arrays import Array, sigmoid

from ...generated import markdown
from ..drawing import FOREGROUND, panels, power_of_ten, stroke
from ..study import power, short

KINDS = ("float64", "float32", "float16", "bfloat16")
EDGES = {"tanh": np.arange(0, 20.25, 0.25), "sigmoid": np.arange(-20, 40.5, 0.5)}


def slope(a: Array, kind: str, function: str) -> Array:
    """Relative errors of tanh' or sigmoid' at a, as a backward computes it from the function's value

    In float64, float32 and float16 by the lines of ``reference``, in bfloat16 by torch's autograd.
    """
    if kind == "bfloat16":
        t = torch.from_numpy(a).to(torch.bfloat16).requires_grad_()
        getattr(torch, function)(t).sum().backward()
        assert t.grad is not None
        a, computed = (v.detach().double().numpy() for v in (t, t.grad))
    else:
        a = a.astype(kind)
        with np.errstate(under="ignore"):
            if function == "tanh":
                h = np.tanh(a)[None]
                computed = rnn.step_backward(rnn.Params(*[np.zeros((len(a), len(a)), kind)] * 4), np.ones_like(h), h)[0][0]
            else:
                s = sigmoid(a)
                computed = s * (1 - s)
    e = np.exp(-np.abs(a.astype(np.longdouble)) * (2 if function == "tanh" else 1))
    exact = (4 if function == "tanh" else 1) * e / (1 + e) ** 2
    return (np.abs(computed - exact) / exact).astype(float)


def saturation(kind: str, function: str) -> list[float]:
    """The largest relative error in each interval of a"""
    rng = np.random.default_rng(0)
    return [short(slope(rng.uniform(*ends, 64), kind, function).max()) for ends in pairwise(EDGES[function])]


def curves() -> dict[str, dict[str, list[float]]]:
    return {function: {kind: saturation(kind, function) for kind in KINDS} for function in EDGES}


def table(kept: dict[str, list[float]]) -> str:
    """From which a on the derivative of tanh is wrong by so much, to a quarter."""
    limits = {"0.1 %": 1e-3, "1 %": 1e-2, "10 %": 0.1, "90 %": 0.9}
    rows = []
    for kind, curve in kept.items():
        first = [f"{EDGES['tanh'][np.argmax(np.array(curve) >= limit)]:g}" for limit in limits.values()]
        rows.append([kind, power(PRECISIONS[kind].eps), *first])
    return "\n".join(markdown(["dtype", "eps", *(f"{name} wrong from a =" for name in limits)], rows))


def picture(kept: dict[str, dict[str, list[float]]]) -> Figure:
    about = (
        "Largest relative error of 1 - h² and of s (1 - s) among 64 random a in each interval. Of h alone: eps / 2 over "
        "1 - h², what the rounding of h makes. At 1 nothing is left: h is 1 to the last bit."
    )
    key = {kind: stroke(i) for i, kind in enumerate(KINDS)}
    alone: dict[str, Any] = {"color": FOREGROUND, "linestyle": ":", "linewidth": 0.8}
    headings = ["tanh: relative error of 1 - h²", "sigmoid: relative error of s (1 - s)"]
    title = "What a derivative loses that is computed from the function's value"
    figure, axes = panels(title, about, headings, 2.1, key=key | {"of h alone": alone})
    for ax, (function, edges) in zip(axes, EDGES.items(), strict=True):
        ax.set_yscale("log")
        ax.set_ylim(1e-17, 10)
        ax.set_xlim(edges[0], edges[-1])
        ax.set_xlabel("a")
        middle = (edges[:-1] + edges[1:]) / 2
        for kind, curve in kept[function].items():
            ax.plot(middle, curve, **key[kind])
            if function == "tanh":
                expected = PRECISIONS[kind].eps / 2 * np.cosh(middle) ** 2
                ax.plot(middle, np.where(expected < 1, expected, np.nan), **alone)
        ax.yaxis.set_major_formatter(power_of_ten)
    return figure
