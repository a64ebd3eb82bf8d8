"""A study: it measures something; what it measured is kept in notes/results, and tables and pictures are made of that."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import generated
from ..labels import NOTES
from .drawing import save

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def lines_of(kept: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The tables, where what is kept are their lines."""
    return {name: "\n".join(lines) for name, lines in kept.items()}


def no_pictures(_: Any) -> "dict[str, Figure]":
    return {}


class Study(NamedTuple):
    """One experiment behind a note.  What is kept is whatever ``measure`` returns, through JSON."""

    name: str  # of its file in notes/results
    about: str | None  # the help of its command
    measure: Callable[[], Any]
    tables: Callable[[Any], Mapping[str, str]] = lines_of  # what is kept -> Markdown, by name
    pictures: "Callable[[Any], Mapping[str, Figure]]" = no_pictures  # what is kept -> figures, by name of the file

    @property
    def file(self) -> Path:
        return NOTES / "results" / f"{self.name}.json"

    def kept(self) -> Any:
        """What was measured.  FileNotFoundError: nothing was."""
        return json.loads(self.file.read_text(encoding="utf-8"))

    def table(self, name: str = "") -> str:
        """A generated part of a note."""
        return self.tables(self.kept())[name]

    def draw(self) -> None:
        """Write the pictures into notes/figures."""
        for name, figure in self.pictures(self.kept()).items() if self.file.exists() else ():
            print(f"wrote {save(figure, name).relative_to(NOTES.parent)}")

    def keep(self, result: Any) -> None:
        """Into notes/results, and from there into the pictures and the notes."""
        self.file.write_text(as_text(result), encoding="utf-8")
        print(f"wrote {self.file.relative_to(NOTES.parent)}")
        self.draw()
        generated.renew()

    def command(self, arguments: Sequence[str] | None = None) -> int:
        """Measure and print the tables; ``--write`` keeps it all.  An exit status."""
        parser = argparse.ArgumentParser(description=self.about, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--write", action="store_true", help="keep what is measured, and renew the note and its pictures")
        write = parser.parse_args(arguments).write
        result = json.loads(json.dumps(self.measure()))
        print("\n\n".join(self.tables(result).values()))
        if write:
            self.keep(result)
        return 0


def as_text(result: Any) -> str:
    """JSON with a line for each entry."""
    entries = [json.dumps(v, ensure_ascii=False) for v in (result.values() if isinstance(result, dict) else result)]
    if isinstance(result, dict):
        return "{" + ",\n".join(f"{json.dumps(k, ensure_ascii=False)}: {v}" for k, v in zip(result, entries, strict=True)) + "}\n"
    return "[" + ",\n".join(entries) + "]\n"


def short(v: float) -> float:
    """Three digits: what a curve needs"""
    return float(f"{v:.3g}")
