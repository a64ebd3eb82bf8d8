"""A study: it measures something; what it measured is kept in notes/results, and tables and pictures are made of that."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from reference.common.arrays import Array
from reference.common.command import parser
from reference.common.output import put_text
from reference.common.screen.prose import say

from .. import generated
from ..labels import NOTES
from .drawing import STYLE, save

Kept = Any  # what a study keeps: JSON


def lines_of(kept: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The tables, where what is kept are their lines."""
    return {name: "\n".join(lines) for name, lines in kept.items()}


class Study(NamedTuple):
    """One experiment behind a note.  What is kept is whatever ``measure`` returns, through JSON."""

    name: str  # of its file in notes/results
    about: str | None  # the help of its command
    measure: Callable[[], Kept]
    tables: Callable[[Kept], Mapping[str, str]] = lines_of  # what is kept -> Markdown, by name
    pictures: Callable[[Kept], Mapping[str, Figure]] | None = None  # what is kept -> figures, by name of the file

    @property
    def file(self) -> Path:
        return NOTES / "results" / f"{self.name}.json"

    def kept(self) -> Kept:
        """What was measured.  FileNotFoundError: nothing was."""
        return json.loads(self.file.read_text(encoding="utf-8"))

    def table(self, name: str = "") -> str:
        """A generated part of a note."""
        return self.tables(self.kept())[name]

    def draw(self) -> None:
        """Write the pictures into notes/figures."""
        with rc_context(STYLE):
            for name, figure in self.pictures(self.kept()).items() if self.pictures and self.file.exists() else ():
                save(figure, name)

    def keep(self, result: Kept) -> None:
        """Into notes/results, and from there into the pictures and the notes."""
        put_text(self.file, as_text(result))
        print(f"wrote {self.file.relative_to(NOTES.parent)}")
        self.draw()
        generated.renew()

    def command(self, arguments: Sequence[str] | None = None) -> int:
        """Measure and print the tables; ``--write`` keeps it all.  An exit status."""
        return self.run(options(self.name, self.about).parse_args(arguments).write)

    def run(self, write: bool) -> int:
        result = json.loads(json.dumps(self.measure()))
        say("\n\n".join(self.tables(result).values()))
        if write:
            self.keep(result)
        return 0


def options(name: str, about: str | None) -> argparse.ArgumentParser:
    """What every study takes."""
    p = parser(f"python -m notes.studies.{name}", about or "")
    p.add_argument("--write", action="store_true", help="keep what is measured, and renew the note and its pictures")
    return p


def as_text(result: Kept) -> str:
    """JSON with a line for each entry."""

    def text(entry: Kept) -> str:
        return json.dumps(entry, ensure_ascii=False)

    if isinstance(result, dict):
        return "{" + ",\n".join(f"{text(k)}: {text(v)}" for k, v in result.items()) + "}\n"
    return "[" + ",\n".join(map(text, result)) + "]\n"


def short(v: float, digits: int = 3) -> float:
    """Three digits are what a curve needs."""
    return float(f"{v:.{digits}g}")


def quantiles(errors: Array) -> list[float]:
    """Median, 95 percent and largest"""
    return [short(v) for v in (np.median(errors), np.quantile(errors, 0.95), np.max(errors))]


def plain(v: float) -> str:
    return f"{v:.2f}" if v < 1 else f"{v:.1f}" if v < 100 else f"{v:,.0f}" if v < 1e5 else f"{v:.0e}".replace("+", "")


def power(v: float) -> str:
    """With a minus sign, at which no line is broken"""
    return f"{v:.1e}".replace("-", "−")
