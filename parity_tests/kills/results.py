"""The table of what came of it: one row for each application and side, kept in results.json, shown in notes/char_lm.md."""

import json
from pathlib import Path
from typing import Any

KEPT = Path(__file__).with_name("results.json")
KILLED = ("kills", "different steps", "before a checkpoint", "while writing", "after the last step", "equal")
COLUMNS = ("application", "side", *KILLED, "seconds")
Row = dict[str, Any]


def lines(rows: list[Row]) -> list[list[str]]:
    return [[f"{row[c]} of {row['kills']}" if c == "equal" else str(row[c]) for c in COLUMNS] for row in rows]


def table(rows: list[Row]) -> str:
    """With columns as wide as they need be."""
    shown = [list(COLUMNS), *lines(rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return "\n".join("  ".join(map(str.rjust, line, widths)) for line in shown)


def write(file: Path, kept: dict[str, Any]) -> None:
    file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def kept() -> tuple[list[str], list[list[str]]]:
    """What came of it last, as the head and the rows of a table"""
    return list(COLUMNS), lines(json.loads(KEPT.read_text(encoding="utf-8"))["rows"])


def command() -> str:
    """The words that gave it"""
    k = json.loads(KEPT.read_text(encoding="utf-8"))
    return f"python -m parity_tests.kills --kills {k['kills']} --seed {k['seed']}"
