"""``python -m notes.studies.rounding``: how large rounding errors are, for notes/tolerances.md, from the library itself.

Three measurements, seeds fixed: how an error grows along a sequence, what 1 - h² loses where h is near 1, and how the
errors of whole tensors are distributed in each precision.  With ``--write`` they are kept in notes/results/rounding.json,
the tables go into the note and the figures into notes/figures.  What stands in the note is made from the kept file.

TF32 is emulated: no GPU is asked.  Both factors of every product are rounded to 10 bits, the sum is in float32.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from rich.progress import track

from benchmarks.what.config import Config
from benchmarks.what.layer import baseline
from benchmarks.what.precision import PRECISIONS, in_force, jittered, rounded
from parity_tests.judge.cases import Case, Data
from parity_tests.judge.implementations import BUILTIN
from parity_tests.judge.oracle import Tensors, compute, transform
from parity_tests.judge.terminal import flag
from parity_tests.judge.tolerance import BASELINE_FACTOR, FLOOR_EPS, largest
from reference.cells import gru, lstm, rnn
from reference.common import parameters
from reference.common.arrays import Array, sigmoid
from reference.training.init import SCHEMES

from .pages import NOTES, insert

COMMAND = "python -m notes.studies.rounding --write"
KEPT = NOTES / "results" / "rounding.json"
ROOMS: dict[str, Any] = {"rnn": rnn, "lstm": lstm, "gru": gru}

T, B, I, H = 500, 8, 16, 32           # of the curves along a sequence
WEIGHTS = ("torch's", "keeping", "six times")
AFTER, EVERY = (10, 100, 500), 10     # steps in the table; steps to one point of a curve
OPEN = 8.0                            # added to the bias of the gate that keeps the old state
SIZES: dict[str, Any] = {"T": 50, "B": 8, "input_size": 16, "hidden_size": 32}  # of the distributions
SEEDS, JITTERED = 20, 2
KINDS = ("float64", "float32", "float16", "bfloat16")


# Along a sequence

def weights_of(cell: str, which: str, rng: np.random.Generator) -> list[Array]:
    """W_ih, W_hh, b_ih, b_hh: as torch draws them; so that a state passes a step almost unchanged; six times as large."""
    G = len(ROOMS[cell].GATES)
    shapes = (G * H, I), (G * H, H), (G * H,), (G * H,)
    W_ih, W_hh, b_ih, b_hh = (rng.uniform(-1, 1, shape) / np.sqrt(H) for shape in shapes)
    if which == "six times":
        return [6 * v for v in (W_ih, W_hh, b_ih, b_hh)]
    if which == "keeping" and cell == "rnn":  # orthogonal, and so little input that tanh is nearly linear
        return [0.01 * W_ih, SCHEMES["orthogonal"](rng, W_hh.shape), 0 * b_ih, 0 * b_hh]
    if which == "keeping":
        b_hh[H : 2 * H] += OPEN  # the forget gate of the LSTM, the update gate of the GRU
    return [W_ih, W_hh, b_ih, b_hh]


def along(cell: str, weights: str, dtype: str, steps: int = T) -> dict[str, Array]:
    """Errors of h and dh in eps of the step's largest value: (steps, B·H), in the order of computation."""
    room, rng = ROOMS[cell], np.random.default_rng(0)
    p = [v.astype(dtype) for v in weights_of(cell, weights, rng)]
    x, dy = (rng.standard_normal((steps, B, n)).astype(dtype) for n in (I, H))
    zeros = [np.zeros((B, H), dtype) for _ in room.State._fields]

    def states(kind: Any) -> Iterator[Array]:
        def cast(arrays):
            return [v.astype(kind) for v in arrays]

        y, _, k = room.forward(room.Params(*cast(p)), x.astype(kind), room.State(*cast(zeros)))
        yield y
        yield room.deltas(dy.astype(kind), room.State(*cast(zeros)), k).dh[:0:-1]

    return {name: off(found, exact, float(np.finfo(dtype).eps))
            for name, found, exact in zip(("h", "dh"), states(dtype), states(np.longdouble), strict=True)}


