"""``python -m notes.studies.linear_recurrence``: a linear recurrence by the loop and by the scan, for its note.

Three tables: the time of either against length and width, what each computes, and how far rounding takes each from what
is exact.  Time is processor time, the median of calls, on one thread; nothing is timed that does not agree.
"""

import math
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from parity_tests.judge.report import processor
from reference.common.arrays import Array
from reference.common.command import entered
from reference.parts import linear_recurrence as room

from ..generated import markdown
from .gradient_costs import seconds
from .study import Kept, Study, plain, short

LENGTHS, WIDTHS = (16, 128, 1_024, 8_192), (1, 16, 256, 4_096)
FACTORS, STEPS, WIDE = (0.5, 0.9, 0.99, 0.999, 1.0), 4_096, 256
WAYS = {"loop": room.loop, "scan": room.scan}


def draw(T: int, W: int, low: float, high: float) -> tuple[Array, Array, Array]:
    """Factors between two bounds, inputs, the first state; float32"""
    rng = np.random.default_rng(0)
    a = rng.uniform(low, high, (T, W)) if low < high else np.full((T, W), low)
    return a.astype("f"), rng.standard_normal((T, W)).astype("f"), rng.standard_normal(W).astype("f")


def rounds(T: int) -> int:
    """Of the scan over T steps and the one that puts the first state there"""
    return math.ceil(math.log2(T + 1))


def operations(T: int) -> dict[str, int]:
    """Multiplications and additions for each number of the state"""
    entries = sum(T + 1 - 2**k for k in range(rounds(T)))
    return {"loop": 2 * T, "scan": 3 * entries}


def timed(T: int, W: int) -> dict[str, Any]:
    a, u, h_0 = draw(T, W, 0.5, 1.0)
    np.testing.assert_allclose(room.scan(a, u, h_0), room.loop(a, u, h_0), rtol=0, atol=1e-4)
    return {"T": T, "W": W} | {way: short(seconds(partial(run, a, u, h_0))) for way, run in WAYS.items()}


def rounded(factor: float) -> dict[str, float]:
    """The largest error of a state, in units of eps times the largest state: all factors equal, and drawn around the same mean"""
    kept = {"factor": factor}
    for kind, low, high in (("equal", factor, factor), ("drawn", 2 * factor - 1, 1.0)):
        given = draw(STEPS, WIDE, low, high)
        exact = room.loop(*(v.astype(np.longdouble) for v in given))
        unit = np.abs(exact).max() * np.finfo("f").eps
        kept |= {f"{kind}, {way}": short(float(np.abs(run(*given) - exact).max() / unit)) for way, run in WAYS.items()}
    return kept


def measure() -> Kept:
    with threadpool_limits(1):
        return {
            "machine": f"{processor()}, NumPy {np.__version__}, float32",
            "times": [timed(T, W) for W in WIDTHS for T in LENGTHS],
            "errors": [rounded(factor) for factor in FACTORS],
        }


def took(s: float) -> str:
    return f"{s * 1e6:.0f} µs" if s < 1e-3 else f"{s * 1e3:.1f} ms" if s < 1 else f"{s:.2f} s"


def times(kept: Kept) -> str:
    """A row for each width; the loop and the scan at each length"""
    of = {(v["W"], v["T"]): f"{took(v['loop'])} / {took(v['scan'])}" for v in kept["times"]}
    rows = [[f"{W:,}", *(of[W, T] for T in LENGTHS)] for W in WIDTHS]
    return "\n".join(markdown(["B·H", *(f"T = {T:,}" for T in LENGTHS)], rows, ()))


def counts() -> str:
    rows = [[f"{v:,}" for v in (T, rounds(T), *operations(T).values())] for T in LENGTHS]
    head = ["T, steps of the loop", "rounds of the scan", "operations of the loop", "operations of the scan"]
    return "\n".join(markdown(head, rows, ()))


def errors(kept: Kept) -> str:
    head = [name for name in kept["errors"][0] if name != "factor"]
    return "\n".join(markdown(["factor", *head], [[v["factor"], *(plain(v[c]) for c in head)] for v in kept["errors"]], ()))


def tables(kept: Kept) -> Mapping[str, str]:
    return {"machine": kept["machine"], "times": times(kept), "counts": counts(), "errors": errors(kept)}


STUDY = Study("linear_recurrence", __doc__, measure, tables)


if __name__ == "__main__":
    sys.exit(entered(STUDY.command))
