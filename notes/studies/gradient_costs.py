"""``python -m notes.studies.gradient_costs``: what the ways to one gradient cost, for the notes of notes/gradients.

Four tables: memory and time against the length, the error of a truncated gradient, RTRL against H, Hessian-vector products.
Nothing is timed that was not compared with plain BPTT first.  Memory is what tracemalloc sees at most, in a run of its own,
beyond the inputs; time is processor time, on one thread.
"""

import math
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import reduce
from types import ModuleType
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

import torch_impl.gradients.hessian
from parity_tests.judge.diagnosis import TWINS
from reference.cells import gru, lstm, rnn
from reference.common import parameters
from reference.common.command import entered
from reference.gradients import checkpointed_bptt, hessian, rtrl, truncated_bptt

from ..generated import markdown
from .study import Study

ROOMS: dict[str, ModuleType] = {"RNN": rnn, "LSTM": lstm, "GRU": gru}
LENGTHS, WINDOWS, WIDTHS = (100, 1_000, 10_000, 100_000), (1, 3, 10, 30, 100, 300), (4, 8, 16, 32)
Call = Callable[[], Any]


class Problem:
    """A room with torch's default weights, and random data."""

    def __init__(self, room: ModuleType, T: int, B: int, I: int, H: int):
        rng = np.random.default_rng(0)
        shapes = parameters.cell_shapes(len(room.GATES), I, H, True)
        self.room, self.p = room, room.Params(**{k: rng.uniform(-1, 1, v) * H**-0.5 for k, v in shapes.items()})
        self.x, self.dy = rng.standard_normal((T, B, I)), rng.standard_normal((T, B, H))
        self.s, self.ds = (room.State(*(rng.standard_normal((B, H)) for _ in room.State._fields)) for _ in range(2))

    def bptt(self) -> Any:
        """Plain BPTT  ->  dp"""
        _, _, k = self.room.forward(self.p, self.x, self.s)
        return self.room.backward(self.dy, self.ds, k)[0]


def gap(one: Any, other: Any) -> float:
    """The largest difference of two Params, over the largest number of the other"""
    pairs = [(u, v) for u, v in zip(one, other, strict=True) if v is not None]
    return max(float(np.abs(u - v).max()) for u, v in pairs) / max(float(np.abs(v).max()) for _, v in pairs)


def seconds(call: Call, least: float = 0.3) -> float:
    """The median processor time of a call, repeated for at least so long; others on the machine do not count"""
    taken: list[float] = []
    while not taken or sum(taken) < least:
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return float(np.median(taken))


def peak(call: Call) -> int:
    """Bytes that a call holds at most"""
    tracemalloc.start()
    call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def held(bytes_: float) -> str:
    return f"{bytes_ / 1e6:.1f} MB" if bytes_ >= 1e6 else f"{bytes_ / 1e3:.0f} kB"


def took(s: float) -> str:
    return f"{s:.2f} s" if s >= 1 else f"{s * 1e3:.1f} ms"


def costs(call: Call, least: float = 0.3) -> list[str]:
    """Memory and time"""
    return [held(peak(call)), took(seconds(call, least))]


def along_the_length(T: int) -> dict[str, Call]:
    """The gradient of Σ ½ y² by each way, of an LSTM with H = 16; none makes an array of T outputs but the plain one"""
    q = Problem(lstm, T, 1, 1, 16)
    still = lstm.State(0 * q.ds.h, 0 * q.ds.c)

    def plain():
        y, _, k = lstm.forward(q.p, q.x, q.s)
        return lstm.backward(y, q.ds, k)[0]

    def checkpointed():
        _, _, k = checkpointed_bptt.forward(lstm, q.p, q.x, q.s, outputs=False)
        return checkpointed_bptt.backward(lambda steps, y: y, q.ds, k)[0]

    def truncated():
        cut = truncated_bptt.windows(lstm, q.p, q.x, q.s, max(math.isqrt(T), 1))
        return reduce(truncated_bptt.add, (lstm.backward(y, still, k)[0] for y, _, k in cut))

    return {"plain": plain, "checkpointed, √(T/6)": checkpointed, "truncated, window √T": truncated}


def length_table() -> list[str]:
    calls = {T: along_the_length(T) for T in LENGTHS}
    for T in LENGTHS[:3]:
        error = gap(calls[T]["checkpointed, √(T/6)"](), calls[T]["plain"]())
        assert error < 1e-12, f"checkpointed BPTT is off by {error} at T = {T}"
    head = ["way", *(text for T in LENGTHS for text in (f"T = {T:,}: peak", "time"))]
    return markdown(head, [[name, *(v for T in LENGTHS for v in costs(calls[T][name], 0.2))] for name in calls[LENGTHS[0]]])


