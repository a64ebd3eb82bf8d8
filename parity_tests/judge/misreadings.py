"""What a wrong implementation behaves like: the definition under a misreading that people are known to make."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import permutations

import numpy as np

from .cases import GATES, Case, Data
from .oracle import define, truth
from .tolerance import judge


def behaves_like(case: Case, y: np.ndarray) -> str:
    """A sentence on the misreading under which the definition gives this y of a wrong implementation, or nothing."""
    oracle, baselines = truth(case)
    if y.shape != oracle["y"].shape or judge("y", y, [b["y"] for b in baselines], oracle["y"], case.spec.dtype).ok:
        return ""
    for sentence, misread, data in misreadings(case):
        wrong = define(misread, data)["y"]
        if judge("y", y, [wrong, *(b["y"] - oracle["y"] + wrong for b in baselines)], wrong, case.spec.dtype).ok:
            return f"y is what the definition gives if {sentence}"
    return ""


def misreadings(case: Case) -> Iterator[tuple[str, Case, Data]]:
    """Each known misreading: a sentence, and the case and data with which the definition has the same mistake."""
    data, spec = case.data(), case.spec
    gates = GATES[spec.cell]
    for order in permutations(range(len(gates))):
        if list(order) != sorted(order):
            name = " ".join(gates[k] for k in order)
            yield f"the gates are read in the order {name}, not {' '.join(gates)}", case, _blocks(data, order)
    yield "bias_ih is left out", case, _weights(data, lambda k, w: 0 * w if k.startswith("bias_ih") else w)
    yield "bias_hh is left out", case, _weights(data, lambda k, w: 0 * w if k.startswith("bias_hh") else w)
    yield "weight_hh is transposed", case, _weights(data, lambda k, w: _transposed(w) if k.startswith("weight_hh") else w)
    if data.state:
        yield "the initial state is left out", case, data._replace(state=None)
    if data.state and spec.cell == "lstm":
        yield "the initial cell state is left out", case, data._replace(state=(data.state[0], 0 * data.state[1]))
    if spec.cell == "gru":
        when = "before" if spec.reset_after else "after"
        other = replace(case, spec=replace(spec, reset_after=when == "after"))
        yield f"the reset acts {when} the recurrent product", other, data
        yield "the update gate keeps the candidate, not the old state", case, _blocks(data, (0, 1, 2), sign=(1, -1, 1))


def _weights(data: Data, change: Callable[[str, np.ndarray], np.ndarray]) -> Data:
    return data._replace(weights={k: change(k, w) for k, w in data.weights.items()})


def _blocks(data: Data, order: tuple[int, ...], sign: tuple[int, ...] | None = None) -> Data:
    """The gates' blocks of every weight and bias in another order, or with another sign."""

    def change(name: str, w: np.ndarray) -> np.ndarray:
        if name.startswith("weight_hr"):
            return w
        parts = np.split(w, len(order))
        return np.concatenate([parts[k] * np.asarray((sign or (1,) * len(order))[k], w.dtype) for k in order])

    return _weights(data, change)


def _transposed(w: np.ndarray) -> np.ndarray:
    """Each gate's square block transposed; a projection's blocks are not square and stay."""
    H = w.shape[1]
    return np.concatenate([b.T for b in np.split(w, len(w) // H)]) if len(w) % H == 0 else w
