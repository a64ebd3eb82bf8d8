"""``python -m benchmarks compare A B``: what changed between two result files, beyond noise.

The rule: a row changed if the interquartile ranges of its two times do not overlap, and the median moved by more than 5
percent.

Exit status: 0; 1 with --fail-slower X if a row got slower beyond noise and by more than X percent, or was timed in A and is
not ok in B, or if no row could be compared; 2 if a file is unusable.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.text import Text

from parity_tests.judge.terminal import console
from reference.common.command import at_least_zero, failed, parser

from ..run.results import ResultError, read
from .blocks import Table, print_table
from .frame import Content, between, load, said, times, word
from .tables import groups

NOISE = 1.05  # a median that moved by a smaller factor has not moved
RULE = "changed: the interquartile ranges do not overlap, and the median moved by more than 5 percent"
ROW = ["implementation", "key"]
COLUMNS = [*ROW, "kind", "phase", "dtype", "device", "size", "status", "reason", "kernel", "median", "q1", "q3"]


def percentage(text: str) -> float:
    """'10' or '10%'."""
    return at_least_zero(text.removesuffix("%"))


def main(argv: Sequence[str] | None = None) -> int:
    options = parser("python -m benchmarks compare", __doc__)
    options.add_argument("a", metavar="A", help="a result file: before")
    options.add_argument("b", metavar="B", help="a result file: after")
    slower = "exit with 1 if a row got slower by more than X percent (less than 5 is noise in any case)"
    options.add_argument("--fail-slower", type=percentage, metavar="X%", help=slower)
    args = options.parse_args(argv)
    try:
        files = [(name, read(Path(name))) for name in (args.a, args.b)]
    except ResultError as e:
        return failed(str(e))
    a, b = (load([file]).reindex(columns=COLUMNS) for file in files)
    out, pairs = console(), paired(a, b)
    for text in differences(files[0][1], files[1][1]):
        out.print(Text(f"warning: {text}", style="yellow"))
    show(out, pairs)
    for name, own, other in (("A", a, b), ("B", b, a)):
        there = pd.MultiIndex.from_frame(own[ROW]).isin(pd.MultiIndex.from_frame(other[ROW]))
        for group in groups(own[~there], ["implementation", "kind", "phase", "dtype", "device"]):
            who, *what = group.iloc[0][["implementation", "kind", "phase", "dtype", "device"]]
            out.print(Text(f"only in {name}: {who}, {' '.join(what)}: {', '.join(group['size'])}", style="yellow"))
    return 0 if args.fail_slower is None else verdict(out, pairs, args.fail_slower)


def paired(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """A line for each row in both files: factor, B's median over A's, and what became of it."""
    pairs = a.merge(b, on=ROW, suffixes=("", "_b"))
    factor = pairs["median_b"] / pairs["median"]
    return pairs.assign(
        factor=factor,
        slower=(pairs.q3 < pairs.q1_b) & (factor > NOISE),
        faster=(pairs.q3_b < pairs.q1) & (1 / factor > NOISE),
        moved=pairs.status != pairs.status_b,
        lost=(pairs.status == "ok") & (pairs.status_b != "ok"),
    )


def differences(a: Content, b: Content) -> list[str]:
    """What differs in the machine, the versions and the limits, so that times may differ for that reason."""
    return [
        f"{part} {key}: {described(x)} in A, {described(y)} in B"
        for part in ("machine", "environment")
        for key in a[part]
        if (x := a[part][key]) != (y := b[part].get(key))
    ]


def described(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return "; ".join(map(described, value)) if isinstance(value, list) else "none" if value is None else str(value)


def show(out: Console, pairs: pd.DataFrame) -> None:
    """The rule, a row for each change, the slowest first, and a count of the rest."""
    changed = pairs.slower | pairs.faster | pairs.moved
    out.print(Text(RULE, style="dim"))
    if changed.any():
        rows = pairs[changed].sort_values("factor", ascending=False, kind="stable", na_position="first")
        print_table(out, Table("changed beyond noise: A -> B", "", pd.DataFrame(map(change, rows.to_dict("records"))), 2))
    same, untimed = (pairs.factor.notna() & ~changed).sum(), (pairs.factor.isna() & ~changed).sum()
    counts = f"{pairs.slower.sum()} slower, {pairs.faster.sum()} faster, {pairs.moved.sum()} with another status"
    out.print(Text(f"{len(pairs)} rows in both: {counts}, {same} unchanged within noise, {untimed} timed in neither"))


def change(p: Content) -> dict[str, str]:
    """A line of the table."""
    other = f"{word(p['status']) or 'timed'} -> {word(p['status_b']) or 'timed'}"
    became = "slower" if p["slower"] else "faster" if p["faster"] else other
    kernel = "" if p["kernel"] == p["kernel_b"] else f"kernel {p['kernel'] or 'unknown'} -> {p['kernel_b'] or 'unknown'}"
    return {
        "implementation": p["implementation"],
        "case": f"{p['kind']} {p['phase']} {p['dtype']} {p['device']}\n{p['size']}",
        "A": timing(p, ""),
        "B": timing(p, "_b"),
        "B / A": times(p["factor"]),
        "verdict": "\n".join(filter(None, (became, kernel, p["reason_b"]))),
    }


def timing(p: Content, which: str) -> str:
    median, q1, q3 = (p[name + which] for name in ("median", "q1", "q3"))
    return word(p["status" + which]) if pd.isna(median) else f"{said(median)}\n[{between(q1, q3, median)}]"


def verdict(out: Console, pairs: pd.DataFrame, percent: float) -> int:
    """The exit status under --fail-slower, and why."""
    too_slow = int((pairs.lost | (pairs.slower & (pairs.factor > 1 + percent / 100))).sum())
    why = f"{too_slow} of {len(pairs)} rows slower by more than {percent:g} percent beyond noise, or timed no more"
    if not pairs["median"].notna().any():
        why = "no row that was timed in A is in B"
    elif not too_slow:
        out.print(Text(f"passed: no row slower by more than {percent:g} percent beyond noise", style="green"))
        return 0
    out.print(Text(f"failed: {why}", style="bold red"))
    return 1
