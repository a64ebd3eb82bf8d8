"""Cases and faults of reference/training/init.py: what is made of given samples, gate by gate.

The samples are fixed numbers behind the interface of a generator, so that every draw can be checked by torch.nn.init's
own formulas for bounds, deviations and orthogonal factors.  LAPACK has no longdouble, so orthogonal factors are those
of the sample in float64 on all sides.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from ..helpers import draw
from ..mutation.catalogue import Fault
from ..rooms import RoomCase

GATES, H, I = 4, 3, 5
SHAPES = {"weight_ih": (GATES * H, I), "weight_hh": (GATES * H, H), "bias_ih": (GATES * H,), "bias_hh": (GATES * H,)}


class Given(np.random.Generator):
    """Hands out the rows of the samples, matrix by matrix, as a generator would draw them."""

    def __init__(self, samples: list[np.ndarray]):
        super().__init__(np.random.PCG64())
        self.rows = {v.shape[1]: list(v) for v in samples}

    def standard_normal(self, shape: Any) -> np.ndarray:  # type: ignore[override]
        return np.array([self.rows[shape[1]].pop(0) for _ in range(shape[0])])

    def normal(self, mean: Any, std: Any, shape: Any) -> np.ndarray:  # type: ignore[override]
        return mean + std * self.standard_normal(shape)

    def uniform(self, low: Any, high: Any, shape: Any) -> np.ndarray:  # type: ignore[override]
        return low + (high - low) * self.standard_normal(shape)


def case(name: str, scheme: str, by_torch: Callable[[torch.Tensor], torch.Tensor], forget_bias: float | None = None) -> RoomCase:
    biases = forget_bias is not None

    def run(package, d):
        given = Given([np.asarray(d[k], np.float64) if scheme == "orthogonal" else d[k] for k in ("u_ih", "u_hh")])
        start = {k: np.zeros(shape, d["u_ih"].dtype) for k, shape in SHAPES.items() if biases or "weight" in k}
        weights = package.init.initialise(start, scheme, given, forget_bias=forget_bias)
        return {k: v for k, v in weights.items() if k != "bias_hh"}

    def twin(d):
        weights = {f"weight_{side}": torch.cat([by_torch(u) for u in d[f"u_{side}"].detach().split(H)]) for side in ("ih", "hh")}
        if forget_bias is not None:
            weights["bias_ih"] = torch.zeros(GATES * H, dtype=d["u_ih"].dtype)
            weights["bias_ih"][H : 2 * H] = forget_bias
        return weights

    inputs = {"u_ih": draw(1, GATES * H, I), "u_hh": draw(2, GATES * H, H)}
    return RoomCase("init", name, inputs, run, twin, fixed=("u_ih", "u_hh"), holomorphic=False)


def xavier(u: torch.Tensor) -> torch.Tensor:
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(u)
    return u * (2 / (fan_in + fan_out)) ** 0.5


def kaiming(u: torch.Tensor) -> torch.Tensor:
    fan_in, _ = nn.init._calculate_fan_in_and_fan_out(u)
    return u * 2**0.5 / fan_in**0.5


def orthogonal(u: torch.Tensor) -> torch.Tensor:
    Q, R = torch.linalg.qr(u.double().T if u.shape[0] < u.shape[1] else u.double())
    Q = Q * R.diagonal().sign()
    return (Q.T if u.shape[0] < u.shape[1] else Q).to(u.dtype)


CASES = [
    case("xavier_normal", "xavier_normal", xavier, forget_bias=1.5),
    case("xavier_uniform", "xavier_uniform", lambda u: xavier(3**0.5 * (2 * u - 1))),
    case("kaiming_normal", "kaiming_normal", kaiming),
    case("kaiming_uniform", "kaiming_uniform", lambda u: kaiming(3**0.5 * (2 * u - 1))),
    case("orthogonal", "orthogonal", orthogonal),
    case("uniform", "uniform", lambda u: (2 * u - 1) / H**0.5),
]

# fmt: off
FAULTS = [
    Fault("fan of the stacked matrix", "initialise", 'matches[name]["side"] == "hr"', 'True or matches[name]["side"] == "hr"',
          source="dynet #348"),
    Fault("fans exchanged", "fans", "return sizes[1], sizes[0]", "return sizes[0], sizes[1]"),
    Fault("fans multiplied by the gates", "xavier_std", "sum(fans(shape))", "shape[1] + 4 * shape[0]", source="dynet #348"),
    Fault("deviation taken for the bound", "within", "math.sqrt(3) * abs(std)", "abs(std)"),
    Fault("variance taken for the deviation", "xavier_std", 'checks.finite("gain", gain) * math.sqrt(2 / sum(fans(shape)))',
          "gain * 2 / sum(fans(shape))"),
    Fault("signs of R left as they come", "orthogonalised", "Q = Q * np.sign(np.diag(R))", "Q = Q * 1"),
    Fault("orthogonal columns where rows are fewer", "orthogonalised", "sample.T if wide else sample", "sample.T"),
    Fault("forget bias in the input gate", "", "FORGET = 1", "FORGET = 0"),
    Fault("forget bias halved between the two vectors", "initialise", 'bias if matches[name]["side"] == "ih" else 0',
          "bias / 2"),
    Fault("uniform in 1/H, not 1/√H", "named", "partial(uniform, a=-(H**-0.5), b=H**-0.5)",
          "partial(uniform, a=-1 / H, b=1 / H)"),
]