def window_table() -> list[str]:
    rows = []
    for name, room in ROOMS.items():
        q = Problem(room, 300, 4, 3, 32)
        full, errors = q.bptt().W_hh, []
        for w in WINDOWS:
            _, _, k = truncated_bptt.forward(room, q.p, q.x, q.s, w)
            cut = truncated_bptt.backward(q.dy, q.ds, k)[0].W_hh
            errors.append(float(np.linalg.norm(cut - full) / np.linalg.norm(full)))
        rows.append([name, *(f"{e:.1e}" if e else "0" for e in errors)])
    return markdown(["cell", *(f"k = {w}" for w in WINDOWS)], rows)


def rtrl_table() -> list[str]:
    rows = []
    for name, room in ROOMS.items():
        by_bptt, by_rtrl = [name, "BPTT"], [name, "RTRL"]
        for H in WIDTHS:
            q = Problem(room, 20, 1, 4, H)

            def forward_only(q=q):
                return rtrl.gradient(q.room, q.p, q.x, q.s, q.dy, q.ds)[2]

            error = gap(forward_only(), q.bptt())
            assert error < 1e-12, f"RTRL is off by {error} at H = {H}"
            by_bptt += costs(q.bptt)
            by_rtrl += costs(forward_only)
        rows += [by_bptt, by_rtrl]
    return markdown(["cell", "way", *(text for H in WIDTHS for text in (f"H = {H}: peak", "time"))], rows, (0, 1))


def hessian_ways(name: str) -> dict[str, Call]:
    """The gradient of Σ dy y, and ∇²ℓ v by each way, v a direction of all parameters"""
    q = Problem(ROOMS[name], 50, 16, 32, 64)
    rng = np.random.default_rng(1)
    still = q.room.State(*(0 * u for u in q.s))
    v = hessian.Direction(type(q.p)(*(None if u is None else rng.standard_normal(u.shape) for u in q.p)), 0 * q.x, still)
    given = [torch.from_numpy(u) for u in q.p if u is not None]
    x, dy, s = torch.from_numpy(q.x), torch.from_numpy(q.dy), q.room.State(*map(torch.from_numpy, q.s))

    def by_hand():
        return hessian.product(q.room, q.p, q.x, q.s, v, lambda y, s_n, Ry, Rs: (q.dy, still, 0 * Ry, still))[1][0]

    def complex_step():
        p = type(q.p)(*(None if u is None else u + 1e-30j * w for u, w in zip(q.p, v.p, strict=True)))
        _, _, k = q.room.forward(p, q.x, q.s)
        dp = q.room.backward(q.dy + 0j, q.room.State(*(u + 0j for u in still)), k)[0]
        return type(dp)(*(None if u is None else u.imag / 1e-30 for u in dp))

    def loss(*weights):
        return (TWINS[name.lower()].hoisted(q.room.Params(*weights), x, s)[0] * dy).sum()

    def double_backward():
        along = [torch.from_numpy(w) for w in v.p if w is not None]
        return type(q.p)(*(u.numpy() for u in torch_impl.gradients.hessian.product(loss, given, along)[1]))

    def gradient():
        _, _, k = q.room.forward(q.p, q.x, q.s)
        return q.room.backward(q.dy, still, k)[0]

    def torch_gradient():
        weights = [u.detach().requires_grad_() for u in given]
        return torch.autograd.grad(loss(*weights), weights)

    return {
        "gradient": gradient,
        "∇²ℓ v by hand": by_hand,
        "∇²ℓ v by the complex step": complex_step,
        "gradient, torch's loop": torch_gradient,
        "∇²ℓ v by double backward, torch's loop": double_backward,
    }


def hessian_table() -> list[str]:
    calls_of = {name: hessian_ways(name) for name in ROOMS}
    for name, calls in calls_of.items():
        exact = calls["∇²ℓ v by the complex step"]()
        for way in ("∇²ℓ v by hand", "∇²ℓ v by double backward, torch's loop"):
            error = gap(calls[way](), exact)
            assert error < 1e-11, f"{name}, {way} is off by {error}"
    base: dict[str, float] = {}
    rows = []
    for way in calls_of["RNN"]:
        times = {name: seconds(calls_of[name][way]) for name in ROOMS}
        base = times if way.startswith("gradient") else base
        rows.append([way, *(text for name, t in times.items() for text in (took(t), f"{t / base[name]:.1f}"))])
    return markdown(["what", *(text for name in ROOMS for text in (f"{name}: time", "over the gradient"))], rows)


def measure() -> dict[str, list[str]]:
    torch.set_num_threads(1)
    with threadpool_limits(1):
        return {"length": length_table(), "window": window_table(), "rtrl": rtrl_table(), "hessian": hessian_table()}


STUDY = Study("gradient_costs", __doc__, measure)


if __name__ == "__main__":
    sys.exit(entered(STUDY.command))
