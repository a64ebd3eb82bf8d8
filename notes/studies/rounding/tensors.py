"""How the errors of whole tensors are distributed, in each precision."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from rich.progress import track

from benchmarks.what.config import Config
from benchmarks.what.layer import baseline
from benchmarks.what.precision import PRECISIONS, in_force, jittered, rounded
from parity_tests.judge.cases import Data
from parity_tests.judge.implementations import BUILTIN
from parity_tests.judge.oracle import Tensors, compute, transform
from parity_tests.judge.tolerance import NO_ERROR, error_of, largest, largest_of, limits
from reference.common import parameters
from reference.common.arrays import Array

from ...generated import markdown
from ..drawing import panels, power_of_ten, stroke
from ..study import plain, power, quantiles, short
from .sequence import ROOMS, Record

SIZES: dict[str, Any] = {"T": 50, "B": 8, "input_size": 16, "hidden_size": 32}
SEEDS, JITTERED = 20, 2
PARTS = ("outputs", "gradients")


def to_bits(v: Array, bits: int) -> Array:
    """float32 rounded to so many bits after the leading one, to nearest, ties to even; exponents as in float32"""
    n = np.ascontiguousarray(v, np.float32).view(np.uint32)
    half = np.uint32(2 ** (22 - bits) - 1)
    return ((n + half + ((n >> np.uint32(23 - bits)) & np.uint32(1))) & ~np.uint32(2 ** (23 - bits) - 1)).view(np.float32)


def to_half(v: Array) -> Array:
    return v.astype(np.float16).astype(np.float32)


EMULATED: dict[str, Callable[[Array], Array]] = {
    "tf32": partial(to_bits, bits=10),
    "bfloat16": partial(to_bits, bits=7),
    "float16": to_half,
}


class Factor(np.ndarray):
    """float32 whose matrix products round both factors first; all else stays float32."""

    narrow: Callable[[Array], Array]

    def __array_ufunc__(self, ufunc, method, *inputs, **more):
        plain = [v.view(np.ndarray) if isinstance(v, np.ndarray) else v for v in inputs]
        if ufunc is np.matmul:
            plain = [type(self).narrow(v) for v in plain]
        return np.asarray(getattr(ufunc, method)(*plain, **more)).view(type(self))


def by_room(cell: str, data: Data) -> Tensors:
    """Every output and gradient of one layer by the lines of its room, in the arrays' own arithmetic."""
    room = ROOMS[cell]
    p = room.Params(**parameters.fields(data.weights, parameters.suffix(0, 0)))
    y, s_n, k = room.forward(p, data.x, room.State(*(v[0] for v in data.state or ())))
    dp, dx, ds_0 = room.backward(data.dy, room.State(*(v[0] for v in data.dstate)), k)
    named = {"y": y, "dx": dx} | {f"{n}_n": v[None] for n, v in s_n._asdict().items()}
    named |= {f"d{n}_0": v[None] for n, v in ds_0._asdict().items()}
    named |= {f"d{n}": v for n, v in zip(data.weights, dp, strict=False)}
    return {n: np.asarray(v) for n, v in named.items()}


WAYS = {  # name in the table: precision, and what computes in it; None for the rounding of factors
    "float64, NumPy's fast engine": ("float64", "numpy.fast"),
    "float64, torch.nn": ("float64", "torch.library"),
    "float32, NumPy's fast engine": ("float32", "numpy.fast"),
    "float32, torch.nn": ("float32", "torch.library"),
    "TF32, emulated": ("tf32", None),
    "float16, torch.nn": ("float16", "torch.library"),
    "float16 products, emulated": ("float16", None),
    "bfloat16, torch.nn": ("bfloat16", "torch.library"),
    "bfloat16 products, emulated": ("bfloat16", None),
}


def narrowed(cell: str, data: Data, precision: str) -> Tensors:
    """By the room, with the factors of its products rounded"""
    kind = type("Factor", (Factor,), {"narrow": staticmethod(EMULATED[precision])})
    with np.errstate(under="ignore"):
        return by_room(cell, transform(data, lambda v: v.view(kind)))


