"""A distribution in three numbers, and numbers as the tables show them."""

import numpy as np

from reference.common.arrays import Array

from ..study import short


def quantiles(errors: Array) -> list[float]:
    """Median, 95 percent and largest"""
    return [short(v) for v in (np.median(errors), np.quantile(errors, 0.95), np.max(errors))]


def plain(v: float) -> str:
    return f"{v:.2f}" if v < 1 else f"{v:.1f}" if v < 100 else f"{v:,.0f}" if v < 1e5 else f"{v:.0e}".replace("+", "")


def power(v: float) -> str:
    """With a minus sign, at which no line is broken"""
    return f"{v:.1e}".replace("-", "−")
