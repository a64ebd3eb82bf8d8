"""The explorer of the cells: an unrolled network, its values and gradients step by step, the equation behind each."""

from typing import Any

from ...labels import equations
from ...trace import ROOMS, Problem, problem, trace
from ..formulas import Render
from ..source import source
from .letters import LETTERS, Pair, differing, of_labels, parts

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
SHOWN = ("step_forward", "step_backward", "forward", "deltas", "backward")
JSON = dict[str, Any]


class Formulas(dict[str, int]):
    """Formulas by their places in the page's list of them, each once."""

    def __missing__(self, latex: str) -> int:
        return self.setdefault(latex, len(self))


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


def kind(name: str, formulas: Formulas) -> JSON:
    """The example, and for each quantity its line, its formula, and the letters that differ between the two."""
    cell, options = KINDS[name]
    q, labelled, info = problem(ROOMS[cell], **EXAMPLE, **options), equations(f"cells/{cell}"), {}
    for one in trace(ROOMS[cell], q):
        plain_name, labels = one.name.partition("[")[0], " ".join(one.labels)
        pair = LETTERS[name].get(f"{plain_name} {labels}", Pair())
        info["|".join((one.verb, plain_name, labels))] = {
            "code": one.formula,
            "line": one.line,
            "formulas": [formulas[f] for f in parts(pair, plain_name, of_labels(labelled, one.labels), name == "gru-before")],
            "letters": [(code, formulas[latex]) for code, latex in differing(pair, one.formula)],
        }
    return {"start": plain_problem(q), "info": info}


def data(render: Render) -> JSON:
    formulas = Formulas()
    kinds = {name: kind(name, formulas) for name in KINDS}
    return {
        "kinds": kinds,
        "source": {cell: source(room, SHOWN) for cell, room in ROOMS.items()},
        "formulas": render(list(formulas)),
    }