def off(found: Array, exact: Array, eps: float) -> Array:
    """(T, B, H) twice  ->  (T, B·H) errors in eps of the largest exact value of the step"""
    top = np.abs(exact).max((1, 2), keepdims=True)
    return (np.abs(found - exact) / (eps * top)).astype(float).reshape(len(found), -1)


def growth() -> Iterator[dict]:
    """A record for each cell, size of the weights, dtype and quantity."""
    todo = [(c, w, d) for c in ROOMS for w in WEIGHTS for d in ("float32", "float64")]
    for cell, weights, dtype in track(todo, "along a sequence", transient=True):
        for quantity, errors in along(cell, weights, dtype).items():
            yield {"cell": cell, "weights": weights, "dtype": dtype, "quantity": quantity,
                   "curve": [short(v) for v in errors.max(1).reshape(-1, EVERY).max(1)],
                   "after": {str(n): spread_of(errors[n - 1]) for n in AFTER}}


def spread_of(errors: Array) -> list[float]:
    """Median, 95 percent and largest"""
    return [short(v) for v in (np.median(errors), np.quantile(errors, 0.95), np.max(errors))]


def short(v: float) -> float:
    return float(f"{v:.3g}")


# Near saturation

def slope(a: Array, kind: str, function: str) -> tuple[Array, Array]:
    """Relative errors of tanh' or sigmoid' as a backward computes it from the function's value: a -> a in kind, errors

    In float64, float32 and float16 by the lines of ``reference``, in bfloat16 by torch's autograd.
    """
    if kind == "bfloat16":
        t = torch.from_numpy(a).to(torch.bfloat16).requires_grad_()
        getattr(torch, function)(t).sum().backward()
        assert t.grad is not None
        a, found = (v.detach().double().numpy() for v in (t, t.grad))
    else:
        a = a.astype(kind)
        with np.errstate(under="ignore"):
            if function == "tanh":
                h = np.tanh(a)[None]
                found = rnn.step_backward(rnn.Params(*[np.zeros((len(a), len(a)), kind)] * 4), np.ones_like(h), h)[0][0]
            else:
                s = sigmoid(a)
                found = s * (1 - s)
    e = np.exp(-np.abs(a.astype(np.longdouble)) * (2 if function == "tanh" else 1))
    exact = (4 if function == "tanh" else 1) * e / (1 + e) ** 2
    return a.astype(float), (np.abs(found - exact) / exact).astype(float)


def saturation(kind: str, function: str, edges: Array, each: int = 64) -> list[float]:
    """The largest relative error in each interval of a"""
    rng = np.random.default_rng(0)
    return [short(slope(rng.uniform(low, high, each), kind, function)[1].max())
            for low, high in pairwise(edges)]


EDGES = {"tanh": np.arange(0, 20.25, 0.25), "sigmoid": np.arange(-20, 40.5, 0.5)}


# Whole tensors

def to_bits(v: Array, bits: int) -> Array:
    """float32 rounded to so many bits after the leading one, to nearest, ties to even; exponents as in float32"""
    n = np.ascontiguousarray(v, np.float32).view(np.uint32)
    half = np.uint32(2 ** (22 - bits) - 1)
    return ((n + half + ((n >> np.uint32(23 - bits)) & np.uint32(1))) & ~np.uint32(2 ** (23 - bits) - 1)).view(np.float32)


def to_half(v: Array) -> Array:
    return v.astype(np.float16).astype(np.float32)


EMULATED: dict[str, Callable[[Array], Array]] = {
    "tf32": partial(to_bits, bits=10), "bfloat16": partial(to_bits, bits=7), "float16": to_half}


