"""What the machine itself can do, measured in the same run: products per second, and bytes copied per second.

A row's fraction of the limit is the time that its products alone would take at the machine's best rate, or its traffic
at the machine's bandwidth, whichever is more, over the time that it took (the roofline).
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from ..what.precision import PRECISIONS, in_force

SQUARE = {"cpu": 1024, "cuda": 4096}  # the side of the product: on a GPU 1024 is over before all of it is busy
COPIED = {"cpu": 2**26, "cuda": 2**28}  # bytes
SECONDS = 0.15
Limits = dict[str, Any]  # of one device, as in schema.json


def measure(device: str, dtypes: Sequence[str], clock: Callable[[], float] = time.perf_counter) -> Limits:
    """The "limits" of one device: {"gemm_gflops": {dtype: x}, "copy_gbs": x, "shape": "1024x1024x1024"}.

    NumPy and torch both try on the CPU; the better counts.
    """
    n = SQUARE[device]
    gemm = {dtype: max(2e-9 * n**3 / best(call, device, clock) for call in products(device, dtype, n)) for dtype in dtypes}
    copy = max(2e-9 * COPIED[device] / best(call, device, clock) for call in copies(device))  # read and written
    return {"gemm_gflops": gemm, "copy_gbs": copy, "shape": f"{n}x{n}x{n}"}


def products(device: str, dtype: str, n: int) -> list[Callable[[], object]]:
    """Square products, each way to compute one."""
    a, b = (torch.randn(n, n, dtype=torch.float32).to(device, getattr(torch, PRECISIONS[dtype].dtype)) for _ in range(2))
    out = torch.empty_like(a)

    def by_torch() -> None:
        with in_force(dtype):
            torch.mm(a, b, out=out)

    if device != "cpu" or dtype not in ("float32", "float64"):
        return [by_torch]
    x, y, z = a.numpy(), b.numpy(), out.numpy().copy()
    return [by_torch, lambda: np.matmul(x, y, out=z)]


def copies(device: str) -> list[Callable[[], object]]:
    """Copies from one place to another."""
    source = torch.ones(COPIED[device] // 4, device=device)
    target = torch.zeros_like(source)
    if device != "cpu":
        return [lambda: target.copy_(source)]
    x, y = source.numpy(), target.numpy()
    return [lambda: target.copy_(source), lambda: np.copyto(y, x)]


def best(call: Callable[[], object], device: str, clock: Callable[[], float]) -> float:
    """Seconds of the fastest call: a limit is what was reached once."""

    def timed() -> float:
        start = clock()
        call()
        if device == "cuda":
            torch.cuda.synchronize()
        return clock() - start

    times = [timed()]  # sets up what the others use, however long that takes
    end = clock() + SECONDS
    while len(times) < 6 or clock() < end:
        times.append(timed())
    return min(times)


def fraction_of_limit(flops: int, traffic: int, seconds: float, dtype: str, limits: Limits) -> tuple[float, str]:
    """(fraction of the nearer limit, "compute" or "memory") of a call that took so many seconds."""
    compute = flops / (1e9 * limits["gemm_gflops"][dtype])
    memory = traffic / (1e9 * limits["copy_gbs"])
    return max(compute, memory) / seconds, "compute" if compute >= memory else "memory"
