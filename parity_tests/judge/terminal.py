"""A report on the terminal."""

from collections import Counter
from collections.abc import Container, Iterable
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from reference.common.screen.prose import columns
from reference.common.screen.table import Fitting

Json = dict[str, Any]  # a report, or a part of one
SHOWN = 12


def show(console: Console, report: Json) -> None:
    """Print the whole report."""
    console.print(Text(" · ".join(f"{k} {v}" for k, v in report["environment"].items()), style="dim"))
    console.print(Text(report["rule"], style="dim"))
    console.print(definition(report))
    if len(report["implementations"]) > 1:
        console.print(overview(report))
    for implementation in report["implementations"]:
        console.print(summary(implementation))
        console.print(outcome(implementation))


def definition(report: Json) -> Text:
    """Whether the oracle can be trusted."""
    if faults := [f"\n  {c['kind']}: {c['fault']}" for c in report["definition"] if c["fault"]]:
        said = "The definition itself disagrees with autograd or torch.nn, so the oracle is wrong:"
        return Text(said + "".join(faults), style="bold red")
    kinds = ", ".join(c["kind"] for c in report["definition"])
    return Text(f"The definition agrees with autograd, step by step, and with torch.nn: {kinds}", style="green")


def overview(report: Json) -> Table:
    """A row for each implementation, a column for each kind of cell: the worst error over allowed, or what went wrong."""
    columns = ("implementation", *report["kinds"], "cases")
    table = grid("largest error / allowed, over all cases, tensors and dtypes", columns, right=columns[1:])
    for line in report["overview"]:
        cells = [short(line["cells"].get(kind)) for kind in report["kinds"]]
        table.add_row(line["name"], *cells, f"{line['passed']}/{line['judged']}")
    return table


def short(cell: Json | None) -> Text:
    """One cell of the overview."""
    if failed := failed_in(cell or {}):
        return Text(f"✗ {failed}", style="bold red")
    if cell is None or cell["ratio"] is None:
        return Text("failed as expected" if cell and cell["xfailed"] else "declined", style="yellow")
    return Text(f"✓ {figure(cell['ratio'])}", style="green")


def failed_in(cell: Json) -> str:
    """How many cases went wrong, and how: "2 wrong, 1 error"; empty for none."""
    wrong, errors = cell.get("wrong", 0), cell.get("errors", 0)
    parts = ([f"{wrong} wrong"] if wrong else []) + ([f"{errors} error{'s' if errors > 1 else ''}"] if errors else [])
    return ", ".join(parts)


def summary(implementation: Json) -> Table:
    """A row for each kind of cell and dtype."""
    columns = ("cell", "dtype", "cases", "worst tensor", "error", "allowed", "ratio", "verdict")
    table = grid(implementation["name"], columns, right=("cases", "error", "allowed", "ratio"))
    for r in implementation["rows"]:
        worst = r["worst"]
        judged = [worst["tensor"], off(worst), figure(worst["allowed"]), figure(worst["ratio"])] if worst else [""] * 4
        none = Text("failed as expected" if r["xfailed"] else "declined", style="yellow")
        verdict = mark(r["passed"] == r["cases"], verdict_of(r)) if r["cases"] else none
        table.add_row(r["kind"], r["dtype"], f"{r['passed']}/{r['cases']}", *judged, verdict)
    return table