class Factor(np.ndarray):
    """float32 whose matrix products round both factors first; all else stays float32."""

    narrow: Callable[[Array], Array]

    def __array_ufunc__(self, ufunc, method, *inputs, **more):
        plain = [v.view(np.ndarray) if isinstance(v, np.ndarray) else v for v in inputs]
        if ufunc is np.matmul:
            plain = [type(self).narrow(v) for v in plain]
        return np.asarray(getattr(ufunc, method)(*plain, **more)).view(type(self))


def emulated(precision: str) -> type[Factor]:
    return type("Factor", (Factor,), {"narrow": staticmethod(EMULATED[precision])})


def by_room(cell: str, data: Data) -> Tensors:
    """Every output and gradient of one layer by the lines of its room, in the arrays' own arithmetic."""
    room = ROOMS[cell]
    y, s_n, k = room.forward(room.Params(**parameters.fields(data.weights, parameters.suffix(0, 0))), data.x,
                             room.State(*(v[0] for v in data.state or ())))
    dp, dx, ds_0 = room.backward(data.dy, room.State(*(v[0] for v in data.dstate)), k)
    named = {"y": y, "dx": dx} | {f"{n}_n": v[None] for n, v in s_n._asdict().items()}
    named |= {f"d{n}_0": v[None] for n, v in ds_0._asdict().items()}
    weights = dict(zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), dp, strict=False))
    return {n: np.asarray(v) for n, v in (named | {f"d{n}": v for n, v in weights.items()}).items()}


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


def errors(cell: str, way: str, seed: int) -> Iterator[dict]:
    """For each tensor: error over the largest exact value, and over what T1 allows.

    T1 has no baseline for the emulations.  They are held against what it allows float32.
    """
    precision, name = WAYS[way]
    case = replace(Config(cell, **SIZES, dtype=precision).case(), label=f"seed{seed}")
    data = rounded(case.data(), precision) if name else case.data()
    judged = precision if name else "float32"
    exact = by_room(cell, transform(data, lambda v: v.astype(np.longdouble)))
    noise, rng = dict.fromkeys(exact, 0.0), np.random.default_rng(seed)
    for moved in (data, *(jittered(data, judged, rng) for _ in range(JITTERED))):
        for tensor, v in baseline(case, moved, judged, "cpu").items():
            noise[tensor] = max(noise[tensor], float(largest(v - exact[tensor])))
    found = computed(case, data, precision, name) if name else narrowed(cell, data, precision)
    for tensor, v in exact.items():
        top, error = float(largest(v)), float(largest(found[tensor] - v))
        limit = BASELINE_FACTOR * noise[tensor] + FLOOR_EPS * PRECISIONS[judged].eps * top
        yield {"part": "gradients" if tensor.startswith("d") else "outputs", "relative": error / top, "ratio": error / limit}


def computed(case: Case, data: Data, precision: str, name: str) -> Tensors:
    """By a built-in implementation"""
    spec = replace(case.spec, dtype=PRECISIONS[precision].dtype)
    with in_force(precision), torch.enable_grad():
        return compute(BUILTIN[name].load(spec, data.weights), case, data)


def narrowed(cell: str, data: Data, precision: str) -> Tensors:
    """By the room, with the factors of its products rounded"""
    kind = emulated(precision)
    with np.errstate(under="ignore"):
        return by_room(cell, transform(data, lambda v: v.view(kind)))


def distributions() -> Iterator[dict]:
    """A record for each way and part: quantiles of the error in eps, over allowed, and its distribution."""
    for way in track(WAYS, "distributions", transient=True):
        rows = [r for cell in ROOMS for seed in range(SEEDS) for r in errors(cell, way, seed)]
        for part in ("outputs", "gradients"):
            some = [r for r in rows if r["part"] == part]
            relative, ratio = (np.array([r[k] for r in some], float) for k in ("relative", "ratio"))
            yield {"way": way, "part": part, "tensors": len(some),
                   "eps": spread_of(relative / PRECISIONS[WAYS[way][0]].eps),
                   "relative": spread_of(relative),
                   "ratio": spread_of(ratio),
                   "curve": [short(v) for v in np.quantile(relative, np.linspace(0, 1, 41))]}


