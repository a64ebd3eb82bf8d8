"""The figures of notes/tolerances.md, from what ``notes.studies.rounding`` has measured."""

from collections.abc import Iterator

import numpy as np

from benchmarks.report.drawing import COLOURS, FOREGROUND, STROKES, STYLE, Plot
from benchmarks.what.precision import PRECISIONS

from .gradient_flow import lines, panels, power_of_ten
from .pages import NOTES
from .rounding import EDGES, EVERY, ROOMS, SEEDS, WAYS, B, H, T


def along(kept: dict) -> Plot:
    title = "Rounding along a sequence"
    about = (f"Largest error of {EVERY} steps, in eps of the dtype times the step's largest exact value; T = {T}, B = {B}, "
             f"H = {H}. Top: the state, against the step. Bottom: its gradient, against steps back from the end. "
             "Weights and dtype at the end of each line.")
    headings = [f"{cell}: error of {what}, eps" for what in ("h", "dh") for cell in ROOMS]
    figure, axes = panels(headings, 3, 2.0, 2.1, 1.2, title, about)
    for ax, (quantity, cell) in zip(axes, [(q, c) for q in ("h", "dh") for c in ROOMS], strict=True):
        data = {f"{r['weights']}, {r['dtype']}": np.array(r["curve"], float) for r in kept["growth"]
                if (r["cell"], r["quantity"]) == (cell, quantity)}
        lines(ax, data, 1e-1, 1e20, "step" if quantity == "h" else "steps back", EVERY)
    return Plot("", "rounding", title, about, figure)


def saturation(kept: dict) -> Plot:
    title = "What a derivative loses that is computed from the function's value"
    about = ("Largest relative error of 1 - h² and of s (1 - s) among 64 random a in each interval. Dotted: eps / 2 over "
             "1 - h², what the rounding of h alone makes. At 1 nothing is left: h is 1 to the last bit.")
    headings = ["tanh: relative error of 1 - h²", "sigmoid: relative error of s (1 - s)"]
    figure, axes = panels(headings, 2, 3.4, 2.5, 0.2, title, about)
    for ax, (function, edges) in zip(axes, EDGES.items(), strict=True):
        ax.set_yscale("log")
        ax.set_ylim(1e-17, 10)
        ax.set_xlim(edges[0], edges[-1])
        ax.set_xlabel("a")
        middle = (edges[:-1] + edges[1:]) / 2
        for i, (kind, curve) in enumerate(kept["saturation"][function].items()):
            ax.plot(middle, curve, color=COLOURS[i], linestyle=STROKES[i], linewidth=1.3)
            below = kind == "float16"
            ax.text(*label_place(function, middle, np.array(curve), below), kind, size=7.5, color=COLOURS[i],
                    va="top" if below else "bottom")
            if function == "tanh":
                expected = PRECISIONS[kind].eps / 2 * np.cosh(middle) ** 2
                ax.plot(middle, np.where(expected < 1, expected, np.nan), color=FOREGROUND, linestyle=":", linewidth=0.6)
        ax.yaxis.set_major_formatter(power_of_ten)
    return Plot("", "rounding_saturation", title, about, figure)


def label_place(function: str, x: np.ndarray, y: np.ndarray, below: bool) -> tuple[float, float]:
    """A little above or below the line, at its left or where it is flat"""
    part = slice(3, 13) if function == "tanh" else slice(22, 32)
    return float(x[part][0]), float(y[part].min() / 1.8 if below else y[part].max() * 1.5)


def distributions(kept: dict) -> Plot:
    title = "How the errors of whole tensors are distributed"
    about = (f"Error over the tensor's largest exact value; rnn, lstm and gru, {SEEDS} seeds each. Emulated: the factors of "
             "products are rounded, the rest is float32.")
    headings = ["outputs: percent of the tensors", "gradients: percent of the tensors"]
    figure, axes = panels(headings, 2, 2.9, 2.6, 1.9, title, about)
    for ax, part in zip(axes, ("outputs", "gradients"), strict=True):
        some = [r for r in kept["distributions"] if r["part"] == part]
        ax.set_xscale("log")
        ax.set_xlim(1e-17, 1e-1)
        ax.set_ylim(0, 100)
        ax.set_xlabel("error / largest value")
        ax.set_xticks([1e-16, 1e-12, 1e-8, 1e-4])
        ax.minorticks_off()
        ax.xaxis.set_major_formatter(power_of_ten)
        for i, r in enumerate(some):
            curve = np.array(r["curve"])
            style = {"color": COLOURS[i % len(COLOURS)], "linestyle": STROKES[i % len(STROKES)]}
            ax.plot(curve, np.linspace(0, 100, len(curve)), **style, linewidth=1.3)
            y = 1 - (i + 0.5) / len(WAYS)
            ax.plot([1.02, 1.09], [y, y], transform=ax.transAxes, **style, linewidth=1.3, clip_on=False)
            ax.text(1.1, y, r["way"], transform=ax.transAxes, va="center", size=7, color=style["color"])
    return Plot("", "rounding_distributions", title, about, figure)


def plots(kept: dict) -> Iterator[Plot]:
    yield from (make(kept) for make in (along, saturation, distributions))


def draw(kept: dict) -> None:
    """Write notes/figures/rounding*.svg."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        for plot in plots(kept):
            file = NOTES / "figures" / f"{plot.name}.svg"
            file.write_bytes(plot.save("svg"))
            print(f"wrote {file.relative_to(NOTES.parent)}")