def grid(title: str, columns: Iterable[str] = (), right: Container[str] = ()) -> Table:
    """An empty table in the one style of this report; columns of numbers are flush right."""
    table = Fitting(title=f"[bold]{title}", title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return table


def console(**options: Any) -> Console:
    """A console that does not squeeze a table into 80 columns when nobody's terminal is that narrow."""
    usual = Console(**options)
    return Console(width=120, **options) if columns(usual.file) is None else usual


def say(console: Console, *lines: str, style: str = "") -> None:
    """Lines, broken between words where whoever reads is too narrow; in a file or a pipe each is whole."""
    for line in lines:
        console.print(Text(line, style=style), soft_wrap=columns(console.file) is None)


def mark(ok: bool, word: str = "WRONG") -> Text:
    return Text("✓ equal", style="green") if ok else Text(f"✗ {word}", style="bold red")


def verdict_of(row: Json) -> str:
    """What a row with failures is called: numbers that are wrong are one thing, no numbers another."""
    return ", ".join((["WRONG"] if row["wrong"] else []) + (["ERROR"] if row["errors"] else []))


def figure(x: float | str | None) -> str:
    """A number in few digits; nothing where there is none."""
    if x is None:
        return ""
    value = float(x)
    return f"{value:.1e}" if 0 < abs(value) < 0.01 or value >= 1000 else f"{value:.2f}"


def off(verdict: Json) -> str:
    """The error, or in a word what there is instead of numbers."""
    return figure(verdict["error"]) or verdict["why"]


def outcome(implementation: Json) -> Group:
    """Counts, what was declined and why, the failures and what they share."""
    counts, failed = implementation["counts"], implementation["failed"]
    lines: list[Any] = [Text(counted(counts), style="bold red" if failed or counts["xpassed"] else "green")]
    if sum(counts.values()) == counts["declined"]:
        lines = [Text("nothing was compared: every case was declined", style="bold red")]
    if implementation["forward_only"]:
        lines.append(Text("no backward: judged on the forward alone", style="yellow"))
    lines += [Text(narrower(both), style="yellow") for both in implementation["computes"].items()]
    lines += [Text(f"{n} declined: {reason}", style="yellow") for reason, n in implementation["declined"].items()]
    lines += [unexpected(case) for case in implementation["cases"] if case["status"] == "xpassed"]
    if failed:
        lines += [causes(implementation), failures(implementation["failures"])]
    return Group(*lines, "")


def narrower(declared: tuple[str, str]) -> str:
    """What an implementation says of its precision: (what it is asked for, what it computes in)."""
    asked, precision = declared
    return f"asked for {asked} it says that it computes in {precision}, and is judged by what that allows"


def causes(implementation: Json) -> Group:
    """Every cause with how many cases it has and one of them, and what all failures share."""
    found, overall = implementation["causes"], implementation["shared"]
    table = grid("1 cause" if len(found) == 1 else f"{len(found)} causes", ("#", "cases", "cells", "cause"), right=("#", "cases"))
    for k, cause in enumerate(found, 1):
        table.add_row(str(k), str(cause["cases"]), ", ".join(cause["kinds"]), told(cause, overall))
    every = [Text(f"Every case with {overall} fails, and no other.", style="bold")] if overall else []
    return Group(table, *every)


def told(cause: Json, overall: str) -> Text:
    """A cause in words: what it is, where it shows, and a case to begin with."""
    text = Text(said(cause), style="bold")
    if cause["shared"] and cause["shared"] != overall:
        text.append(f"\nonly with {cause['shared']}", style="not bold")
    return text.append(f"\nas {cause['example']['case']} {cause['example']['dtype']}", style="not bold dim")


def counted(counts: dict[str, int]) -> str:
    """The counts in a line; of what was expected to fail only where there is any."""
    words = {"passed": "passed", "wrong": "wrong", "error": "errors", "declined": "declined"}
    words |= {k: v for k, v in {"xfailed": "failed as expected", "xpassed": "passed unexpectedly"}.items() if counts[k]}
    return ", ".join(f"{counts[status]} {word}" for status, word in words.items())


def unexpected(case: Json) -> Text:
    """A case that is known to fail and passed."""
    return Text(f"passes, take it off the list: {case['case']} {case['dtype']} ({case['reason']})", style="bold red")


def failures(failed: list[Json]) -> Table:
    """Some failures of each cause, the first wrong tensor of each."""
    groups = distinct(failed)
    chosen = some_of_each(groups)
    counted = "1 failure" if len(failed) == 1 else f"{len(failed)} failures"
    title = counted + (f", {len(chosen)} shown; --report has all" if len(groups) > len(chosen) else "")
    table = grid(title, ("#", "case", "dtype", "tensor", "from", "how wrong", "tensors wrong"))
    for f, count in chosen:
        name = f["case"] + (f" and {count - 1} more" if count > 1 else "")
        first, wrong = f["wrong"][0], f"{len(f['wrong'])} of {len(f['wrong']) + f['right']}"
        numbers = ", ".join(map(str, f["causes"]))
        table.add_row(numbers, name, f["dtype"], first["tensor"], first["where"], how_wrong(first), wrong)
    return table


def how_wrong(verdict: Json) -> Text:
    """An error and what is allowed, or what there is instead of numbers; a message is among the causes already."""
    if verdict["why"] == "number":
        return Text(f"{figure(verdict['error'])}, allowed {figure(verdict['allowed'])}")
    what = verdict["why"] if verdict["why"] == "raised" else verdict["detail"]
    return Text(f"ERROR: {what}" if verdict["status"] == "error" else what, style="red" if verdict["status"] == "error" else "")


def some_of_each(groups: list[tuple[Json, int]]) -> list[tuple[Json, int]]:
    """As many as are shown, of each cause in turn, so that none disappears behind another; two of each at least."""
    by_cause: dict[int, list[tuple[Json, int]]] = {}
    for group in groups:
        by_cause.setdefault(group[0]["causes"][0], []).append(group)
    share = max(2, SHOWN // max(1, len(by_cause)))
    return [group for _, members in sorted(by_cause.items()) for group in different(members)[:share]]


def different(groups: list[tuple[Json, int]]) -> list[tuple[Json, int]]:
    """Other cases before the same case in another dtype."""
    seen: Counter[str] = Counter()
    times = [seen.update([f["case"]]) or seen[f["case"]] for f, _ in groups]
    return [group for _, group in sorted(zip(times, groups, strict=True), key=lambda pair: pair[0])]


def distinct(failed: list[Json]) -> list[tuple[Json, int]]:
    """Failures with how many there are of each; errors of one cause count as one."""
    groups: dict[Any, list[Json]] = {}
    for f in failed:
        same = (f["case"], f["dtype"]) if f["status"] == "wrong" else tuple(f["causes"])
        groups.setdefault(same, []).append(f)
    return [(group[0], len(group)) for group in groups.values()]


def said(cause: Json) -> str:
    """A cause as a sentence; a misreading is a guess, however well it fits."""
    return f"A guess: {cause['text']}" if cause["sort"] == "misreading" else cause["text"]
