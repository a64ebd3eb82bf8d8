"""The explorer: one page without a server, in which a reader changes a number and sees every gradient move.

``build`` puts style, scripts and data into the page.  The data is what the rest of the project says: formulas from the
notes, lines from the rooms, names and labels from the trace.
"""

import json
import subprocess
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ..labels import equations, read
from ..trace import ROOMS, Problem, parsed, problem, trace

HERE = Path(__file__).parent
KATEX = HERE.parent / "site" / "node_modules" / "katex"
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
Render = Callable[[Sequence[str]], list[str]]


def plain(formulas: Sequence[str]) -> list[str]:
    """LaTeX as it is, where there is no KaTeX."""
    return [f"<code>{escape(f)}</code>" for f in formulas]


def mathml(formulas: Sequence[str]) -> list[str]:
    """LaTeX as MathML, which browsers draw without a script, a style or a font of its own."""
    program = (
        f"const k = require({json.dumps(str(KATEX))}); const f = JSON.parse(require('fs').readFileSync(0));"
        "const options = {output: 'mathml', displayMode: true, strict: 'error'};"
        "console.log(JSON.stringify(f.map(t => k.renderToString(t, options))))"
    )
    run = subprocess.run(["node", "-e", program], input=json.dumps(formulas), capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


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


def build(render: Render = mathml) -> str:
    """The page."""
    text = read(HERE / "page.html")
    parts = {name: read(HERE / name) for name in ("style.css", "cells.js", "app.js")}
    parts["data"] = "const DATA = " + json.dumps(data(render), ensure_ascii=False).replace("</", "<\\/") + ";"
    for name, part in parts.items():
        assert text.count(f"/*{name}*/") == 1
        text = text.replace(f"/*{name}*/", part)
    return text
