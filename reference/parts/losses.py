"""Losses of logits and of numbers, each with its gradient.  Derivation: notes/parts/losses.md

    log p = z - ẑ - log Σ_v exp(z_v - ẑ),  ẑ = max z                                    (J1)
    ℓ_n = -(1 - ε) w_t log p_t - (ε / V) Σ_v w_v log p_v                                (J2)
    ℓ = Σ ℓ_n / Σ w_t  (mean)  or  Σ ℓ_n  (sum)  or  ℓ_n  (none)                        (J3)
    ℓ = Σ c ∘ ℓ_tb,  c = m / Σ m  (token)  or  m / (B Σ_t m)  (sequence)  or  m  (sum)  (J4)
    ℓ_n = r²  (MSE)  or  |r|  (L1),  r = x - y                                          (J5)
    ℓ_n = r² / 2 where |r| <= δ,  else  δ (|r| - δ / 2)                                 (J6)
    ℓ_n = ω y log(1 + e⁻ˣ) + (1 - y) log(1 + eˣ)                                        (J7)
    ℓ_q = max(q r_q, (q - 1) r_q),  r_q = y - x_q                                       (J8)

ℓ the loss, ℓ_n that of one target; z logits (..., V), classes last; t targets (...); w class weights, ε label smoothing,
m mask, ω weight of positives; x_q the forecast of the quantile q, quantiles last.
Every exponent is at most 0, so nothing overflows.  J1* labels the adjoint of J1.  Namesakes in torch.nn.functional.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..common import checks
from ..common.arrays import Array, sigmoid

REDUCTIONS = ("mean", "sum", "none")
IGNORE = -100


class Cache(NamedTuple):
    """Of cross-entropy."""

    e: Array           # (..., V)    exp(z - ẑ)
    s: Array           # (..., 1)    their sum, so p = e / s
    targets: Array     # (...)    0 where ignored
    w: Array           # (V,)     class weights
    smoothing: float
    scale: Array       # (...)    dℓ/dℓ_n, 0 where ignored


def exponentials(z: Array) -> tuple[Array, Array, Array]:
    """z (..., V)  ->  a (..., V), e (..., V), s (..., 1)  with  log p = a - log s  and  p = e / s"""
    a = z - z.real.max(-1, keepdims=True)                                               # J1
    e = np.exp(a)                                                                       # J1
    return a, e, (e @ np.ones(e.shape[-1], e.real.dtype))[..., None]  # a product sums short rows quicker than sum()


def log_softmax(z: Array) -> Array:
    """z (..., V)  ->  log p (..., V)"""
    a, _, s = exponentials(z)
    return a - np.log(s)                                                                # J1


def cross_entropy_forward(logits: Array, targets: ArrayLike, weight: ArrayLike | None = None, ignore_index: int = IGNORE,
                          reduction: str = "mean", label_smoothing: float = 0.0) -> tuple[Array, Cache]:
    """Softmax cross-entropy.

    Parameters
    ----------
    logits : (..., V) ndarray
        Classes on the last axis; torch has them on the second.
    targets : (...) ndarray of whole numbers
    weight : (V,) ndarray; optional
        A weight for each class.
    ignore_index : int
        Targets of this value take no part.
    reduction : "mean", "sum" or "none"
        The mean is over the weights of the targets that take part.
    label_smoothing : float from 0 to 1

    Returns
    -------
    loss : a number, (...) if not reduced
    Cache

    Raises
    ------
    IndexError
        A target, not ignored, below 0 or not below V.
    ValueError
        A mean over nothing: all targets ignored, or their weights sum to 0 (torch returns NaN); a bad option.
    RuntimeError
        Targets or weights of the wrong shape or dtype.
    """
    checks.choice("reduction", reduction, REDUCTIONS)
    logits = checks.logits("logits", logits)
    smoothing, V = checks.probability("label_smoothing", label_smoothing), logits.shape[-1]
    targets, kept = classes(targets, logits.shape[:-1], V, ignore_index)
    w = np.ones(V, logits.real.dtype) if weight is None else checks.array("weight", weight, (V,), logits.real.dtype)
    scale = np.where(kept, reduced_scale(w[targets] * kept, reduction), 0).astype(w.dtype)
    a, e, s = exponentials(logits)
    log_s = np.log(s[..., 0])
    l = -(1 - smoothing) * w[targets] * (np.take_along_axis(a, targets[..., None], -1)[..., 0] - log_s)    # J2
    if smoothing:
        l = l - smoothing / V * (a @ w - log_s * w.sum())                               # J2
    l = np.where(kept, l, 0)
    return reduce(l * scale, reduction), Cache(e, s, targets, w, smoothing, scale)      # J3


def cross_entropy_backward(dloss: ArrayLike, k: Cache) -> Array:
    """The adjoint: dloss like loss, Cache  ->  dlogits (..., V)"""
    V, targets = len(k.w), k.targets[..., None]
    dl = (np.asarray(dloss, k.e.dtype) * k.scale)[..., None]                            # J3*
    hit = (1 - k.smoothing) * k.w[targets]                                              # J2*  of the target
    rest = k.smoothing / V * k.w                                                        # J2*  of every class
    dz = k.e * (dl * (hit + rest.sum()) / k.s)                                          # J1*
    if k.smoothing:
        dz -= dl * rest                                                                 # J2*
    np.put_along_axis(dz, targets, np.take_along_axis(dz, targets, -1) - dl * hit, -1)  # J2*
    return dz


def classes(targets: ArrayLike, shape: tuple[int, ...], V: int, ignore_index: int) -> tuple[Array, Array]:
    """Targets as whole numbers of this shape, 0 where ignored, and where they are not ignored."""
    t = checks.numbers("targets", targets)
    checks.whole("ignore_index", ignore_index)
    if t.shape != shape:
        raise RuntimeError(f"targets must have shape {shape}, that of the logits without classes, got {t.shape}")
    kept = t != ignore_index
    return checks.tokens("targets", np.where(kept, t, t.dtype.type(0)), V), kept


def reduced_scale(w: Array, reduction: str) -> float:
    """dℓ/dℓ_n of J3 for weights w (...) that are 0 where ignored"""
    if reduction != "mean":
        return 1
    if not w.size or not w.any():
        raise ValueError("targets must include one that is not ignored and has a weight above 0, got none: "
                         "there is nothing to take the mean of")
    return 1 / w.sum()                                                                  # J3


def reduce(l: Array, reduction: str) -> Array:
    return l if reduction == "none" else l.sum()                                        # J3


def sequence_forward(logits: Array, targets: ArrayLike, mask: ArrayLike, reduction: str = "token",
                     label_smoothing: float = 0.0) -> tuple[Array, Cache]:
    """Cross-entropy over the steps of padded sequences that the mask keeps.

    Parameters
    ----------
    logits : (T, B, V) ndarray
    targets : (T, B) ndarray of whole numbers
        Anything where the mask is False.
    mask : (T, B) boolean ndarray
        True where there is a target; ``padding_mask(lengths)`` for whole sequences.
    reduction : "token", "sequence" or "sum"
        The mean over all tokens; the mean over the sequences of each one's own mean; the sum.

    Returns
    -------
    loss : a number
    Cache

    Raises
    ------
    ValueError
        "token": nothing is kept.  "sequence": nothing of one sequence is kept.  Or a bad option.
    IndexError, RuntimeError
        As for cross_entropy_forward, and a mask that is not boolean.
    """
    checks.choice("reduction", reduction, ("token", "sequence", "sum"))
    logits = checks.logits("logits", logits)
    mask = checks.mask("mask", mask, logits.shape[:-1])
    targets = checks.numbers("targets", targets)
    kept = np.where(mask, targets, IGNORE) if targets.shape == mask.shape else targets
    l, k = cross_entropy_forward(logits, kept, reduction="none", label_smoothing=label_smoothing)
    shares = {"token": mask.sum(), "sequence": mask.shape[1] * mask.sum(0), "sum": 1}   # J4
    share = np.asarray(shares[reduction], l.real.dtype)
    if not share.size or not share.all():
        raise ValueError(f"mask must keep a step of {'each' if reduction == 'sequence' else 'a'} sequence, "
                         "got none: there is nothing to take the mean of")
    c = mask / share                                                                    # J4
    return (c * l).sum(), k._replace(scale=c)                                           # J4


def sequence_backward(dloss: ArrayLike, k: Cache) -> Array:
    """The adjoint: dloss a number, Cache  ->  dlogits (T, B, V), 0 where nothing was kept"""
    return cross_entropy_backward(dloss, k)                                             # J4*


class Residual(NamedTuple):
    """What the backward of a loss of numbers needs: dℓ_n/dx and how it was reduced."""

    slope: Array       # like x
    scale: Array       # dℓ/dℓ_n, one number


def mse_forward(x: Array, y: Array, reduction: str = "mean") -> tuple[Array, Residual]:
    """Squared error: x and y of one shape and dtype, or RuntimeError  ->  loss, a number or (...) by "none", Residual

    ValueError: a mean over nothing, a bad option.
    """
    x, y = comparable(x, y, reduction)
    r = x - y                                                                           # J5
    return settle(r * r, 2 * r, reduction)                                              # J5, J5*


def l1_forward(x: Array, y: Array, reduction: str = "mean") -> tuple[Array, Residual]:
    """Absolute error, as mse_forward; the slope at 0 is 0, as in torch."""
    x, y = comparable(x, y, reduction)
    r = x - y                                                                           # J5
    sign = np.sign(r.real)
    return settle(r * sign, sign, reduction)                                            # J5, J5*


def huber_forward(x: Array, y: Array, reduction: str = "mean", delta: float = 1.0) -> tuple[Array, Residual]:
    """Squared near 0, absolute beyond delta, as mse_forward.  ValueError: delta is not above 0."""
    checks.positive("delta", delta)
    x, y = comparable(x, y, reduction)
    r = x - y                                                                           # J5
    near, sign = abs(r.real) <= delta, np.sign(r.real)
    return settle(np.where(near, r * r / 2, delta * (r * sign - delta / 2)),            # J6
                  np.where(near, r, delta * sign), reduction)                           # J6*


def bce_forward(x: Array, y: Array, pos_weight: Array | float | None = None,
                reduction: str = "mean") -> tuple[Array, Residual]:
    """Binary cross-entropy with logits.

    Parameters
    ----------
    x : (...) ndarray
        Logits.
    y : (...) ndarray, from 0 to 1
        Targets; torch does not check their range.
    pos_weight : ndarray that broadcasts to x; optional
        ω, what a positive target counts: the last axis may hold a weight for each class.

    Returns
    -------
    loss : a number, (...) if not reduced
    Residual

    Raises
    ------
    ValueError
        A target outside 0 to 1, a mean over nothing, a bad option.
    RuntimeError
        Another shape or dtype.
    """
    x, y = comparable(x, y, reduction)
    if y.size and not (y.min() >= 0 and y.max() <= 1):
        raise ValueError(f"targets must be from 0 to 1, got {y.min()} to {y.max()}")
    positive, negative = (1 if pos_weight is None else checks.spread("pos_weight", pos_weight, x)) * y, 1 - y
    return settle(positive * softplus(-x) + negative * softplus(x),                     # J7
                  negative * sigmoid(x) - positive * sigmoid(-x), reduction)            # J7*


def quantile_forward(x: Array, y: Array, quantiles: ArrayLike, reduction: str = "mean") -> tuple[Array, Residual]:
    """Quantile (pinball) loss, as mse_forward but x (..., Q), a forecast of each quantile, and y (...).

    The slope where x is y is 0.  ValueError: quantiles that do not rise from above 0 to below 1, and as mse_forward.
    """
    x = checks.numbers("input", x, "fc")
    q = np.asarray(checks.quantiles("quantiles", quantiles), x.dtype)
    x = checks.features("input", x, len(q), x.dtype)
    y = checks.array("targets", y, x.shape[:-1], x.real.dtype)[..., None]
    comparable(x, np.broadcast_to(y, x.shape), reduction)
    r = y - x                                                                           # J8
    above, below = r.real > 0, r.real < 0
    return settle(np.where(above, q, q - 1) * r,                                        # J8
                  np.where(above, -q, (1 - q) * below), reduction)                      # J8*


def mse_backward(dloss: ArrayLike, k: Residual) -> Array:
    """The adjoint of every loss of numbers: dloss like loss, Residual  ->  dx like x.  The gradient with respect to y is -dx but in
    bce, where targets take none."""
    return np.asarray(dloss, k.slope.dtype) * k.scale * k.slope                         # J3*, J5*


l1_backward = huber_backward = bce_backward = quantile_backward = mse_backward


def comparable(x: Array, y: Array, reduction: str) -> tuple[Array, Array]:
    """Check what every loss of numbers is given  ->  x, y"""
    checks.choice("reduction", reduction, REDUCTIONS)
    x = checks.numbers("input", x, "fc")
    if reduction == "mean" and not x.size:
        raise ValueError("input must have an element, got none: there is nothing to take the mean of")
    return x, checks.array("targets", y, x.shape, x.real.dtype)


def settle(l: Array, slope: Array, reduction: str) -> tuple[Array, Residual]:
    """l (...), dℓ_n/dx (...)  ->  loss, Residual"""
    scale = np.ones((), l.real.dtype) / (l.size if reduction == "mean" else 1)          # J3
    return reduce(l * scale, reduction), Residual(slope, scale)


def softplus(x: Array) -> Array:
    """log(1 + eˣ) without overflow"""
    above = x.real > 0
    return np.where(above, x, 0) + np.log1p(np.exp(np.where(above, -x, x)))
