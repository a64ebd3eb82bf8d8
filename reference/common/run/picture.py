"""The picture of a training run, where matplotlib is installed: losses, norms of the gradients, share of clipped steps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Array
from ..output import about
from .files import PICTURE


def draw(folder: Path, log: Sequence[dict], title: str, loss_of: str, unit: str | None = None) -> str | None:
    """Write ``training.png``; or a sentence that says why not.

    ``loss_of`` is the loss in words; with ``unit``, what a token stands for, it is in nats, and shown in bits too.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return "no plot was drawn, for matplotlib is not installed: pip install matplotlib"
    steps = [e for e in log if "loss" in e]
    if len(steps) < 2:
        return "no plot was drawn, for there are too few steps"
    x = np.array([e["step"] for e in steps])
    evaluated = [(e["step"], e["validation"]) for e in log if "validation" in e]
    figure = Figure(figsize=(8, 8), layout="constrained")
    loss, norm, clipped = figure.subplots(3, 1, sharex=True, height_ratios=(2, 1, 1))
    draw_smooth(loss, x, np.array([e["loss"] for e in steps]), "training, each step")
    if evaluated:
        loss.plot(*zip(*evaluated, strict=True), "o-", color="C3", label="validation")
    loss.set(ylabel=loss_of, title=title)
    if unit:
        bits = loss.secondary_yaxis("right", functions=(lambda v: v / np.log(2), lambda v: v * np.log(2)))
        bits.set_ylabel(f"bits a {unit}")
    loss.legend()
    draw_smooth(norm, x, np.array([e["norm"] for e in steps]), "each step")
    norm.set(ylabel="norm of the gradients", yscale="log" if any(e["norm"] > 0 for e in steps) else "linear")
    norm.legend()
    clipped.plot(x, 100 * smooth(np.array([e["clipped"] for e in steps], float)), color="C2")
    clipped.set(ylabel="clipped steps, percent", xlabel="step", ylim=(-3, 103))
    for axes in (loss, norm, clipped):
        axes.grid(alpha=0.3)
    with about(folder / PICTURE):
        figure.savefig(folder / PICTURE, dpi=110)
    return None


def draw_smooth(axes: Any, x: Array, y: Array, label: str) -> None:
    axes.plot(x, y, color="C0", alpha=0.25, label=label)
    axes.plot(x, smooth(y), color="C0", label="its running mean")


def smooth(y: Array) -> Array:
    """Mean over the last fiftieth of the run, at each step; over what there is at the start."""
    n = max(1, len(y) // 50)
    total, stop = np.concatenate([[0], np.cumsum(y)]), np.arange(1, len(y) + 1)
    start = np.maximum(stop - n, 0)
    return (total[stop] - total[start]) / (stop - start)
