

"""``python -m notes.studies.gradient_flow``: the figures and the table of notes/gradients/gradient_flow.md, from the library.

Draws notes/figures/gradient_flow*.svg and prints the table; ``--write`` puts the table into the note.  Seeds are fixed.
The curves of the adding problem come from notes/results/adding.json (``python -m notes.studies.adding_table --write``).
"""

import json
import math
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from benchmarks.report.drawing import BACKGROUND, COLOURS, FOREGROUND, STROKES, STYLE, Plot, spread
from parity_tests.judge.terminal import flag
from reference.common import parameters
from reference.gradients import gradient_flow
from reference.training.init import SCHEMES

from .adding import GUESS, Adder, draw, train
from .adding_table import CURVES, EVERY, LENGTHS
from .pages import NOTES, insert

T, B, H, SEED = 100, 8, 64, 0
TRAINED = {"T": 50, "steps": 600, "batch": 32}
COMMAND = "python -m notes.studies.gradient_flow --write"
KEEP = round(math.log(T / 4), 1)
CELLS: dict[str, dict[str, Any]] = {
    "RNN": {"cell": "rnn"},
    "RNN, orthogonal": {"cell": "rnn", "init": "orthogonal"},
    "relu, identity": {"cell": "relu", "init": "identity"},
    "LSTM": {"cell": "lstm"},
    "LSTM, gates open": {"cell": "lstm", "keep_bias": KEEP},
    "GRU": {"cell": "gru"},
    "GRU, gate open": {"cell": "gru", "keep_bias": KEEP},
}
Lines = dict[str, np.ndarray]


class Flow(NamedTuple):
    """One model on sequences of the adding problem."""

    norms: Lines                        # h, and c of an LSTM: (T+1,), 1 at the last step
    products: gradient_flow.Spectrum    # of P[t], of the first sequence
    steps: gradient_flow.Spectrum       # of J[t]
    bound: np.ndarray | None            # (T+1,) product of the steps' bounds, of an RNN


def build(**options: Any) -> Adder:
    return Adder(hidden_size=H, dtype=np.float64, rng=np.random.default_rng(SEED), engine="definition", **options)


def trained(**options: Any) -> Adder:
    """The same model after a short training, in float32 and back."""
    fast = Adder(hidden_size=H, rng=np.random.default_rng(SEED), **options)
    train(fast, **TRAINED, lr=1e-2 if options["cell"] in ("lstm", "gru") else 1e-3, seed=SEED)
    model = build(**options)
    model.load_state_dict(fast.state_dict())
    return model


def flow(model: Adder) -> Flow:
    """What becomes of the gradient of the output, which arrives at the last hidden state alone."""
    room, layer = model.rnn.room, model.rnn
    p = room.Params(**parameters.fields(layer.params, parameters.suffix(0, 0)))
    x = draw(np.random.default_rng(SEED + 1), T, B, np.float64).x
    zeros = room.State(*(np.zeros((B, H)) for _ in room.State._fields))
    y, _, k = room.forward(p, x, zeros, **layer.options)
    ds = zeros._replace(h=np.tile(model.params["head.weight"], (B, 1)))
    n = gradient_flow.norms(room, np.zeros_like(y), ds, k)
    J = gradient_flow.step_jacobians(room, k)
    bound = None
    if "nonlinearity" in k._fields:
        each = gradient_flow.gain_bound(room, k)
        bound = np.append(np.cumprod(each[::-1])[::-1], 1.0)
    return Flow({name: v.mean(1) / n.h[-1].mean() for name, v in n._asdict().items()},
                gradient_flow.spectrum(gradient_flow.products(J)), gradient_flow.spectrum(J), bound)


def backwards(v: np.ndarray) -> np.ndarray:
    """From the last step to the first, what is too small to draw left out"""
    return np.where(v[::-1] > 1e-30, v[::-1], np.nan)


