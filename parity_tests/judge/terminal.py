"""A report on the terminal; and what commands with a single option read there."""

import argparse
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

SHOWN = 12


def flag(name: str, about: str, doc: str | None = None) -> bool:
    """Whether ``--name`` was given to a command that has no other option; whatever else is given ends it, status 2."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(f"--{name}", action="store_true", help=about)
    return bool(getattr(parser.parse_args(), name))


def show(console: Console, report: dict[str, Any]) -> None:
    """Print the whole report."""
    env = report["environment"]
    console.print(Text(" · ".join(f"{k} {v}" for k, v in env.items()), style="dim"))
    console.print(Text(report["rule"], style="dim"))
    console.print(definition(report))
    if len(report["implementations"]) > 1:
        console.print(overview(report))
    for implementation in report["implementations"]:
        console.print(summary(implementation))
        console.print(outcome(implementation))


def definition(report: dict[str, Any]) -> Text:
    """Whether the oracle can be trusted."""
    faults = [c for c in report["definition"] if c["fault"]]
    if not faults:
        return Text(
            "The definition agrees with autograd, step by step, and with torch.nn: "
            + ", ".join(c["kind"] for c in report["definition"]),
            style="green",
        )
    lines = [f"{c['kind']}: {c['fault']}" for c in faults]
    return Text(
        "The definition itself disagrees with autograd or torch.nn, so the oracle is wrong:\n  " + "\n  ".join(lines),
        style="bold red",
    )


def overview(report: dict[str, Any]) -> Table:
    """A row for each implementation, a column for each kind of cell: the worst error over allowed, or what went wrong."""
    table = grid("largest error / allowed, over all cases, tensors and dtypes")
    for name in ("implementation", *report["kinds"], "cases"):
        table.add_column(name, justify="left" if name == "implementation" else "right")
    for line in report["overview"]:
        cells = [short(line["cells"].get(kind)) for kind in report["kinds"]]
        table.add_row(line["name"], *cells, f"{line['passed']}/{line['judged']}")
    return table


def short(cell: dict[str, Any] | None) -> Text:
    """One cell of the overview."""
    if cell is None or cell["ratio"] is None:
        return Text("declined", style="yellow")
    if cell["wrong"]:
        return Text(f"✗ {cell['wrong']} wrong", style="bold red")
    return Text(f"✓ {figure(cell['ratio'])}", style="green")


def summary(implementation: dict[str, Any]) -> Table:
    """A row for each kind of cell and dtype."""
    table = grid(implementation["name"])
    for name in ("cell", "dtype", "cases", "worst tensor", "error", "allowed", "ratio", "verdict"):
        right = name in ("cases", "error", "allowed", "ratio")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for r in implementation["rows"]:
        worst = r["worst"]
        ok = r["passed"] == r["cases"]
        judged = [worst["tensor"], *map(figure, (worst["error"], worst["allowed"], worst["ratio"]))] if worst else [""] * 4
        table.add_row(
            r["kind"],
            r["dtype"],
            f"{r['passed']}/{r['cases']}",
            *judged,
            mark(ok) if r["cases"] else Text("declined", style="yellow"),
        )
    return table


def grid(title: str) -> Table:
    """An empty table in the one style of this report."""
    return Table(title=f"[bold]{title}", title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))


def console(**options: Any) -> Console:
    """A console that does not squeeze a table into 80 columns when nobody's terminal is that narrow."""
    usual = Console(**options)
    return usual if usual.is_terminal else Console(width=120, **options)


def mark(ok: bool) -> Text:
    return Text("✓ equal", style="green") if ok else Text("✗ WRONG", style="bold red")


def figure(x: float | str) -> str:
    value = float(x)
    return f"{value:.1e}" if 0 < abs(value) < 0.01 or value >= 1000 else f"{value:.2f}"


def outcome(implementation: dict[str, Any]) -> Group:
    """Counts, what was declined and why, the failures and what they share."""
    passed, failed = implementation["passed"], implementation["failed"]
    lines: list[Any] = [Text(f"{passed} passed, {failed} failed", style="bold red" if failed else "green")]
    if not passed + failed:
        lines = [Text("nothing was compared: every case was declined", style="bold red")]
    if implementation["forward_only"]:
        lines.append(Text("no backward: judged on the forward alone", style="yellow"))
    lines += [Text(f"{n} declined: {reason}", style="yellow") for reason, n in implementation["declined"].items()]
    if failed:
        lines.append(failures(implementation["failures"]))
        if implementation["shared"]:
            shared = ", ".join(implementation["shared"])
            lines.append(Text(f"What every failure has in common, and not every success: {shared}"))
        lines += [Text(said(text), style="bold") for text in implementation["diagnosis"]]
    return Group(*lines, "")


def failures(failed: list[dict[str, Any]]) -> Table:
    """The first failures, the furthest-off tensor of each."""
    more = len(distinct(failed)) > SHOWN
    table = grid(f"{len(failed)} failures" + (f", the first {SHOWN} shown; --report has all" if more else ""))
    for name in ("case", "dtype", "tensor", "from step", "error", "allowed", "tensors wrong"):
        table.add_column(name, overflow="fold")
    for f, count in distinct(failed)[:SHOWN]:
        first = f["wrong"][0]
        if first["why"] == "number":
            cells = [
                first["tensor"],
                "" if first["step"] is None else f"t = {first['step']}",
                figure(first["error"]),
                figure(first["allowed"]),
            ]
        else:
            cells = [first["tensor"], first["why"], first["detail"], ""]
        name = f["case"] + (f" and {count - 1} more" if count > 1 else "")
        table.add_row(name, f["dtype"], *cells, f"{len(f['wrong'])} of {len(f['wrong']) + f['right']}")
    return table


def distinct(failed: list[dict[str, Any]]) -> list[tuple[dict[str, Any], int]]:
    """Failures with how many there are of each; those that say the same without numbers count as one."""
    groups: dict[Any, list[dict[str, Any]]] = {}
    for f in failed:
        first = f["wrong"][0]
        same = (f["case"], f["dtype"]) if first["why"] == "number" else (first["tensor"], first["why"], first["detail"])
        groups.setdefault(same, []).append(f)
    return [(group[0], len(group)) for group in groups.values()]


def said(diagnosis: str) -> str:
    """A diagnosis as a sentence: of one of our rooms, or of what a stranger behaves like."""
    return f"First to go wrong: {diagnosis}" if ".py" in diagnosis else f"A guess: {diagnosis}"
