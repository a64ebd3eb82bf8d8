"""``python -m parity_tests compare A.json B.json``: what changed from one report to another.

Exit status: 0 nothing got worse; 1 a case that passed does not any more, or is not there; 2 a file cannot be read, or the
two are of different versions.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from reference.common.command import failed, parser

from .. import terminal
from ..report import VERSION

Entry = dict[str, Any]  # a case in a report
Key = tuple[str, str, str]  # implementation, case, dtype
PASSES = ("passed", "xpassed")
ABSENT = "not there"


def arguments() -> argparse.ArgumentParser:
    options = parser("python -m parity_tests compare", __doc__ or "")
    options.add_argument("before", type=Path, metavar="A.json", help="a report, written by --report")
    options.add_argument("after", type=Path, metavar="B.json", help="a later one")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    args = arguments().parse_args(argv)
    try:
        before, after = read(args.before), read(args.after)
        if before["rule"] != after["rule"]:
            raise ValueError(f"{args.before} and {args.after} are of different rules, and cannot be compared")
        old, new = entries(before), entries(after)
    except OSError as e:
        return failed(f"{e.filename}: {e.strerror}")
    except ValueError as e:
        return failed(str(e))
    return show(terminal.console(highlight=False, markup=False), old, new)


def read(path: Path) -> dict[str, Any]:
    """A report.  ValueError: it is none, or is of another version.  OSError: it cannot be read."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        version, _ = report["version"], (report["rule"], entries(report))
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is no report of python -m parity_tests") from None
    if version != VERSION:
        raise ValueError(f"{path} is a report of version {version}, and this reads version {VERSION}: write it anew")
    return report


def entries(report: dict[str, Any]) -> dict[Key, Entry]:
    """Every case of a report."""
    return {(i["name"], case["case"], case["dtype"]): case for i in report["implementations"] for case in i["cases"]}


def show(console: Console, old: dict[Key, Entry], new: dict[Key, Entry]) -> int:
    """Print what changed, what got worse first; returns the exit status."""
    groups: dict[tuple[bool, str, str, str], list[Key]] = {}
    for key in old | new:
        before, after = status(old, key), status(new, key)
        if before != after:
            better = not (before in PASSES and after not in PASSES)
            groups.setdefault((better, key[0], before, after), []).append(key)
    for (better, name, before, after), keys in sorted(groups.items()):
        terminal.say(console, f"{name}: {before} -> {after}: {counted(len(keys))}", style="yellow" if better else "bold red")
        for key in keys:
            terminal.say(console, f"  {key[1]} {key[2]}{because(new.get(key))}")
    worse = sum(len(keys) for (better, *_), keys in groups.items() if not better)
    other = sum(map(len, groups.values())) - worse
    same = len(old | new) - worse - other
    terminal.say(console, f"{worse} worse, {other} otherwise changed, {same} as before", style="bold red" if worse else "green")
    return int(worse > 0)


def status(entries: dict[Key, Entry], key: Key) -> str:
    return entries[key]["status"] if key in entries else ABSENT


def counted(n: int) -> str:
    return "1 case" if n == 1 else f"{n} cases"


def because(entry: Entry | None) -> str:
    """What a report says of a case that does not pass."""
    if entry is None:
        return ""
    if entry["wrong"]:
        v = entry["wrong"][0]
        if v["why"] == "number":
            return f": {v['tensor']}, error {terminal.figure(v['error'])}, allowed {terminal.figure(v['allowed'])}"
        return f": {v['tensor']}, {v['why']}: {v['detail']}"
    return f": {entry['reason']}" if entry["reason"] else ""
