"""``python -m notes.studies.temperature``: what temperature does to the distribution of a trained model, for notes/char_lm.md.

Trains a small model on Shakespeare (about a minute; fixed seed), reads the beginning of the test part, and takes its logits at
two places.  The table of the note and the picture are made from those.  The explorer of sampling shows them and those at the
first place after each of some endings.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reference.char_lm import backend as char_lm
from reference.char_lm import command
from reference.char_lm.run import text_of, trained
from reference.common import sampling
from reference.common.arrays import Array
from reference.common.command import entered

from ..generated import markdown
from .drawing import COLOURS, FOREGROUND, SMALL, panels, stroke
from .study import Study

RUN = Path("out/temperature")
OPTIONS = ["--size", "128", "--embedding", "32", "--steps", "800", "--seed", "0"]
READ, SHOWN = 1000, 12
TAUS = (0.2, 0.7, 1.0, 1.5)
AXIS = np.round(np.arange(0.05, 3.001, 0.05), 2)
Kept = dict[str, Any]
PLACES = {"unsure": 0.9, "sure": 0.15}  # quantile of the entropy, among the characters that were read
ENDINGS = {"after a comma": ",", "after wh": " wh", "after th": " th", "before a speaker's name": "\n\n"}


def measure() -> Kept:
    """Train, read, and keep the logits where the model is unsure and where it is sure.  RuntimeError: it failed."""
    if command.main(char_lm.BACKEND, ["train", "--run", str(RUN), "--overwrite", "--quiet", *OPTIONS]):
        raise RuntimeError("the training failed")
    where = {"run": str(RUN), "engine": "fast", "device": "cpu", "compile": False}
    model, config, vocabulary, _ = trained(char_lm.BACKEND, where)
    text = text_of(config, vocabulary)
    tokens = text.part("test")[:READ]
    said = "".join(str(vocabulary.symbols[t]) for t in tokens)
    z = char_lm.BACKEND.logits(model, tokens[:, None], None)[0][READ // 5 :, 0]  # not those near the zero state
    at = entropy(z, 1.0)

    def place(end: int) -> Kept:
        return {"after": said[end - 40 : end], "logits": [round(float(v), 4) for v in z[end - 1 - READ // 5]]}

    return {
        "command": " ".join(["python -m reference.char_lm train", *OPTIONS]),
        "read": READ - READ // 5,
        "symbols": [str(s) for s in vocabulary.symbols],
        "places": {name: place(READ // 5 + nearest(at, quantile) + 1) for name, quantile in PLACES.items()},
        "endings": {name: place(said.index(ending, READ // 5) + len(ending)) for name, ending in ENDINGS.items()},
        "mean": [round(float(entropy(z, tau).mean()), 4) for tau in AXIS],
    }


def nearest(values: Array, quantile: float) -> int:
    """The index of the value that is nearest to a quantile of all"""
    return int(np.abs(values - np.quantile(values, quantile)).argmin())


def entropy(z: Array, tau: float) -> Array:
    """Bits: logits (..., V)  ->  (...)"""
    log_p = sampling.log_probabilities(z, tau)
    p = np.exp(log_p)
    return -(p * np.where(p > 0, log_p, 0)).sum(-1) / np.log(2)


def likely(kept: Kept, name: str, tau: float) -> tuple[list[str], Array]:
    """Symbols and probabilities, most likely first"""
    p = np.exp(sampling.log_probabilities(np.array(kept["places"][name]["logits"]), tau))
    order = np.argsort(-p, kind="stable")
    return [shown(kept["symbols"][k]) for k in order], p[order]


def shown(symbol: str) -> str:
    return {"\n": "↵", " ": "␣", "|": "\\|"}.get(symbol, symbol)


def table(kept: Kept) -> str:
    """A Markdown table: at each place and temperature the entropy, and who has what."""
    head = ["after", "temperature", "entropy, bits", "the most likely, in percent", "the five after it", "all others"]
    rows = []
    for name, place in kept["places"].items():
        tail = place["after"][-16:].replace("\n", "↵")
        for tau in TAUS:
            symbols, p = likely(kept, name, tau)
            bits = entropy(np.array(place["logits"]), tau)
            percent = [f"`{symbols[0]}` {100 * p[0]:.1f}", f"{100 * p[1:6].sum():.1f}", f"{100 * p[6:].sum():.1f}"]
            rows.append([f"{name}: `…{tail}`", tau, f"{bits:.2f}", *percent])
    return "\n".join([f"`{kept['command']}`", "", *markdown(head, rows)])


def picture(kept: Kept) -> Figure:
    unsure = next(iter(kept["places"]))
    end = "".join(map(shown, kept["places"][unsure]["after"][-16:]))
    about = (
        f'A small model of Shakespeare after "{end}": the {SHOWN} most likely '
        f"characters at four temperatures, and all against temperature. Mean: of {kept['read']} places."
    )
    headings = [f"percent at {tau}" for tau in TAUS] + ["percent, by rank", "entropy, bits"]
    figure, axes = panels("What temperature does to a distribution", about, headings, 1.5, 2)
    for ax, tau in zip(axes, TAUS, strict=False):
        symbols, p = likely(kept, unsure, tau)
        ax.bar(range(SHOWN), 100 * p[:SHOWN], color=COLOURS[1], width=0.7)
        ax.set_xticks(range(SHOWN), symbols[:SHOWN])
        ax.set_ylim(0, 100)
        ax.grid(visible=False, axis="x")
        ax.set_axisbelow(True)
    p = np.array([likely(kept, unsure, tau)[1] for tau in AXIS])
    against_temperature(axes[4], {f"number {rank}": 100 * p[:, rank - 1] for rank in (1, 2, 5, 20)}, 100)
    bits = {name: np.array([entropy(np.array(v["logits"]), tau) for tau in AXIS]) for name, v in kept["places"].items()}
    all_alike = np.log2(len(kept["symbols"]))
    against_temperature(
        axes[5], {**bits, "mean": np.array(kept["mean"])}, all_alike * 1.05, {"all alike": all_alike}, "lower right"
    )
    return figure


def against_temperature(
    ax: Axes,
    curves: Mapping[str, Array],
    top: float,
    levels: Mapping[str, float] = {},
    where: Literal["upper right", "lower right"] = "upper right",
) -> None:
    """Curves and horizontal lines, their names beside them"""
    for i, (name, curve) in enumerate(curves.items()):
        ax.plot(AXIS, curve, **stroke(i), label=name)
    for name, level in levels.items():
        ax.axhline(level, color=FOREGROUND, linewidth=0.9, linestyle=(0, (1, 3)), label=name)
    ax.set_ylim(0, top)
    ax.legend(loc=where, fontsize=SMALL, frameon=False, labelspacing=0.25, handlelength=2.4, borderaxespad=0.1)
    ax.set_xlim(0, AXIS[-1])
    ax.set_xlabel("temperature")


STUDY = Study("temperature", __doc__, measure, lambda kept: {"": table(kept)}, lambda kept: {"temperature": picture(kept)})


if __name__ == "__main__":
    sys.exit(entered(STUDY.command))
