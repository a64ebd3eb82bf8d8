"""The tables of the six tasks in the notes, and the attention maps as a picture.

``python -m reference.tasks TASK --out notes/results/tasks`` measures; ``python -m notes.generated --write --figures`` renews
the notes.
"""

import json
from collections.abc import Mapping
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from ..generated import markdown
from ..labels import NOTES
from .drawing import save


def results(task: str) -> list[dict[str, Any]]:
    """What was measured of a task, NumPy first."""
    return [json.loads(f.read_text(encoding="utf-8")) for f in sorted((NOTES / "results" / "tasks").glob(f"{task}-*.json"))]


def shown(name: str, value: float) -> str:
    return f"{value:.2f}" if "perplexity" in name else f"{100 * value:.1f} %"


def table(task: str) -> str:
    """Markdown: the baselines, the variants, and by which command they were measured."""
    measured = results(task)
    names = [k for k in next(iter(measured[0]["variants"].values())) if k != "seconds"]
    lines = []
    for run in measured:
        v = run["versions"]
        versions = f"NumPy {v['numpy']}{', torch ' + v['torch'] if 'torch' in v else ''}, float32."
        parts = f"{run['parts'][0]} for training and {run['parts'][2]} for the test"
        lines += [f"`{run['command']}`, {run['batch']} sequences a step, {parts}; {versions}", ""]
        both = {f"baseline: {label}": figures for label, figures in run["baselines"].items()} | run["variants"]
        lines += markdown([run["title"], *names], [[label, *(shown(k, of[k]) for k in names)] for label, of in both.items()])
        lines += ["", *(f"- {k}: {shown(k, v)} of the phonemes wrong" for k, v in run["more"].items()), ""]
    lines += ["Some of what the first of these says:", "", *(f"- {k}: {v}" for k, v in measured[0]["examples"].items())]
    return "\n".join(lines).strip().replace("\n\n\n", "\n\n")


def by_cell(task: str, figure: str, rows: Mapping[str, str], head: str) -> str:
    """Markdown, in the course: one figure with each cell.  ``rows``: of a baseline or a variant, what the page calls it."""
    of_cell = {run["cell"]: run["baselines"] | run["variants"] for run in results(task) if run["side"] == "reference"}
    cells = [cell for cell in ("rnn", "lstm", "gru") if cell in of_cell]
    lines = [[said, *(shown(figure, of_cell[cell][label][figure]) for cell in cells)] for label, said in rows.items()]
    return "\n".join(markdown([head, *(cell.upper() for cell in cells)], lines))


def maps(pronounced: list[dict[str, Any]]) -> Figure:
    """A grey square for each weight: what was said downwards, the letters across."""
    with rc_context({"font.family": "monospace"}):
        figure = Figure(figsize=(10, 8.5), layout="constrained")
        for axes, m in zip(figure.subplots(2, 2).flat, pronounced, strict=True):
            axes.pcolormesh(m["weights"], cmap="Greys", vmin=0, vmax=1)
            axes.invert_yaxis()
            axes.set_aspect("equal")
            axes.set_xticks([0.5 + i for i in range(len(m["letters"]))], m["letters"])
            axes.set_yticks([0.5 + i for i in range(len(m["sounds"]))], m["sounds"])
            axes.xaxis.tick_top()
            axes.set_xlabel("letter read")
            axes.set_ylabel("sound said")
        figure.suptitle("Where the decoder looks: weights of the attention, rows sum to 1", family="sans-serif")
    return figure


def draw() -> None:
    for run in results("pronunciation")[:1]:
        print(f"wrote {save(maps(run['maps']), 'attention').relative_to(NOTES.parent)}")
