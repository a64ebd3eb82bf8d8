"""How an error grows along a sequence."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import DTypeLike
from rich.progress import track

from reference.cells import gru, lstm, rnn
from reference.common.arrays import Array
from reference.training.init import SCHEMES

from ...generated import markdown
from ..drawing import lines, panels, stroke
from ..study import plain, quantiles, short

Record = dict[str, Any]
ROOMS: dict[str, ModuleType] = {"rnn": rnn, "lstm": lstm, "gru": gru}
T, B, I, H = 500, 8, 16, 32
WEIGHTS = ("torch's", "keeping", "six times")
AFTER, EVERY = (10, 100, 500), 10  # steps in the table; steps to one point of a curve
OPEN = 8.0  # added to the bias of the gate that keeps the old state


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

    def states(kind: DTypeLike) -> tuple[Array, Array]:
        zeros = room.State(*(np.zeros((B, H), kind) for _ in room.State._fields))
        y, _, k = room.forward(room.Params(*(v.astype(kind) for v in p)), x.astype(kind), zeros)
        return y, room.deltas(dy.astype(kind), zeros, k).dh[:0:-1]

    def in_eps(computed: Array, exact: Array) -> Array:
        unit = float(np.finfo(dtype).eps) * np.abs(exact).max((1, 2), keepdims=True)
        return (np.abs(computed - exact) / unit).astype(float).reshape(steps, -1)

    return dict(zip(("h", "dh"), map(in_eps, states(dtype), states(np.longdouble)), strict=True))


def growth() -> Iterator[Record]:
    """A record for each cell, size of the weights, dtype and quantity."""
    todo = [(c, w, d) for c in ROOMS for w in WEIGHTS for d in ("float32", "float64")]
    for cell, weights, dtype in track(todo, "along a sequence", transient=True):
        for quantity, errors in along(cell, weights, dtype).items():
            yield {
                "cell": cell,
                "weights": weights,
                "dtype": dtype,
                "quantity": quantity,
                "curve": [short(v) for v in errors.max(1).reshape(-1, EVERY).max(1)],
                "after": {str(n): quantiles(errors[n - 1]) for n in AFTER},
            }


def table(records: list[Record]) -> str:
    """Median, 95 percent and largest after so many steps; both dtypes at the end."""
    by_place = {(r["cell"], r["weights"], r["quantity"], r["dtype"]): r["after"] for r in records}
    rows = []
    for place in dict.fromkeys(key[:3] for key in by_place):
        single, double = (by_place[*place, dtype] for dtype in ("float32", "float64"))
        shown = [*(single[str(n)] for n in AFTER), double[str(AFTER[-1])]]
        rows.append([*place, *(" · ".join(map(plain, three)) for three in shown)])
    head = ["cell", "weights", "of", *(f"float32, after {n} steps" for n in AFTER), f"float64, after {AFTER[-1]}"]
    return "\n".join(markdown(head, rows, (0, 1, 2)))


def picture(records: list[Record]) -> Figure:
    about = (
        f"Largest error of {EVERY} steps, in eps of the dtype times the step's largest exact value; T = {T}, B = {B}, "
        f"H = {H}. Left: the state, against the step. Right: its gradient, against steps back from the end."
    )
    key = {f"{w}, {dtype}": stroke(i + 1, j) for i, w in enumerate(WEIGHTS) for j, dtype in enumerate(("float32", "float64"))}
    places = [(quantity, cell) for cell in ROOMS for quantity in ("h", "dh")]
    headings = [f"{cell}: error of {quantity}, eps" for quantity, cell in places]
    figure, axes = panels("Rounding along a sequence", about, headings, 1.6, 2, key=key)
    for ax, place in zip(axes, places, strict=True):
        some = [r for r in records if (r["quantity"], r["cell"]) == place]
        data = {f"{r['weights']}, {r['dtype']}": np.array(r["curve"], float) for r in some}
        lines(ax, data, 1e-1, 1e20, "step" if place[0] == "h" else "steps back", EVERY, key)
    return figure
