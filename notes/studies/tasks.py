"""The tables of the six tasks in the notes, and the attention maps as a picture.

``python -m reference.tasks TASK --out notes/results/tasks`` measures; ``python -m notes.generated --write --figures`` renews
the notes.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgba
from matplotlib.figure import Figure

from reference.common.arrays import Array

from ..generated import markdown
from ..labels import NOTES
from .drawing import COLOURS, FOREGROUND, LEFT, SMALL, STYLE, WIDTH, save

FULL = 0.5  # of the colour in a weight of 1, so that its number can be read on it, dark or light
SHADES = ListedColormap([to_rgba(COLOURS[1], FULL * i / 20) for i in range(21)])


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
    """A square for each weight, the fuller the larger: what was said downwards, the letters across."""
    wide, high = (WIDTH - LEFT - 0.15) / max(len(m["letters"]) for m in pronounced), 0.23  # inches of a square
    about = (
        "Weights of the attention in percent, zeros left out; each row sums to 100.\n"
        "Downwards the sounds that are said, across the letters of the word."
    )
    scale = {"weights": [[0, 0.25, 0.5, 0.75, 1]], "letters": [], "sounds": ["scale"]}
    H = 1.05 + sum(high * len(m["sounds"]) + 0.45 for m in pronounced)
    figure = Figure(figsize=(WIDTH, H))
    figure.text(0.1 / WIDTH, 1 - 0.08 / H, "Where the decoder looks", va="top", weight="bold", size=10)
    figure.text(0.1 / WIDTH, 1 - 0.29 / H, about, va="top", size=8)
    top = H - 0.65
    for m in (scale, *pronounced):
        weights = np.array(m["weights"])
        down, across = weights.shape
        place = LEFT / WIDTH, (top - high * down) / H, wide * across / WIDTH, high * down / H
        shade(figure.add_axes(place), weights, m["letters"], m["sounds"])
        top -= high * down + 0.45
    return figure


def shade(ax: Axes, weights: Array, letters: list[str], sounds: list[str]) -> None:
    """One word"""
    ax.pcolormesh(weights, cmap=SHADES, vmin=0, vmax=1)
    for (said, read), weight in np.ndenumerate(weights):
        if weight >= 0.005 or not letters:
            ax.text(read + 0.5, said + 0.5, f"{100 * weight:.0f}", size=SMALL, ha="center", va="center_baseline")
    ax.invert_yaxis()
    ax.xaxis.tick_top()
    for axis, names, lines in ((ax.xaxis, letters, weights.shape[1]), (ax.yaxis, sounds, weights.shape[0])):
        axis.set_ticks(np.arange(len(names)) + 0.5, names)
        axis.set_ticks(range(lines + 1), minor=True)
    ax.tick_params(which="both", length=0)
    ax.grid(which="minor", color=FOREGROUND, alpha=0.25, linewidth=0.5)
    ax.spines[:].set_visible(False)


def draw() -> None:
    with rc_context(STYLE):
        for run in results("pronunciation")[:1]:
            save(maps(run["maps"]), "attention")
