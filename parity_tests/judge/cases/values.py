"""What goes in where a case is not made of random numbers alone: extreme, absent and non-finite values.

padding     past a sequence's end, in x and in dy, where nothing may be read
upstream    which gradients arrive; the others are zero
range       arguments of tanh and sigmoid past those at which e^x and e^2x overflow; states past any clip
long        weights with which a gradient lives for hundreds of steps
inside      one NaN, or one infinity, in one step of one sequence
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .case import Case, Data

Change = Callable[["Data", "Case"], "Data"]
SPIKE = {"float64": 3000.0}  # times an x of size 1 and weights of size 0.6; e^x ends at 710, in others at 89 and before
OTHER_SPIKE = 300.0
FAR_STATE = 60.0
STEP, SEQUENCE = 1, 2  # where a single value stands


def changed(data: "Data", case: "Case") -> "Data":
    """The data of a case with its ``values`` in it."""
    return CHANGES[case.values](data, case) if case.values else data


def padded_with(value: float) -> Change:
    """``value`` in x and dy past the end of each sequence."""

    def change(data: "Data", case: "Case") -> "Data":
        x, dy = data.x.copy(), data.dy.copy()
        for b, n in enumerate(case.lengths or ()):
            sequence(x, case, b)[n:] = value
            sequence(dy, case, b)[n:] = value
        return data._replace(x=x, dy=dy)

    return change


def only(*upstream: str) -> Change:
    """Gradients arrive at these outputs alone."""

    def change(data: "Data", case: "Case") -> "Data":
        dstate = tuple(v if f"{letter}_n" in upstream else 0 * v for letter, v in zip("hc", data.dstate, strict=False))
        return data._replace(dy=data.dy if "y" in upstream else 0 * data.dy, dstate=dstate)

    return change


def spikes(data: "Data", case: "Case") -> "Data":
    """One step of each sequence far out, each feature to a side of its own; the others as they were."""
    x = data.x.copy()
    for b in range(case.B):
        sequence(x, case, b)[(STEP + b) % case.T] *= SPIKE.get(case.spec.dtype, OTHER_SPIKE)
    return data._replace(x=x)


def far_state(data: "Data", case: "Case") -> "Data":
    return data._replace(state=data.state and tuple(FAR_STATE * v for v in data.state))


def remembering(data: "Data", case: "Case") -> "Data":
    """Weights with which a gradient lives for hundreds of steps: forget and update gates near 1, or W_hh orthogonal and h small."""
    H, plain, relu = case.spec.hidden_size, case.spec.cell == "rnn", case.spec.nonlinearity == "relu"

    def change(name: str, w: np.ndarray) -> np.ndarray:
        if plain and name.startswith("weight_hh"):
            return (0.99 * np.eye(H) if relu else np.linalg.qr(w.astype(float))[0]).astype(w.dtype)
        if plain and name.startswith("bias"):
            return w / 512
        if name.startswith("bias_hh"):
            w = w.copy()
            w[H : 2 * H] += 6  # f of i f g o, z of r z n
        return w

    return data._replace(weights={k: change(k, w) for k, w in data.weights.items()}, x=data.x / 512)


def zero_step(data: "Data", case: "Case") -> "Data":
    """Nothing goes in at the first step: without a state and biases relu is given zeros, where its slope is 0 in torch."""
    x = data.x.copy()
    x[(slice(None), 0) if case.spec.batch_first else 0] = 0
    return data._replace(x=x)


def inside(value: float) -> Change:
    """``value`` in one feature of one step of one sequence."""

    def change(data: "Data", case: "Case") -> "Data":
        x = data.x.copy()
        sequence(x, case, SEQUENCE)[STEP, 0] = value
        return data._replace(x=x)

    return change


def sequence(v: np.ndarray, case: "Case", b: int) -> np.ndarray:
    """(T, ·), a view: one sequence of x or dy"""
    return v[b] if case.spec.batch_first else v[:, b]


NON_FINITE = ("nan_inside", "inf_inside")
CHANGES: dict[str, Change] = {
    "nan_padding": padded_with(np.nan),
    "inf_padding": padded_with(np.inf),
    "huge_padding": padded_with(1e30),
    "no_upstream": only(),
    "only_y": only("y"),
    "only_h_n": only("h_n"),
    "only_c_n": only("c_n"),
    "spikes": spikes,
    "far_state": far_state,
    "remembering": remembering,
    "zero_step": zero_step,
    "nan_inside": inside(np.nan),
    "inf_inside": inside(np.inf),
}
