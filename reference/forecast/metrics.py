"""How wrong a forecast is, for each step ahead and over all.

MAE = mean |e|,  RMSE = √(mean e²)
MASE = MAE / mean |x_t - x_{t-m}| over the training rows        (Hyndman and Koehler 2006), m the season
skill = 1 - mean e² / mean e² of persistence
R² = 1 - Σ e² / Σ (x - mean x)², of the true values that are judged
"""

from typing import NamedTuple

import numpy as np

from ..common.arrays import Array


class Figures(NamedTuple):
    """Each (K,), one for each step ahead, or a number over all steps."""

    mae: Array
    rmse: Array
    mase: Array
    skill: Array
    r2: Array


def naive_scale(train: Array, season: int) -> float:
    """The mean absolute error of the seasonal naive forecast on the training rows (N,)"""
    return float(abs(train[season:] - train[:-season]).mean()) if len(train) > season else float("nan")


def figures(forecast: Array, truth: Array, persistence: Array, scale: float, axis: int | None = 1) -> Figures:
    """Arrays (K, W) in the units of the target; axis 1 for each step ahead, None over all."""
    e2 = ((forecast - truth) ** 2).mean(axis)
    mae = abs(forecast - truth).mean(axis)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Figures(mae, np.sqrt(e2), mae / scale, 1 - e2 / ((persistence - truth) ** 2).mean(axis), 1 - e2 / truth.var(axis))


def verdict(model: str, overall: dict[str, Figures], steps: dict[str, Figures]) -> str:
    """Which baselines the model beats by RMSE over all steps ahead, which it does not, and at which steps one is better."""
    others = {name: float(f.rmse) for name, f in overall.items() if name != model}
    own, best = float(overall[model].rmse), min(others, key=lambda name: others[name])
    lost = [name for name, rmse in others.items() if not own < rmse]
    claim = f"does NOT beat {' and '.join(lost)}" if lost else "beats every baseline"
    text = f"{model} {claim}: RMSE {own:.4g}, against {others[best]:.4g} of {best}, the best of them."
    behind = [k + 1 for k, rmse in enumerate(steps[model].rmse) if not rmse < min(steps[n].rmse[k] for n in others)]
    if behind and len(behind) < len(steps[model].rmse):
        text += f"  A baseline is better at {'step' if len(behind) == 1 else 'steps'} {', '.join(map(str, behind))} ahead."
    return text
