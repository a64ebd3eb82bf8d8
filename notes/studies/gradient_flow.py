"""``python -m notes.studies.gradient_flow``: the pictures and the table of notes/gradients/gradient_flow.md, from the library.

Three measurements, seeds fixed: the norm of the gradient on its way back, the singular values of the products of the step
Jacobians, and what clipping does to plain gradient descent.
"""

import math
import sys
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from reference.common import parameters
from reference.common.arrays import Array
from reference.common.command import entered
from reference.gradients import gradient_flow
from reference.training.init import SCHEMES

from ..generated import markdown
from .adding import GUESS, RATES, Adder, draw, train, trained_for_the_table
from .drawing import FOREGROUND, SMALL, lines, panels, stroke
from .study import Study, plain, short

T, B, H, SEED = 100, 8, 64, 0
NAMES = ("RNN", "RNN, orthogonal", "relu, identity", "LSTM", "LSTM, gates open", "GRU", "GRU, gate open")
CELLS = dict(zip(NAMES, trained_for_the_table(T).values(), strict=True))
CLIPPED_T, CLIPPED_STEPS, BLOCK, FIRST = 20, 6000, 100, 100
Curve = list[float | None]


class Flow(NamedTuple):
    """One model on sequences of the adding problem."""

    norms: dict[str, Array]  # h, and c of an LSTM: (T+1,), 1 at the last step
    products: gradient_flow.Spectrum  # of P[t], of the first sequence
    steps: gradient_flow.Spectrum  # of J[t]
    bound: Array | None  # (T+1,) product of the steps' bounds, of an RNN


def build(**options: Any) -> Adder:
    return Adder(hidden_size=H, dtype=np.float64, rng=np.random.default_rng(SEED), engine="definition", **options)


def trained(**options: Any) -> Adder:
    """The same model after a short training, in float32 and back."""
    fast = Adder(hidden_size=H, rng=np.random.default_rng(SEED), **options)
    train(fast, T=50, steps=600, lr=RATES[options["cell"]], seed=SEED)
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
        bound = np.append(np.cumprod(gradient_flow.gain_bound(room, k)[::-1])[::-1], 1.0)
    norms = {name: v.mean(1) / n.h[-1].mean() for name, v in n._asdict().items()}
    return Flow(norms, gradient_flow.spectrum(gradient_flow.products(J)), gradient_flow.spectrum(J), bound)


def backwards(v: Array) -> Curve:
    """From the last step to the first, what is too small to draw left out"""
    return [short(x) if x > 1e-30 else None for x in v[::-1]]


def by_gain(gain: float) -> Adder:
    """An RNN whose recurrent matrix is orthogonal times a gain, with so little input that tanh is nearly linear."""
    model = build(cell="rnn")
    W = model.params["rnn.weight_hh_l0"]
    W[...] = SCHEMES["orthogonal"](np.random.default_rng(SEED), W.shape) * gain
    model.params["rnn.weight_ih_l0"][...] *= 0.1
    for name in ("rnn.bias_ih_l0", "rnn.bias_hh_l0"):
        model.params[name][...] = 0
    return model


def by_bias(bias: float) -> Adder:
    """An LSTM whose forget gate has so much more bias."""
    model = build(cell="lstm")
    model.params["rnn.bias_hh_l0"][H : 2 * H] += bias
    return model


def clipping() -> dict[str, dict[str, Curve]]:
    """Plain gradient descent on the adding problem with an RNN that explodes now and then: means of blocks, and the first steps."""

    def kept(values: Array) -> Curve:
        return [short(float(v)) if math.isfinite(v) else None for v in values]

    logs = {}
    for name, clip in (("clipped", 1.0), ("not clipped", None)):
        model = Adder("relu", H, "identity", rng=np.random.default_rng(SEED))
        logs[name] = train(model, CLIPPED_T, CLIPPED_STEPS, 32, 0.01, clip, SEED, optimizer="sgd")
    return {
        "means": {name: kept(np.array(log.loss).reshape(-1, BLOCK).mean(1)) for name, log in logs.items()},
        "loss": {name: kept(np.array(log.loss[:FIRST])) for name, log in logs.items()},
        "norm": {name: kept(np.array(log.norm[:FIRST])) for name, log in logs.items()},
    }


