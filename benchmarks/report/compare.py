"""``python -m benchmarks compare A B``: what changed between two result files, beyond noise.

The rule: a row changed if the interquartile ranges of its two times do not overlap, and the median moved by more than 5
percent.

Exit status: 0; 1 with --fail-slower X if a row got slower beyond noise and by more than X percent, or was timed in A and is
not ok in B, or if no row could be compared; 2 if a file is unusable.
"""

import argparse
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid
from rich.text import Text

from parity_tests.judge.terminal import console, grid

from ..run.results import ResultError, identity, read
from .tables import Entry, duration, grouped, load, quartiles, times, word

USAGE_ERROR = 2
NOISE = 1.05  # a median that moved by a smaller factor has not moved
RULE = "changed: the interquartile ranges do not overlap, and the median moved by more than 5 percent"


class Pair(NamedTuple):
    """One row in both files."""

    a: Entry
    b: Entry

    @property
    def factor(self) -> float | None:
        """B's median over A's, None unless both were timed."""
        return self.b.median / self.a.median if self.a.median and self.b.median else None

    @property
    def changed(self) -> bool:
        """Beyond noise, or in status."""
        return self.a.status != self.b.status or self.slower or self.faster

    @property
    def slower(self) -> bool:
        return apart(self.a, self.b) and (self.factor or 0) > NOISE

    @property
    def faster(self) -> bool:
        return apart(self.b, self.a) and 1 / (self.factor or 1) > NOISE

    @property
    def lost(self) -> bool:
        """Timed in A, not in B."""
        return self.a.status == "ok" != self.b.status

    def failed(self, percent: float) -> bool:
        return self.lost or (self.slower and (self.factor or 0) > 1 + percent / 100)


def apart(lower: Entry, upper: Entry) -> bool:
    """Whether all of one interquartile range is above the other."""
    return lower.q3 is not None and upper.q1 is not None and lower.q3 < upper.q1


def arguments() -> argparse.ArgumentParser:
    first, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(prog="python -m benchmarks compare", description=first.partition(": ")[2], epilog=rest,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("a", metavar="A", help="a result file: before")
    parser.add_argument("b", metavar="B", help="a result file: after")
    parser.add_argument("--fail-slower", type=percentage, metavar="X%",
                        help="exit with 1 if a row got slower by more than X percent (less than 5 is noise in any case)")
    return parser


def percentage(text: str) -> float:
    """'10' or '10%'."""
    value = float(text.removesuffix("%"))
    if not 0 <= value < math.inf:
        raise ValueError(text)
    return value


def main(argv: Sequence[str] | None = None) -> int:
    args, error = arguments().parse_args(argv), console(stderr=True)
    try:
        files = [(name, read(Path(name))) for name in (args.a, args.b)]
    except (ResultError, OSError) as e:
        error.print(f"error: {e}", style="bold red", markup=False, soft_wrap=True)
        return USAGE_ERROR
    a, b = (dict(zip(map(identity, f["rows"]), load([(name, f)]), strict=True)) for name, f in files)
    pairs = [Pair(a[k], b[k]) for k in a if k in b]
    out = console()
    for text in differences(files[0][1], files[1][1]):
        out.print(Text(f"warning: {text}", style="yellow"))
    show(out, pairs)
    only(out, "A", [a[k] for k in a if k not in b])
    only(out, "B", [b[k] for k in b if k not in a])
    return 0 if args.fail_slower is None else verdict(out, pairs, args.fail_slower)


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """What differs in the machine, the versions and the limits, so that times may differ for that reason."""
    return [f"{part} {key}: {described(x)} in A, {described(y)} in B" for part in ("machine", "environment")
            for key in a[part] if (x := a[part][key]) != (y := b[part].get(key))]


def described(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return "; ".join(map(described, value)) if isinstance(value, list) else "none" if value is None else str(value)


def show(out: Console, pairs: Sequence[Pair]) -> None:
    """The rule, a row for each change, the slowest first, and a count of the rest."""
    changed = sorted((p for p in pairs if p.changed), key=lambda p: -math.inf if p.factor is None else -p.factor)
    out.print(Text(RULE, style="dim"))
    if changed:
        out.print(changes(changed))
    counts = (f"{sum(p.slower for p in pairs)} slower", f"{sum(p.faster for p in pairs)} faster",
              f"{sum(p.a.status != p.b.status for p in pairs)} with another status",
              f"{sum(p.factor is not None and not p.changed for p in pairs)} unchanged within noise",
              f"{sum(p.factor is None and not p.changed for p in pairs)} timed in neither")
    out.print(Text(f"{len(pairs)} rows in both: " + ", ".join(counts)))


def changes(pairs: Sequence[Pair]) -> Grid:
    made = grid(escape("changed beyond noise: A -> B"))
    for name in ("implementation", "case", "A", "B", "B / A", "verdict"):
        made.add_column(name, justify="right" if name in ("A", "B", "B / A") else "left")
    for p in pairs:
        case = f"{p.a.kind} {p.a.phase} {p.a.dtype} {p.a.device}\n{p.a.size}"
        kernel = f"\nkernel {p.a.kernel} -> {p.b.kernel}" if p.a.kernel != p.b.kernel else ""
        text, style = (("slower", "bold red") if p.slower else ("faster", "green") if p.faster
                       else (f"{word(p.a) or 'timed'} -> {word(p.b) or 'timed'}", "bold red" if p.lost else "yellow"))
        reason = f"\n{p.b.reason}" if p.b.reason else ""
        made.add_row(p.a.implementation, Text(case), timing(p.a), timing(p.b), times(p.factor),
                     Text(text + kernel + reason, style=style))
    return made


def timing(e: Entry) -> Text:
    return Text(word(e)) if e.median is None else Text.assemble(duration(e.median), (f"\n[{quartiles(e)}]", "dim"))


def only(out: Console, name: str, found: Iterable[Entry]) -> None:
    """What one file has and the other does not."""
    for text, es in grouped(found, lambda e: f"{e.implementation}, {e.kind} {e.phase} {e.dtype} {e.device}").items():
        out.print(Text(f"only in {name}: {text}: {', '.join(e.size for e in es)}", style="yellow"))


def verdict(out: Console, pairs: Sequence[Pair], percent: float) -> int:
    """The exit status under --fail-slower, and why."""
    failed = sum(p.failed(percent) for p in pairs)
    if not any(p.a.median for p in pairs):
        out.print(Text("failed: no row that was timed in A is in B", style="bold red"))
        return 1
    if failed:
        what = f"slower by more than {percent:g} percent beyond noise, or timed no more"
        out.print(Text(f"failed: {failed} of {len(pairs)} rows {what}", style="bold red"))
        return 1
    out.print(Text(f"passed: no row slower by more than {percent:g} percent beyond noise", style="green"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