def panels(headings: list[str], columns: int, width: float, height: float, right: float, title: str, about: str):
    """A figure with axes of one size (inches) in so many columns, and room for names at their right."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    left, bottom, head = 0.6, 0.5, 0.3
    rows = math.ceil(len(headings) / columns)
    size = columns * (left + width + right), 0.35 + rows * (head + height + bottom)
    about = textwrap.fill(about, int(15 * size[0]))
    size = size[0], size[1] + 0.16 * (1 + about.count("\n"))
    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)
    figure.text(0.1 / size[0], 1 - 0.08 / size[1], title, va="top", weight="bold", size=11)
    figure.text(0.1 / size[0], 1 - 0.3 / size[1], about, va="top", size=8)
    axes = []
    for i, heading in enumerate(headings):
        x, y = i % columns * (left + width + right) + left, (rows - 1 - i // columns) * (head + height + bottom) + bottom
        axes.append(figure.add_axes((x / size[0], y / size[1], width / size[0], height / size[1]), title=heading))
        axes[-1].grid(alpha=0.25, linewidth=0.5, color=FOREGROUND)
    return figure, axes


def power_of_ten(v: float, _: int) -> str:
    k = round(math.log10(v))
    return f"{v:g}" if abs(k) <= 2 else f"1e{k}"


def lines(ax, data: Lines, low: float, high: float, label: str = "steps back from the end", each: int = 1) -> None:
    """A line for each name, its name at its end; a logarithmic axis from low to high; a point is ``each`` steps."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    ax.set_yscale("log")
    ax.set_ylim(low, high)
    ax.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_tick_params(which="minor", length=0)
    end = (max(map(len, data.values())) - 1) * each
    ends = {}
    for i, (name, v) in enumerate(data.items()):
        colour, stroke = COLOURS[i % len(COLOURS)], STROKES[i % len(STROKES)]
        inside = np.flatnonzero(np.isfinite(v) & (v >= low) & (v <= high))
        ax.plot(np.arange(len(v)) * each, v, color=colour, linestyle=stroke, linewidth=1.3)
        last = inside[-1] if len(inside) else 0
        ends[name] = (last * each / end, float(np.log(v[last] / low) / np.log(high / low)), colour)
    ax.set_xlim(0, end)
    ax.set_xlabel(label)
    for name, at in spread({k: e[1] for k, e in ends.items()}, 0.055).items():
        x, height, colour = ends[name]
        ax.plot([x, 1.04], [height, at], transform=ax.transAxes, color=colour, linewidth=0.4, clip_on=False)
        ax.plot([x], [height], transform=ax.transAxes, color=colour, marker="o", markersize=3, clip_on=False,
                markerfacecolor=BACKGROUND if x < 1 else colour)
        ax.text(1.05, at, name, transform=ax.transAxes, va="center", size=7.5, color=colour)


def norms_figure(first: dict[str, Flow], then: dict[str, Flow]) -> Plot:
    def of(flows: dict[str, Flow]) -> Lines:
        return {name: backwards(f.norms["h"]) for name, f in flows.items()}

    gains: Lines = {}
    for g in (0.6, 0.9, 1.0, 1.1, 1.4, 2.0):
        model = build(cell="rnn")
        W = model.params["rnn.weight_hh_l0"]
        W[...] = SCHEMES["orthogonal"](np.random.default_rng(SEED), W.shape) * g
        model.params["rnn.weight_ih_l0"][...] *= 0.1  # small input: tanh is nearly linear
        for name in ("rnn.bias_ih_l0", "rnn.bias_hh_l0"):
            model.params[name][...] = 0
        gains[f"gain {g}"] = backwards(flow(model).norms["h"])
    biases = {}
    for b in (-2, 0, 1, 2, 4):
        model = build(cell="lstm")
        model.params["rnn.bias_hh_l0"][H : 2 * H] += b
        biases[f"forget bias {b:+d}"] = backwards(flow(model).norms["c"])
    title = "The gradient on its way back"
    about = (f"Norm of the output's gradient in the hidden state over that at the last step; adding problem, T = {T}, "
             f"H = {H}, mean of {B} sequences. Bottom right: in the cell state. An open end: the line leaves the picture.")
    figure, axes = panels(["At initialisation", "After training", "RNN, tanh: orthogonal times a gain",
                           "LSTM: the cell state's gradient"], 2, 3.4, 2.5, 1.4, title, about)
    lines(axes[0], of(first), 1e-12, 1e2)
    lines(axes[1], of(then), 1e-12, 1e2)
    lines(axes[2], gains, 1e-12, 1e6)
    lines(axes[3], biases, 1e-12, 1e2)
    return Plot("", "gradient_flow", title, about, figure)