def figures(f: Flow) -> dict[str, float]:
    """What the table says of one model."""
    return {
        "norm": short(f.norms["h"][0]),
        "step": float(f"{np.median(f.steps.singular[:, 0]):.2f}"),
        "radius": float(f"{np.median(f.steps.radius):.3f}"),
        "product": short(f.products.singular[0, 0]),
    }


def spectrum(f: Flow) -> dict[str, Curve]:
    """Singular values of the products, and the bound where there is one."""
    values = f.products.singular
    curves = {"largest": values[:, 0], "median": np.median(values, 1), "smallest": values[:, -1], "radius": f.products.radius}
    return {k: backwards(v) for k, v in (curves | ({} if f.bound is None else {"bound": f.bound})).items()}


def measure() -> dict[str, Any]:
    first = {name: flow(build(**options)) for name, options in CELLS.items()}
    then = {name: flow(trained(**options)) for name, options in CELLS.items()}
    return {
        "table": {name: [figures(first[name]), figures(then[name])] for name in CELLS},
        "start": {name: backwards(f.norms["h"]) for name, f in first.items()},
        "trained": {name: backwards(f.norms["h"]) for name, f in then.items()},
        "gains": {f"gain {g}": backwards(flow(by_gain(g)).norms["h"]) for g in (0.6, 0.9, 1.0, 1.1, 1.4, 2.0)},
        "biases": {f"forget bias {b:+d}": backwards(flow(by_bias(b)).norms["c"]) for b in (-2, 0, 1, 2, 4)},
        "spectra": {name: spectrum(f) for name, f in first.items() if name != "GRU, gate open"},
        "clipping": clipping(),
    }


def curves(kept: dict[str, Curve]) -> dict[str, Array]:
    return {name: np.array(v, float) for name, v in kept.items()}


def norms_picture(kept: dict[str, Any]) -> Figure:
    about = (
        f"Norm of the output's gradient in the hidden state over that at the last step; adding problem, T = {T}, "
        f"H = {H}, mean of {B} sequences. The last panel: in the cell state. An open end: the line leaves the picture."
    )
    headings = ["At initialisation", "After training", "RNN, tanh: orthogonal times a gain", "LSTM: the cell state's gradient"]
    figure, axes = panels("The gradient on its way back", about, headings, 1.75, right=1.4)
    for ax, name, highest in zip(axes, ("start", "trained", "gains", "biases"), (1e2, 1e2, 1e6, 1e2), strict=True):
        lines(ax, curves(kept[name]), 1e-12, highest)
    return figure


def spectra_picture(kept: dict[str, dict[str, Curve]]) -> Figure:
    key = {name: stroke(i) for i, name in enumerate(("largest", "median", "smallest", "radius"))}
    key["bound"] = {"color": FOREGROUND, "linestyle": "--", "linewidth": 0.7}
    about = (
        f"Of P = J J ... J over so many steps, at initialisation; T = {T}, H = {H}, one sequence. Radius: the largest "
        "modulus of an eigenvalue. Bound: what the steps' own bounds give, for an RNN."
    )
    figure, axes = panels("Singular values of the product of the step Jacobians", about, list(kept), 1.5, 2, key=key)
    for ax, of_cell in zip(axes, kept.values(), strict=True):
        lines(ax, curves(of_cell), 1e-16, 1e4, "steps back", how=key)
    return figure


