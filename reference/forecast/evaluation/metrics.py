"""How wrong a forecast is, for each step ahead and over all.

MAE = mean |e|,  RMSE = √(mean e²)
MASE = MAE / mean |x_t - x_{t-m}| over the training rows        (Hyndman and Koehler 2006), m the season
skill = 1 - mean e² / mean e² of persistence
R² = 1 - Σ e² / Σ (x - mean x)², of the true values that are judged
quantile loss = mean max(q e, (q - 1) e), e = truth - forecast, over the quantiles q        (Koenker and Bassett 1978)
"""

from typing import NamedTuple

import numpy as np

from ...common.arrays import Array


class Figures(NamedTuple):
    """Each (K,), one for each step ahead, or a number over all steps."""

    mae: Array
    rmse: Array
    mase: Array
    skill: Array
    r2: Array


def naive_scale(train: Array, season: int) -> float:
    """The mean absolute error of the seasonal naive forecast on the training rows (N,); NaN where it is 0 or there is none"""
    error = float(abs(train[season:] - train[:-season]).mean()) if len(train) > season else 0.0
    return error or float("nan")


def figures(forecast: Array, truth: Array, persistence: Array, scale: Array | float, axis: int | None = 1) -> Figures:
    """Arrays (K, W) in the units of the target, ``scale`` a number or (W,); axis 1 for each step ahead, None over all."""
    e2 = ((forecast - truth) ** 2).mean(axis)
    e = abs(forecast - truth)
    with np.errstate(divide="ignore", invalid="ignore"):
        mase = (e / scale).mean(axis)
        return Figures(e.mean(axis), np.sqrt(e2), mase, 1 - e2 / ((persistence - truth) ** 2).mean(axis), 1 - e2 / truth.var(axis))


def quantile_loss(forecast: Array, truth: Array, quantiles: Array) -> float:
    """Of forecasts (K, W, Q) and the truth (K, W), in the units of the target"""
    e = truth[..., None] - forecast
    return float(np.maximum(quantiles * e, (quantiles - 1) * e).mean())


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
