"""The explorer of the cells: an unrolled network, its values and gradients step by step, the equation behind each."""

from typing import Any

from ...labels import equations
from ...trace import ROOMS, Problem, parsed, problem, trace
from ..formulas import Render

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "rnn": ("rnn", {"nonlinearity": "tanh"}),
    "rnn-relu": ("rnn", {"nonlinearity": "relu"}),
    "lstm": ("lstm", {}),
    "lstm-proj": ("lstm", {"P": 1}),
    "gru": ("gru", {"reset_after": True}),
    "gru-before": ("gru", {"reset_after": False}),
}
# The example is that of the notes: the same numbers and the same sizes.
EXAMPLE = {"T": 3, "H": 2}
JSON = dict[str, Any]


def plain_problem(q: Problem) -> JSON:
    """A problem with one sequence as lists, as the scripts take it."""
    return {
        "p": {k: v.tolist() for k, v in q.p._asdict().items() if v is not None},
        "x": q.x[:, 0].tolist(),
        "s": {k: v[0].tolist() for k, v in q.s._asdict().items()},
        "dy": q.dy[:, 0].tolist(),
        "ds": {k: v[0].tolist() for k, v in q.ds._asdict().items()},
        "options": q.options,
    }


def kind(cell: str, options: dict[str, Any]) -> JSON:
    """The example, and for each quantity its formula and its lines."""
    room = ROOMS[cell]
    q, info = problem(room, **EXAMPLE, **options), {}
    for one in trace(room, q):
        key = "|".join((one.verb, one.name.partition("[")[0], " ".join(one.labels)))
        info[key] = {"formula": one.formula, "line": one.line, "last": one.line}
    return {"start": plain_problem(q), "info": info}


def source(cell: str) -> list[tuple[int, str]]:
    """The numbered lines of the functions that are shown."""
    shown = []
    for verb in ("step_forward", "step_backward", "forward", "deltas", "backward"):
        node, lines = parsed(getattr(ROOMS[cell], verb))
        assert node.end_lineno is not None
        shown += [(n, lines[n - 1]) for n in range(node.lineno, node.end_lineno + 1)] + [(0, "")]
    return shown[:-1]


def data(render: Render) -> JSON:
    cells: dict[str, JSON] = {}
    for cell in ROOMS:
        labelled = equations(f"cells/{cell}")
        drawn = iter(render([formula for e in labelled for formula in e.formulas]))
        cells[cell] = {"source": source(cell), "equations": {e.label: [next(drawn) for _ in e.formulas] for e in labelled}}
    return {"kinds": {name: kind(*of) for name, of in KINDS.items()}, "cells": cells}
