"""Cases and faults of reference/parts/losses.py."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import torch_impl.parts.losses as twins

from ..helpers import draw
from ..mutation.catalogue import Fault
from ..rooms import RoomCase

T, B, V = 5, 3, 4
TARGETS = np.random.default_rng(0).integers(0, V, (T, B))
IGNORED = np.where(np.random.default_rng(1).random((T, B)) < 0.3, -100, TARGETS)
MASK = np.arange(T)[:, None] < np.array([2, 5, 3])
SMOOTH: dict[str, Any] = {"targets": IGNORED, "label_smoothing": 0.2}
WEIGHTS = np.array([0.3, 2.0, 1.1, 0.7])


def case(
    name: str, loss: str, upstream: tuple[int, ...] = (), scale: float = 1.0, shape: tuple[int, ...] = (T, B, V), **options: Any
) -> RoomCase:
    """One loss; options that are arrays are inputs, which have no gradient."""
    arrays = {k: v for k, v in options.items() if isinstance(v, np.ndarray)}
    rest = {k: v for k, v in options.items() if k not in arrays}

    def run(package, d):
        room, x = package.losses, d["x"]
        loss_, k = getattr(room, f"{loss}_forward")(x, **{n: d[n] for n in arrays}, **rest)
        return {"loss": loss_, "dx": getattr(room, f"{loss}_backward")(d["dloss"], k)}

    def twin(d):
        return {"loss": getattr(twins, loss)(d["x"], **{n: d[n] for n in arrays}, **rest)}

    inputs = {"x": scale * draw(3, *shape), **arrays, "dloss": draw(4, *upstream)}
    return RoomCase("losses", name, inputs, run, twin, fixed=tuple(arrays))


def numbers(loss: str, **options: Any) -> Iterator[RoomCase]:
    """A loss of numbers with each reduction."""
    y = draw(5, T, B) if loss != "bce" else np.random.default_rng(5).random((T, B))
    for reduction, upstream in (("mean", ()), ("sum", ()), ("none", (T, B))):
        name = "-".join((loss, reduction, *options))
        yield case(name, loss, upstream, 1.5, (T, B), y=y, reduction=reduction, **options)


def quantiles(name: str, q: list[float], shape: tuple[int, ...]) -> Iterator[RoomCase]:
    """The quantile loss with each reduction."""
    for reduction, upstream in (("mean", ()), ("sum", ()), ("none", (*shape, len(q)))):
        given: dict[str, Any] = {"y": draw(5, *shape), "quantiles": np.array(q), "reduction": reduction}
        yield case(f"{name}-{reduction}", "quantile", upstream, 1.5, (*shape, len(q)), **given)


CASES = [
    case("cross_entropy", "cross_entropy", targets=TARGETS),
    case("cross_entropy-ignore", "cross_entropy", targets=IGNORED),
    case("cross_entropy-ignore0", "cross_entropy", targets=TARGETS, ignore_index=0),
    case("cross_entropy-weight-ignore", "cross_entropy", targets=IGNORED, weight=WEIGHTS),
    case("cross_entropy-sum", "cross_entropy", targets=IGNORED, weight=WEIGHTS, reduction="sum"),
    case("cross_entropy-none", "cross_entropy", (T, B), targets=IGNORED, weight=WEIGHTS, reduction="none"),
    case("cross_entropy-smooth", "cross_entropy", **SMOOTH),
    case("cross_entropy-smooth-weight", "cross_entropy", **SMOOTH, weight=WEIGHTS),
    case("cross_entropy-smooth-none", "cross_entropy", (T, B), **SMOOTH, weight=WEIGHTS, reduction="none"),
    case("cross_entropy-one", "cross_entropy", targets=np.array(2), shape=(V,)),
    case("cross_entropy-large", "cross_entropy", targets=IGNORED, scale=1e4),
    *(case(f"sequence-{r}", "sequence", targets=TARGETS, mask=MASK, reduction=r) for r in ("token", "sequence", "sum")),
    case("sequence-smooth", "sequence", targets=TARGETS, mask=MASK, label_smoothing=0.1, reduction="sequence"),
    *numbers("mse"),
    *numbers("l1"),
    *numbers("huber"),
    *numbers("huber", delta=0.4),
    *numbers("bce"),
    *numbers("bce", pos_weight=np.array([0.5, 3.0, 1.7])),
    *quantiles("quantile", [0.1, 0.5, 0.8, 0.95], (T, B)),
    *quantiles("quantile-one", [0.3], (T,)),
    case("bce-large", "bce", scale=1e4, shape=(T, B), y=np.random.default_rng(5).random((T, B))),
]

# fmt: off
FAULTS = [
    Fault("softmax over the wrong axis", "exponentials", "(e @ np.ones(e.shape[-1], e.real.dtype))[..., None]",
          "e.sum(0, keepdims=True)[..., :1]", source="HAN #5"),
    Fault("softmax without the maximum subtracted", "exponentials", "z - z.real.max(-1, keepdims=True)", "np.clip(z, -600, 600)"),
    Fault("mean over ignored targets too", "reduced_scale", "return 1 / w.sum()", "return 1 / w.size"),
    Fault("mean over targets, not over their weights", "reduced_scale", "return 1 / w.sum()", "return 1 / (w > 0).sum()"),
    Fault("ignored targets take part", "classes", "kept = t != ignore_index", "kept = t >= -100"),
    Fault("ignored targets have a gradient", "cross_entropy_forward",
          "np.where(kept, reduced_scale(w[targets] * kept, reduction), 0)",
          "np.where(kept, reduced_scale(w[targets] * kept, reduction), 0.1)"),
    Fault("smoothing spread over the other classes only", "cross_entropy_forward", "smoothing / V", "smoothing / (V - 1)"),
    Fault("smoothing ignores class weights", "cross_entropy_forward", "a @ w - log_s * w.sum()", "a.sum(-1) - log_s * V"),
    Fault("smoothing left out of the gradient", "cross_entropy_backward", "rest = k.smoothing / V * k.w", "rest = 0 * k.w"),
    Fault("class weights left out of the gradient", "cross_entropy_backward", "(1 - k.smoothing) * k.w[targets]",
          "1 - k.smoothing + 0 * k.w[targets]"),
    Fault("upstream gradient of the loss ignored", "cross_entropy_backward", "np.asarray(dloss, k.e.dtype)", "1"),
    Fault("padded steps counted in the mean", "sequence_forward", "mask.sum()", "mask.size"),
    Fault("sequences weighed by their lengths", "sequence_forward", "mask.shape[1] * mask.sum(0)", "mask.sum() + 0 * mask.sum(0)"),
    Fault("squared error without its 2", "mse_forward", "settle(r * r, 2 * r, reduction)", "settle(r * r, r, reduction)"),
    Fault("huber's corner at 1 whatever delta is", "huber_forward", "abs(r.real) <= delta", "abs(r.real) <= 1"),
    Fault("huber not continuous", "huber_forward", "delta * (r * sign - delta / 2)", "delta * r * sign"),
    Fault("huber not clipped in the gradient", "huber_forward", "np.where(near, r, delta * sign)", "r"),
    Fault("absolute error's sign lost", "l1_forward", "settle(r * sign, sign, reduction)",
          "settle(r * sign, abs(sign), reduction)"),
    Fault("quantiles turned round", "quantile_forward", 'checks.quantiles("quantiles", quantiles)',
          'checks.quantiles("quantiles", quantiles)[::-1]'),
    Fault("residual of a quantile with the wrong sign", "quantile_forward", "y - x", "x - y"),
    Fault("weight of a quantile on the wrong side", "quantile_forward", "np.where(above, q, q - 1)", "np.where(above, 1 - q, -q)"),
    Fault("slope of a quantile on the wrong side", "quantile_forward", "np.where(above, -q, (1 - q) * below)",
          "np.where(above, q - 1, q * below)"),
    Fault("slope of a quantile of the absolute error", "quantile_forward", "np.where(above, -q, (1 - q) * below)",
          "np.where(above, -1, 1)"),
    Fault("mean over the rows, not over the quantiles too", "quantile_forward", "np.where(above, q, q - 1) * r",
          "np.where(above, q, q - 1) * r * len(q)"),
    Fault("weight of positives on negatives too", "bce_forward", "1 - y", "(1 if pos_weight is None else pos_weight) * (1 - y)"),
    Fault("weight of positives left out of the gradient", "bce_forward", "negative * sigmoid(x) - positive * sigmoid(-x)",
          "sigmoid(x) - y"),
    Fault("probabilities clipped before the logarithm", "softplus",
          "np.where(above, x, 0) + np.log1p(np.exp(np.where(above, -x, x)))", "-np.log(np.clip(sigmoid(-x), 1e-7, None))"),
]