def clipping_picture(kept: dict[str, dict[str, Curve]]) -> Figure:
    about = (
        f"RNN, relu, identity, on the adding problem with T = {CLIPPED_T}; plain gradient descent, rate 0.01. "
        f"Clipped: the gradient's norm is at most 1. Above: means of {BLOCK} steps. Below: each of the first {FIRST} steps."
    )
    headings = [
        f"Mean squared error, {CLIPPED_STEPS} steps",
        f"Mean squared error, the first {FIRST} steps",
        f"Norm of the gradient before clipping, the first {FIRST} steps",
    ]
    key = {name: stroke(i, i) for i, name in zip((1, 2), kept["means"], strict=True)}
    level: dict[str, Any] = {"color": FOREGROUND, "linewidth": 0.8, "linestyle": ":"}
    figure, (whole, loss, norm) = panels("Clipping", about, headings, 1.75, key=key | {"always saying 1": level})
    for name, curve in curves(kept["means"]).items():
        whole.plot((np.arange(len(curve)) + 0.5) * BLOCK, curve, **key[name])
    whole.set(xlim=(0, CLIPPED_STEPS), ylim=(0, 0.3), xlabel="step")
    worst = curves(kept["loss"])["not clipped"]
    back = int(np.flatnonzero(curves(kept["means"])["not clipped"] > 0.3)[-1] + 1) * BLOCK
    most = f"{worst.max():.0e}".replace("+", "")
    said = f"↑ not clipped: above the plot until step {back},\n   at most {most}, at step {worst.argmax()}"
    whole.text(back + 120, 0.285, said, size=SMALL, va="top")
    lines(loss, curves(kept["loss"]), 1e-2, 1e16, "step", how=key)
    lines(norm, curves(kept["norm"]), 1e-2, 1e17, "step", how=key)
    for ax in (whole, loss):
        ax.axhline(GUESS, **level)
    norm.axhline(1, color=FOREGROUND, linewidth=0.6)
    norm.text(FIRST - 1, 0.6, "norm 1: what is above is clipped", size=SMALL, ha="right", va="top")
    return figure


def table(kept: dict[str, list[dict[str, float]]]) -> str:
    """A Markdown table: for each cell, before and after training, what a hundred steps leave."""
    start = [f"at the start: ‖dh₀‖ / ‖dh_T‖, T = {T}", "σ₁ of J, median", "ρ of J, median", "σ₁ of P₀"]
    head = ["cell", *start, "trained: ‖dh₀‖ / ‖dh_T‖", "σ₁ of J", "ρ of J", "σ₁ of P₀"]
    forms = {"norm": ".1e", "step": ".2f", "radius": ".3f", "product": ".1e"}
    rows = [[name, *(format(s[k], form) for s in states for k, form in forms.items())] for name, states in kept.items()]
    return "\n".join(markdown(head, rows))


def clipping_table(kept: dict[str, dict[str, Curve]]) -> str:
    """A Markdown table: how far the first steps go, and where the last ones are."""
    last = 10
    head = [
        "",
        f"largest error of the first {FIRST} steps",
        "at step",
        "largest norm",
        f"mean error of the last {last * BLOCK} steps",
    ]
    rows = []
    for name, loss in curves(kept["loss"]).items():
        norm, end = curves(kept["norm"])[name].max(), curves(kept["means"])[name][-last:].mean()
        rows.append([name, plain(loss.max()), loss.argmax(), plain(norm), f"{end:.3f}"])
    return "\n".join(markdown(head, rows))


STUDY = Study(
    "gradient_flow",
    __doc__,
    measure,
    lambda kept: {"": table(kept["table"]), "clipping": clipping_table(kept["clipping"])},
    lambda kept: {
        "gradient_flow": norms_picture(kept),
        "gradient_flow_spectra": spectra_picture(kept["spectra"]),
        "gradient_flow_clipping": clipping_picture(kept["clipping"]),
    },
)


if __name__ == "__main__":
    sys.exit(entered(STUDY.command))
