"""``python -m notes.studies.temperature``: what temperature does to the distribution of a trained model, for notes/char_lm.md.

Trains a small model on Shakespeare (about a minute; fixed seed), reads the beginning of the test part, and takes its logits at
two places.  The table of the note and the picture are made from those.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reference.char_lm import backend as char_lm
from reference.char_lm import command
from reference.char_lm.run import text_of, trained
from reference.common import sampling
from reference.common.arrays import Array

from .drawing import BLACK, COLOURS, STROKES, apart, name_at, panels
from .study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RUN = Path("out/temperature")
OPTIONS = ["--size", "128", "--embedding", "32", "--steps", "800", "--seed", "0"]
READ, SHOWN = 1000, 12
TAUS = (0.2, 0.7, 1.0, 1.5)
AXIS = np.round(np.arange(0.05, 3.001, 0.05), 2)
PLACES = {"unsure": 0.9, "sure": 0.15}  # quantile of the entropy, among the characters that were read


def measure() -> dict[str, Any]:
    """Train, read, and keep the logits where the model is unsure and where it is sure.  RuntimeError: it failed."""
    if command.main(char_lm.BACKEND, ["train", "--run", str(RUN), "--overwrite", "--quiet", *OPTIONS]):
        raise RuntimeError("the training failed")
    where = {"run": str(RUN), "engine": "fast", "device": "cpu", "compile": False}
    model, config, vocabulary, _ = trained(char_lm.BACKEND, where)
    text = text_of(config, vocabulary)
    tokens = text.part("test")[:READ]
    z = char_lm.BACKEND.logits(model, tokens[:, None], None)[0][READ // 5 :, 0]  # not those near the zero state
    mean = [float(entropy(z, tau).mean()) for tau in AXIS]
    at = entropy(z, 1.0)
    places = {}
    for name, quantile in PLACES.items():
        k = int(np.abs(at - np.quantile(at, quantile)).argmin())
        end = READ // 5 + k + 1
        said = "".join(str(vocabulary.symbols[t]) for t in tokens[end - 40 : end])
        places[name] = {"after": said, "logits": [round(float(v), 4) for v in z[k]]}
    return {
        "command": " ".join(["python -m reference.char_lm train", *OPTIONS]),
        "read": READ - READ // 5,
        "symbols": [str(s) for s in vocabulary.symbols],
        "places": places,
        "mean": [round(v, 4) for v in mean],
    }


def entropy(z: Array, tau: float) -> Array:
    """Bits: logits (..., V)  ->  (...)"""
    log_p = sampling.log_probabilities(z, tau)
    p = np.exp(log_p)
    return -(p * np.where(p > 0, log_p, 0)).sum(-1) / np.log(2)


def likely(kept: dict[str, Any], name: str, tau: float) -> tuple[list[str], Array]:
    """Symbols and probabilities, most likely first"""
    p = np.exp(sampling.log_probabilities(np.array(kept["places"][name]["logits"]), tau))
    order = np.argsort(-p, kind="stable")
    return [shown(kept["symbols"][k]) for k in order], p[order]


def shown(symbol: str) -> str:
    return {"\n": "↵", " ": "␣", "|": "\\|"}.get(symbol, symbol)


def table(kept: dict[str, Any]) -> str:
    """A Markdown table: at each place and temperature the entropy, and who has what."""
    lines = [
        "| after | temperature | entropy, bits | the most likely, in percent | the five after it | all others |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, place in kept["places"].items():
        tail = place["after"][-16:].replace("\n", "↵")
        for tau in TAUS:
            symbols, p = likely(kept, name, tau)
            bits = entropy(np.array(place["logits"]), tau)
            lines.append(
                f"| {name}: `…{tail}` | {tau} | {bits:.2f} | `{symbols[0]}` {100 * p[0]:.1f} "
                f"| {100 * p[1:6].sum():.1f} | {100 * p[6:].sum():.1f} |"
            )
    return "\n".join([f"`{kept['command']}`", "", *lines])


def picture(kept: dict[str, Any]) -> "Figure":
    unsure = next(iter(kept["places"]))
    figure, axes = panels(
        [f"temperature {tau}: percent" for tau in TAUS] + ["percent, by rank", "entropy, bits"],
        3,
        2.1,
        1.9,
        0.8,
        "What temperature does to a distribution",
        f'A small model of Shakespeare after "{shown_end(kept["places"][unsure]["after"])}": the {SHOWN} most likely '
        f"characters at four temperatures, and all against temperature. Mean: of {kept['read']} places.",
    )
    for ax, tau in zip(axes, TAUS, strict=False):
        symbols, p = likely(kept, unsure, tau)
        ax.bar(range(SHOWN), 100 * p[:SHOWN], color=COLOURS[1], width=0.7)
        ax.set_xticks(range(SHOWN), symbols[:SHOWN])
        ax.set_ylim(0, 100)
        ax.grid(visible=False, axis="x")
        ax.set_axisbelow(True)
    by_rank(axes[4], kept, unsure)
    entropies(axes[5], kept)
    for ax in axes[4:]:
        ax.set_xlim(0, AXIS[-1])
        ax.set_xlabel("temperature")
    return figure


def shown_end(said: str) -> str:
    return "".join(map(shown, said[-16:]))


def by_rank(ax: "Axes", kept: dict[str, Any], name: str) -> None:
    """Of the first, second, fifth, twentieth of the characters"""
    p = np.array([likely(kept, name, tau)[1] for tau in AXIS])
    ends = {}
    for i, rank in enumerate((1, 2, 5, 20)):
        ax.plot(AXIS, 100 * p[:, rank - 1], color=COLOURS[i], linestyle=STROKES[i], linewidth=1.3)
        ends[f"number {rank}"] = 100 * p[-1, rank - 1], COLOURS[i]
    ax.set_ylim(0, 100)
    named(ax, ends)


def entropies(ax: "Axes", kept: dict[str, Any]) -> None:
    lines = {name: [float(entropy(np.array(place["logits"]), tau)) for tau in AXIS] for name, place in kept["places"].items()}
    ends = {}
    for i, (name, line) in enumerate({**lines, "mean": kept["mean"]}.items()):
        ax.plot(AXIS, line, color=COLOURS[i], linestyle=STROKES[i], linewidth=1.3)
        ends[name] = line[-1], COLOURS[i]
    all_alike = np.log2(len(kept["symbols"]))
    ax.axhline(all_alike, color=BLACK, linewidth=0.7, linestyle=":")
    ax.set_ylim(0, all_alike * 1.05)
    named(ax, ends | {"all alike": (all_alike, BLACK)})


def named(ax: "Axes", ends: Mapping[str, tuple[float, str]]) -> None:
    """Names at the right, moved apart; values and colours by name"""
    top = ax.get_ylim()[1]
    for name, at in apart({k: v / top for k, (v, _) in ends.items()}, 0.075).items():
        name_at(ax, name, 1, ends[name][0] / top, at, ends[name][1])


STUDY = Study("temperature", __doc__, measure, lambda kept: {"": table(kept)}, lambda kept: {"temperature": picture(kept)})


if __name__ == "__main__":
    sys.exit(STUDY.command())