def spectra_figure(first: dict[str, Flow]) -> Plot:
    title = "Singular values of the product of the step Jacobians"
    about = (f"Of P = J J ... J over so many steps, at initialisation; T = {T}, H = {H}, one sequence. Dashed: the bound "
             "that the steps' own bounds give, for an RNN. An open end: the line leaves the picture.")
    names = [n for n in first if n != "GRU, gate open"]
    figure, axes = panels(names, 3, 2.4, 2.2, 0.8, title, about)
    for ax, name in zip(axes, names, strict=True):
        found, values = first[name], first[name].products.singular
        data = {"largest": values[:, 0], "median": np.median(values, 1), "smallest": values[:, -1],
                "radius": found.products.radius}
        lines(ax, {k: backwards(v) for k, v in data.items()}, 1e-16, 1e4)
        if found.bound is not None:
            ax.plot(np.arange(T + 1), found.bound[::-1], color=FOREGROUND, linestyle="--", linewidth=0.7)
    return Plot("", "gradient_flow_spectra", title, about, figure)


def clipping_figure() -> Plot:
    """Plain gradient descent on the adding problem with an RNN that explodes now and then."""
    length, steps, block = 20, 1500, 10
    title = "Clipping"
    about = (f"RNN, relu, identity, on the adding problem with T = {length}; plain gradient descent, rate 0.01; means of "
             f"{block} steps. Clipped: the gradient's norm is at most 1. Dotted: always saying 1.")
    logs = {name: train(Adder("relu", H, "identity", rng=np.random.default_rng(SEED)), length, steps, 32, 0.01, clip, SEED,
                        optimizer="sgd") for name, clip in (("clipped", 1.0), ("not clipped", None))}

    def means(values: list[float]) -> np.ndarray:
        return np.array(values).reshape(-1, block).mean(1)

    figure, axes = panels(["Mean squared error", "Norm of the gradient, before clipping"], 2, 3.6, 2.4, 1.1, title, about)
    lines(axes[0], {k: means(v.loss) for k, v in logs.items()}, 0.03, 1e15, "step", block)
    lines(axes[1], {k: means(v.norm) for k, v in logs.items()}, 1e-2, 1e16, "step", block)
    axes[0].axhline(GUESS, color=FOREGROUND, linewidth=0.7, linestyle=":")
    return Plot("", "gradient_flow_clipping", title, about, figure)


def adding_figure() -> Plot:
    records = json.loads(CURVES.read_text(encoding="utf-8"))
    title = "The adding problem: which cell learns"
    about = "Mean squared error of fresh sequences during training. Dotted: always saying 1."
    figure, axes = panels([f"T = {n}" for n in LENGTHS], 3, 2.4, 2.6, 1.5, title, about)
    for ax, n in zip(axes, LENGTHS, strict=True):
        lines(ax, {r["name"]: np.array(r["curve"], float) for r in records if r["T"] == n}, 1e-4, 1e1, "step", EVERY)
        ax.axhline(GUESS, color=FOREGROUND, linewidth=0.7, linestyle=":")
    return Plot("", "gradient_flow_adding", title, about, figure)


def table(first: dict[str, Flow], then: dict[str, Flow]) -> str:
    """A Markdown table: for each cell, before and after training, what a hundred steps leave."""
    lines = [f"| cell | at the start: ‖dh₀‖ / ‖dh_T‖, T = {T} | σ₁ of J, median | ρ of J, median | σ₁ of P₀ "
             "| trained: ‖dh₀‖ / ‖dh_T‖ | σ₁ of J | ρ of J | σ₁ of P₀ |", "|---|" + "--:|" * 8]
    for name in first:
        cells = [f"{f.norms['h'][0]:.1e} | {np.median(f.steps.singular[:, 0]):.2f} | {np.median(f.steps.radius):.3f} | "
                 f"{f.products.singular[0, 0]:.1e}" for f in (first[name], then[name])]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plots(first: dict[str, Flow], then: dict[str, Flow]) -> Iterator[Plot]:
    yield norms_figure(first, then)
    yield spectra_figure(first)
    yield clipping_figure()
    if CURVES.exists():
        yield adding_figure()


def main() -> int:
    write = flag("write", "put it into the notes", __doc__)
    import matplotlib

    first = {name: flow(build(**options)) for name, options in CELLS.items()}
    then = {name: flow(trained(**options)) for name, options in CELLS.items()}
    with matplotlib.rc_context(STYLE):
        for plot in plots(first, then):
            file = NOTES / "figures" / f"{plot.name}.svg"
            file.write_bytes(plot.save("svg"))
            print(f"wrote {file.relative_to(NOTES.parent)}")
    made = table(first, then)
    print(made)
    if write:
        insert("gradients/gradient_flow.md", COMMAND, made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
