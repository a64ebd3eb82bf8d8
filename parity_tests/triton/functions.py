"""``python -m parity_tests.triton.functions DEVICE``: how far σ and tanh of the kernels are from right, as JSON.

{dtype: {function: [largest error in units of the last place, the same over 1 + |x| / 4, whether ±∞ and NaN are right]}}
"""

import json
import sys
from typing import Any

import numpy as np
import torch
import triton
import triton.language as tl

from reference.common.command import entered, parser
from torch_impl.triton.blocks import get, put, wide
from torch_impl.triton.functions import sigmoid, tanh

from ..judge.arithmetic import unit

BLOCK = 1024
EXACT: dict[str, Any] = {"sigmoid": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh}
SPECIAL = {"sigmoid": [1, 0, np.nan], "tanh": [1, -1, np.nan]}  # of ∞, -∞ and NaN


@triton.jit
def apply(x, y, N, TANH: tl.constexpr, ACC: tl.constexpr, BLOCK: tl.constexpr):
    """x (N,)  ->  y (N,)"""
    k = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    value = get(x + k, k < N, ACC)
    put(y + k, tanh(value) if TANH else sigmoid(value), k < N)


def computed(name: str, x: torch.Tensor) -> np.ndarray:
    y = torch.empty_like(x)
    apply[(triton.cdiv(len(x), BLOCK),)](x, y, len(x), name == "tanh", wide(x), BLOCK)
    return y.double().cpu().numpy()


def arguments(dtype: str) -> torch.Tensor:
    """From -100 to 100, close by where tanh changes its formula, and down to the smallest."""
    tiny = np.geomspace(1e-30, 1, 2000)
    near = 0.6 + np.linspace(-1e-3, 1e-3, 1001)
    x = np.concatenate([np.linspace(-100, 100, 20001), np.linspace(-2, 2, 4001), tiny, -tiny, near, -near])
    return torch.from_numpy(x).to(getattr(torch, dtype))


def errors(name: str, dtype: str, device: str) -> tuple[float, float, bool]:
    x = arguments(dtype)
    y, given = computed(name, x.to(device)), x.double().numpy().astype(np.longdouble)
    right = EXACT[name](given)
    last = np.abs(unit(right.astype(np.float32 if dtype == "float32" else np.float64))).astype(np.longdouble)
    ulp = np.abs(y - right) / last
    special = computed(name, torch.tensor([np.inf, -np.inf, np.nan], dtype=x.dtype, device=device))
    equal = bool(np.array_equal(special, SPECIAL[name], equal_nan=True))
    return float(ulp.max()), float((ulp / (1 + np.abs(given) / 4)).max()), equal


def main() -> int:
    options = parser("python -m parity_tests.triton.functions", __doc__ or "")
    options.add_argument("device", choices=("cpu", "cuda"))
    device = options.parse_args().device
    print(json.dumps({d: {name: errors(name, d, device) for name in EXACT} for d in ("float32", "float64")}))
    return 0


if __name__ == "__main__":
    sys.exit(entered(main))