# The page

def growth_table(records: list[dict]) -> str:
    """Median, 95 percent and largest after so many steps; both dtypes at the end."""
    heads = [f"float32, after {n} steps" for n in AFTER] + [f"float64, after {AFTER[-1]}"]
    lines = ["| cell | weights | of | " + " | ".join(heads) + " |", "|---|---|---|" + "--:|" * len(heads)]
    found = {(r["cell"], r["weights"], r["quantity"], r["dtype"]): r["after"] for r in records}
    for cell, weights, quantity in dict.fromkeys(key[:3] for key in found):
        single, double = (found[cell, weights, quantity, dtype] for dtype in ("float32", "float64"))
        cells = [" · ".join(figure(v) for v in three)
                 for three in (*(single[str(n)] for n in AFTER), double[str(AFTER[-1])])]
        lines.append(f"| {cell} | {weights} | {quantity} | {' | '.join(cells)} |")
    return "\n".join(lines)


def saturation_table(curves: dict[str, list[float]]) -> str:
    """From which a on the derivative of tanh is wrong by so much, to a quarter."""
    limits = {"0.1 %": 1e-3, "1 %": 1e-2, "10 %": 0.1, "90 %": 0.9}
    lines = ["| dtype | eps | " + " | ".join(f"{name} wrong from a =" for name in limits) + " |", "|---|--:|" + "--:|" * 4]
    for kind, curve in curves.items():
        first = [f"{EDGES['tanh'][np.argmax(np.array(curve) >= limit)]:g}" for limit in limits.values()]
        lines.append(f"| {kind} | {power(PRECISIONS[kind].eps)} | {' | '.join(first)} |")
    return "\n".join(lines)


def distribution_table(records: list[dict]) -> str:
    lines = ["| precision | tensors | error in its eps: median · 95 % · largest | relative error: median · largest "
             "| over allowed: median · 95 % · largest |", "|---|--:|--:|--:|--:|"]
    for r in records:
        ratio = " · ".join(figure(v) for v in r["ratio"]) + ("" if WAYS[r["way"]][1] else ", of float32's")
        lines.append(f"| {r['way']}, {r['part']} | {r['tensors']} | {' · '.join(figure(v) for v in r['eps'])} "
                     f"| {power(r['relative'][0])} · {power(r['relative'][2])} | {ratio} |")
    return "\n".join(lines)


def figure(v: float) -> str:
    return f"{v:.2f}" if v < 1 else f"{v:.1f}" if v < 100 else f"{v:,.0f}" if v < 1e5 else f"{v:.0e}".replace("+", "")


def power(v: float) -> str:
    """With a minus sign, at which no line is broken"""
    return f"{v:.1e}".replace("-", "−")


def tables(kept: dict) -> dict[str, str]:
    """What stands in the note, by the end of its command."""
    return {"growth": growth_table(kept["growth"]), "saturation": saturation_table(kept["saturation"]["tanh"]),
            "distributions": distribution_table(kept["distributions"])}


def main() -> int:
    write = flag("write", "put it into the notes", __doc__)
    kept = {"growth": list(growth()), "distributions": list(distributions()),
            "saturation": {f: {kind: saturation(kind, f, e) for kind in KINDS} for f, e in EDGES.items()}}
    made = tables(kept)
    print("\n\n".join(made.values()))
    if write:
        from .rounding_figures import draw

        KEPT.write_text(json.dumps(kept) + "\n", encoding="utf-8")
        for name, table in made.items():
            insert("tolerances.md", f"{COMMAND}, {name}", table)
        draw(kept)
    return 0


if __name__ == "__main__":
    sys.exit(main())
