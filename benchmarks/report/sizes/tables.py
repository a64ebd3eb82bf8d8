"""The tables of time against size."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ..blocks import Table
from ..frame import size_of, times
from ..tables import AXES, groups, sweeps, texts, titled
from .fit import Law, law

SPAN = 8  # a sweep is fitted if its largest size is at least so many times its smallest
HELPS = 1.1  # more threads help if they are so many times as fast

EXPONENTS = (
    "time ~ size^k by least squares in logarithms; k is that of the upper part where the law bends, with its 95% interval "
    "(Student's t, the bend taken as known), and before it the exponent up to there. Off: the largest factor between a time "
    "and the law. At a bend: the bytes of the case (weights, input, states, output, in training their gradients, once "
    "each), and the smallest cache that would hold them."
)
THREADS = (
    "The least work from which on the file with more threads is at least 1.1 times as fast at every larger size as well, and "
    "how many times as fast they are: at the smallest size, at the largest."
)


def is_wide(sizes: list[int]) -> bool:
    """Whether a sweep is good for a fit: three sizes or more, that span enough and do not look at a cliff."""
    close = sum(b == a + 1 == c - 1 for a, b, c in zip(sizes, sizes[1:], sizes[2:], strict=False))
    return len(sizes) > 2 and sizes[-1] >= SPAN * sizes[0] and not close


def fits(rows: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, str, Law]]:
    """(rows, axis, law) along T, B and H, where a file sweeps it widely and an implementation has three times or more."""
    for axis in AXES:
        for own in (own for sweep in sweeps(rows, axis) for own in groups(sweep, ["implementation"])):
            if is_wide(own.x.tolist()):
                yield own, axis, law(own.x.to_numpy(), own["median"].to_numpy())


def exponents(rows: pd.DataFrame) -> Iterator[Table]:
    """The laws of a file, a table for each device and dtype: by axis, cell, phase and implementation."""
    lines = [
        {
            "axis": f"{axis} {own.x.iloc[0]} – {own.x.iloc[-1]}\n{own.held.iloc[0]}",
            "cell": f"{own.kind.iloc[0]}, {own.phase.iloc[0]}",
            "implementation": own.implementation.iloc[0],
            "k": f"{of.k:.2f}" + ("" if np.isnan(of.low) else f"\n[{of.low:.2f} – {of.high:.2f}]"),
            "bends at": "" if of.bend is None else f"{axis} = {of.bend}\n{holds(own[own.x == of.bend].iloc[0])}",
            "before it": "" if of.before is None else f"{of.before:.2f}",
            "off": times(of.off),
            "on": titled(own, "dtype", "device"),
        }
        for own, axis, of in fits(rows)
    ]
    for group in groups(pd.DataFrame(lines), ["on"]) if lines else ():
        yield Table(f"Time against size: exponents · {group.on.iloc[0]}", EXPONENTS, group.drop(columns="on"), 3)


def short(rows: pd.DataFrame) -> pd.DataFrame:
    """Exponents alone, '0.93', or '1.18 from 200' where the law bends: implementations and phases by axis and cell."""
    lines = [
        own.iloc[0][["implementation", "phase", "kind"]].to_dict()
        | {"axis": axis, "text": f"{of.k:.2f}" + ("" if of.bend is None else f" from {of.bend}")}
        for own, axis, of in fits(rows)
    ]
    return texts(pd.DataFrame(lines), ["implementation", "phase"], ["axis", "kind"]) if lines else pd.DataFrame()


def holds(row: Any) -> str:
    """'1.20 MB, in L2'; the size alone where the file knows no cache."""
    caches = dict(row.caches)
    level = next((level for level, size in sorted(caches.items()) if row.bytes <= size), "none")
    return f"{size_of(row.bytes)}, in {level}" if caches and row.device == "cpu" else size_of(row.bytes)


def threads_help(rows: pd.DataFrame) -> Iterator[Table]:
    """From which work on more threads help, where files of one machine and preset have one thread count and another."""
    timed = rows[(rows.device == "cpu") & rows["median"].notna() & rows.model.isna() & (rows.flops > 0)]
    for group in groups(timed, ["where", "preset", "dtype"]):
        numbers = sorted(group.threads.unique().tolist())
        if len(numbers) < 2:
            continue
        few, many = (group[group.threads == n].drop_duplicates(["implementation", "key"]) for n in (numbers[0], numbers[-1]))
        both = few.merge(many[["implementation", "key", "median"]], on=["implementation", "key"], suffixes=("", "_many"))
        both = both.assign(gain=both["median"] / both["median_many"], column=both.kind + ", " + both.phase)
        if both.groupby(["implementation", "column"], sort=False)["size"].nunique().max() > 2:
            cells = both.groupby(["implementation", "column"], sort=False)[["flops", "gain", "size"]].apply(from_where)
            frame = texts(cells.reset_index(name="text"), ["implementation"], ["column"])
            title = f"From where on {numbers[-1]} threads help, against {numbers[0]}"
            yield Table(f"{title} · {titled(group, 'preset', 'dtype', 'where')}", THREADS, frame)


def from_where(own: pd.DataFrame) -> str:
    """'T100 B32 H128; 0.98 to 1.85'"""
    own = own.sort_values("flops", kind="stable")
    helps = (own.gain >= HELPS)[::-1].cummin()[::-1]
    ends = f"{own.gain.iloc[0]:.2f} to {own.gain.iloc[-1]:.2f}"
    return f"{own['size'][helps].iloc[0]}\n{ends}" if helps.any() else f"nowhere\n{ends}"