def errors(cell: str, way: str, seed: int) -> Iterator[Record]:
    """For each tensor: error over the largest exact value, and over what T1 allows.

    T1 has no baseline for the emulations.  They are held against what it allows float32.
    """
    precision, name = WAYS[way]
    case = replace(Config(cell, **SIZES, dtype=precision).case(), label=f"seed{seed}")
    data = rounded(case.data(), precision) if name else case.data()
    judged = precision if name else "float32"
    exact = by_room(cell, transform(data, lambda v: v.astype(np.longdouble)))
    noise, rng = dict.fromkeys(exact, NO_ERROR), np.random.default_rng(seed)
    for moved in (data, *(jittered(data, judged, rng) for _ in range(JITTERED))):
        for tensor, v in baseline(case, moved, judged, "cpu").items():
            noise[tensor] = largest_of([noise[tensor], error_of(v, exact[tensor], judged)])
    if name is None:
        by_way = narrowed(cell, data, precision)
    else:
        with in_force(precision), torch.enable_grad():
            by_way = compute(BUILTIN[name].load(replace(case.spec, dtype=PRECISIONS[precision].dtype), data.weights), case, data)
    for tensor, v in exact.items():
        top, error = float(largest(v)), float(largest(by_way[tensor] - v))
        limit = limits(noise[tensor], v, judged).largest
        yield {"part": "gradients" if tensor.startswith("d") else "outputs", "relative": error / top, "ratio": error / limit}


def distributions() -> Iterator[Record]:
    """A record for each way and part: quantiles of the error in eps, over allowed, and its distribution."""
    for way in track(WAYS, "distributions", transient=True):
        records = [r for cell in ROOMS for seed in range(SEEDS) for r in errors(cell, way, seed)]
        for part in PARTS:
            some = [r for r in records if r["part"] == part]
            relative, ratio = (np.array([r[k] for r in some], float) for k in ("relative", "ratio"))
            yield {
                "way": way,
                "part": part,
                "tensors": len(some),
                "eps": quantiles(relative / PRECISIONS[WAYS[way][0]].eps),
                "relative": quantiles(relative),
                "ratio": quantiles(ratio),
                "curve": [short(v) for v in np.quantile(relative, np.linspace(0, 1, 41))],
            }


def table(records: list[Record]) -> str:
    three = "median · 95 % · largest"
    head = ["precision", "tensors", f"error in its eps: {three}", "relative error: median · largest", f"over allowed: {three}"]
    rows = []
    for r in records:
        relative = f"{power(r['relative'][0])} · {power(r['relative'][2])}"
        ratio = " · ".join(map(plain, r["ratio"])) + ("" if WAYS[r["way"]][1] else ", of float32's")
        rows.append([f"{r['way']}, {r['part']}", r["tensors"], " · ".join(map(plain, r["eps"])), relative, ratio])
    return "\n".join(markdown(head, rows))


def picture(records: list[Record]) -> Figure:
    about = (
        f"Error over the tensor's largest exact value; rnn, lstm and gru, {SEEDS} seeds each. Emulated: the factors of "
        "products are rounded, the rest is float32."
    )
    headings = [f"{part}: percent of the tensors" for part in PARTS]
    key = {way: stroke(i) for i, way in enumerate(WAYS)}
    figure, axes = panels("How the errors of whole tensors are distributed", about, headings, 1.9, key=key)
    for ax, part in zip(axes, PARTS, strict=True):
        ax.set_xscale("log")
        ax.set_xlim(1e-17, 1e-1)
        ax.set_ylim(0, 100)
        ax.set_xlabel("error / largest value")
        ax.set_xticks([1e-16, 1e-12, 1e-8, 1e-4])
        ax.minorticks_off()
        ax.xaxis.set_major_formatter(power_of_ten)
        for r in (r for r in records if r["part"] == part):
            ax.plot(r["curve"], np.linspace(0, 100, len(r["curve"])), **key[r["way"]])
    return figure
