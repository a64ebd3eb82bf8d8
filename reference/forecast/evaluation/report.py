"""An evaluation in words and tables, as JSON, and its forecasts as a file of columns."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from ...common.command import Model
from ...common.output import about
from ..train import Task
from .band import Band, band, covered
from .evaluate import Evaluation, accumulation
from .metrics import Figures, quantile_loss

LABELS = {"mae": "MAE", "rmse": "RMSE", "mase": "MASE", "skill": "skill", "r2": "R²"}
MOST = 20  # series that are shown one by one


def markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def table(e: Evaluation) -> str:
    """Markdown, over all steps ahead."""
    rows = [[n, *(f"{float(v):.4g}" for v in f)] for n, f in e.overall.items()]
    return markdown(["", *(LABELS[k] for k in Figures._fields)], rows)


def by_step(e: Evaluation, figure: str) -> str:
    """Markdown, one figure for each step ahead."""
    K = len(e.truth)
    shown = [k for k in range(K) if K <= 12 or k in (0, 1, 2) or (k + 1) % max(1, K // 8) == 0]
    return markdown(
        [f"{LABELS[figure]}, steps ahead", *(str(k + 1) for k in shown)],
        [[n, *(f"{getattr(f, figure)[k]:.4g}" for k in shown)] for n, f in e.steps.items()],
    )


def by_series(e: Evaluation) -> str:
    """Markdown, MASE of each series, whose units differ."""
    rows = [[name, *(f"{float(f.mase):.4g}" for f in figures.values())] for name, figures in list(e.each.items())[:MOST]]
    return markdown(["MASE", *e.forecasts], rows)


def as_json(e: Evaluation) -> dict[str, Any]:
    own = e.overall[e.name]
    summary = {"RMSE": own.rmse, "MASE": own.mase, "best baseline's RMSE": min(f.rmse for n, f in e.overall.items() if n != e.name)}
    answer = {
        "part": e.part,
        "summary": summary,
        "windows": e.truth.shape[1],
        "overall": {n: f._asdict() for n, f in e.overall.items()},
        "steps": {n: f._asdict() for n, f in e.steps.items()},
    }
    return answer | ({"series": {s: {n: f._asdict() for n, f in fs.items()} for s, fs in e.each.items()}} if e.several else {})


def report(task: Task, model: Model, e: Evaluation, refits: int = 0) -> tuple[str, dict[str, Any]]:
    """Markdown, and the same as JSON."""
    summary = as_json(e)
    over = f" of {len(task.series)} series, errors in deviations of each" if e.several else ""
    head = f"{summary['windows']} windows of the {e.part} part{over}" + (f", fitted anew {refits} times" if refits else "") + ":"
    parts = [head, table(e), by_step(e, "rmse"), *([by_series(e)] if e.several else []), e.verdict()]
    if not refits:
        b = band(task, model)
        parts.append(about_band(e, b))
        summary["band"] = {"level": b.level, "windows": b.windows, "words": b.words()}
    summary["covered"] = None if e.between is None else covered(e.truth, e.between)
    if len(e.quantiles):
        loss = summary["quantile_loss"] = quantile_loss(e.raw, e.truth, e.quantiles)
        below = [float((e.truth <= e.raw[..., k]).mean()) for k in range(len(e.quantiles))]
        shares = ", ".join(f"{q:g}: {b:.0%}" for q, b in zip(e.quantiles, below, strict=True))
        parts.append(f"Quantile loss {loss:.4g}; the share of true values at or below each quantile: {shares}.")
    if not refits and task.options["mode"] != "direct":
        summary["accumulation"] = accumulation(task, model, e.part)
        lines = [[name, *(f"{v:.4g}" for v in errors)] for name, errors in summary["accumulation"].items()]
        parts.append(markdown(["RMSE, steps ahead", *(str(k + 1) for k in range(len(e.truth)))], lines))
    return "\n\n".join(parts), summary


def about_band(e: Evaluation, b: Band) -> str:
    share = "" if e.between is None else f"; it holds {covered(e.truth, e.between):.0%} of the true values of the {e.part} part"
    words = b.words() + share
    return words[0].upper() + words[1:] + "."


def write_forecasts(file: Path, e: Evaluation) -> None:
    """Every forecast of the part, a line for each window and step, in full precision."""
    names = list(e.forecasts)
    quantiles = [f"quantile {q:g}" for q in e.quantiles]
    several = ["series"] if e.several else []
    with about(file), file.open("w", encoding="utf-8", newline="") as opened:
        lines = csv.writer(opened)
        lines.writerow([*several, "origin", "step", "time", "truth", *names, "lower", "upper", *quantiles])
        for w in range(e.truth.shape[1]):
            s, row = e.task.origin(e.windows, w)
            for k in range(len(e.truth)):
                band = ["", ""] if e.between is None else [repr(float(v)) for v in e.between[:, k, w]]
                said = [repr(float(e.forecasts[n][k, w])) for n in names]
                more = [repr(float(v)) for v in e.raw[k, w]] if quantiles else []
                when = [s.shown(s.times[row - 1]), k + 1, s.shown(s.times[row + k]), repr(float(e.truth[k, w]))]
                lines.writerow([*([s.name] if several else []), *when, *said, *band, *more])


def digits(spread: float) -> int:
    """Decimals with which numbers of this spread are worth reading: its third digit."""
    return int(np.clip(2 - np.floor(np.log10(spread)), 0, 12)) if spread > 0 and np.isfinite(spread) else 6
