"""A report on the terminal."""

from collections.abc import Container, Iterable
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

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
    if cell and cell["wrong"]:
        return Text(f"✗ {cell['wrong']} wrong", style="bold red")
    if cell is None or cell["ratio"] is None:
        return Text("failed as expected" if cell and cell["xfailed"] else "declined", style="yellow")
    return Text(f"✓ {figure(cell['ratio'])}", style="green")


def summary(implementation: Json) -> Table:
    """A row for each kind of cell and dtype."""
    columns = ("cell", "dtype", "cases", "worst tensor", "error", "allowed", "ratio", "verdict")
    table = grid(implementation["name"], columns, right=("cases", "error", "allowed", "ratio"))
    for r in implementation["rows"]:
        worst = r["worst"]
        judged = [worst["tensor"], *map(figure, (worst["error"], worst["allowed"], worst["ratio"]))] if worst else [""] * 4
        none = Text("failed as expected" if r["xfailed"] else "declined", style="yellow")
        verdict = mark(r["passed"] == r["cases"]) if r["cases"] else none
        table.add_row(r["kind"], r["dtype"], f"{r['passed']}/{r['cases']}", *judged, verdict)
    return table


def grid(title: str, columns: Iterable[str] = (), right: Container[str] = ()) -> Table:
    """An empty table in the one style of this report; columns of numbers are flush right."""
    table = Table(title=f"[bold]{title}", title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return table


def console(**options: Any) -> Console:
    """A console that does not squeeze a table into 80 columns when nobody's terminal is that narrow."""
    usual = Console(**options)
    return usual if usual.is_terminal else Console(width=120, **options)


def mark(ok: bool) -> Text:
    return Text("✓ equal", style="green") if ok else Text("✗ WRONG", style="bold red")


def figure(x: float | str | None) -> str:
    """A number in few digits; nothing where there is none."""
    if x is None:
        return ""
    value = float(x)
    return f"{value:.1e}" if 0 < abs(value) < 0.01 or value >= 1000 else f"{value:.2f}"


def outcome(implementation: Json) -> Group:
    """Counts, what was declined and why, the failures and what they share."""
    counts, failed = implementation["counts"], implementation["failed"]
    lines: list[Any] = [Text(counted(counts), style="bold red" if failed or counts["xpassed"] else "green")]
    if sum(counts.values()) == counts["declined"]:
        lines = [Text("nothing was compared: every case was declined", style="bold red")]
    if implementation["forward_only"]:
        lines.append(Text("no backward: judged on the forward alone", style="yellow"))
    lines += [Text(f"{n} declined: {reason}", style="yellow") for reason, n in implementation["declined"].items()]
    lines += [unexpected(case) for case in implementation["cases"] if case["status"] == "xpassed"]
    if failed:
        lines.append(failures(implementation["failures"]))
        if implementation["shared"]:
            shared = ", ".join(implementation["shared"])
            lines.append(Text(f"What every failure has in common, and not every success: {shared}"))
        lines += [Text(said(text), style="bold") for text in implementation["diagnosis"]]
    return Group(*lines, "")


def counted(counts: dict[str, int]) -> str:
    """The counts in a line; of what was expected to fail only where there is any."""
    words = {"passed": "passed", "wrong": "wrong", "error": "errors", "declined": "declined"}
    words |= {k: v for k, v in {"xfailed": "failed as expected", "xpassed": "passed unexpectedly"}.items() if counts[k]}
    return ", ".join(f"{counts[status]} {word}" for status, word in words.items())


def unexpected(case: Json) -> Text:
    """A case that is known to fail and passed."""
    return Text(f"passes, take it off the list: {case['case']} {case['dtype']} ({case['reason']})", style="bold red")


def failures(failed: list[Json]) -> Table:
    """The first failures, the furthest-off tensor of each."""
    more = len(distinct(failed)) > SHOWN
    title = f"{len(failed)} failures" + (f", the first {SHOWN} shown; --report has all" if more else "")
    table = grid(title, ("case", "dtype", "tensor", "from step", "error", "allowed", "tensors wrong"))
    for f, count in distinct(failed)[:SHOWN]:
        first = f["wrong"][0]
        cells = [first["why"], first["detail"], ""]
        if first["why"] == "number":
            since = "" if first["step"] is None else f"t = {first['step']}"
            cells = [since, figure(first["error"]), figure(first["allowed"])]
        name = f["case"] + (f" and {count - 1} more" if count > 1 else "")
        table.add_row(name, f["dtype"], first["tensor"], *cells, f"{len(f['wrong'])} of {len(f['wrong']) + f['right']}")
    return table


def distinct(failed: list[Json]) -> list[tuple[Json, int]]:
    """Failures with how many there are of each; those that say the same without numbers count as one."""
    groups: dict[Any, list[Json]] = {}
    for f in failed:
        first = f["wrong"][0]
        same = (f["case"], f["dtype"]) if first["why"] == "number" else (first["tensor"], first["why"], first["detail"])
        groups.setdefault(same, []).append(f)
    return [(group[0], len(group)) for group in groups.values()]


def said(diagnosis: str) -> str:
    """A diagnosis as a sentence: of one of our rooms, or of what a stranger behaves like."""
    return f"First to go wrong: {diagnosis}" if ".py" in diagnosis else f"A guess: {diagnosis}"
