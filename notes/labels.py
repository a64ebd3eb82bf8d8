"""Labels of equations: where a note defines each, and where the code carries it.

In a note a label stands alone on a line, in bold; behind it is a link to the first line of code that carries it::

    **(L3)** · [line 53](../../reference/cells/lstm.py#L68)

``python -m notes.generated --write`` makes the links.  A test asserts that they are current.
"""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
NOTES = Path(__file__).parent
DEFINED = re.compile(r"^\*\*`?\(([A-Z]{1,2}\d+\*?)\)`?\*\*", re.MULTILINE)
LINKED = re.compile(r"^(\*\*`?\(([A-Z]{1,2}\d+\*?)\)`?\*\*)(?: · \[line \d+\]\([^)]*\))?$", re.MULTILINE)


class Line(NamedTuple):
    """A line of code."""

    file: str  # from the root of the repository
    number: int


class Equation(NamedTuple):
    """One label of one note."""

    label: str  # "L3" or "L3*"
    formulas: tuple[str, ...]  # LaTeX
    line: Line | None  # the first line of code that carries the label


@cache
def code_files(note: str) -> tuple[Path, ...]:
    """The files that a note derives: of its own name first, then those whose docstring names the note."""
    naming = [file for file, docstring in docstrings().items() if f"notes/{note}.md" in docstring]
    return tuple(sorted(naming, key=lambda file: file.stem != Path(note).name))


@cache
def docstrings() -> dict[Path, str]:
    """What each file that may derive from a note says of itself."""
    files = [file for folder in ("reference", "parity_tests") for file in sorted((ROOT / folder).rglob("*.py"))]
    return {file: ast.get_docstring(ast.parse(read(file))) or "" for file in files}


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@cache
def carried(note: str) -> dict[str, Line]:
    """Label -> the first line of code whose comment carries it."""
    by_label: dict[str, Line] = {}
    for file in code_files(note):
        for number, line in enumerate(read(file).splitlines(), 1):
            before, mark, comment = line.partition("#")
            if mark and before.strip():
                for label in re.findall(r"\b[A-Z]{1,2}\d+\*?(?![\w*])", comment):
                    by_label.setdefault(label, Line(file.relative_to(ROOT).as_posix(), number))
    return by_label


def equations(note: str) -> list[Equation]:
    """Every label that a note defines, in order, with its formulas and its line of code."""
    text, lines, defined = read(NOTES / f"{note}.md"), carried(note), []
    for m in DEFINED.finditer(text):
        rest = text[m.end() :].partition("\n")[2]
        part = re.split(r"^(?:\*\*`?\([A-Z]{1,2}\d|#|\| |<!--)", rest, maxsplit=1, flags=re.MULTILINE)[0]
        formulas = tuple(f.strip() for f in re.findall(r"\$\$(.*?)\$\$", part, flags=re.DOTALL))
        defined.append(Equation(m[1], formulas, lines.get(m[1])))
    return defined


def linked(note: str) -> str:
    """The note with a link to the code behind each label whose line is known."""
    lines = carried(note)

    def link(m: re.Match) -> str:
        line, up = lines.get(m[2]), "../" * (note.count("/") + 1)
        return f"{m[1]} · [line {line.number}]({up}{line.file}#L{line.number})" if line else m[1]

    return LINKED.sub(link, read(NOTES / f"{note}.md"))


def pages() -> list[str]:
    """The names of the notes: their places under notes/, without the ending."""
    files = (path.relative_to(NOTES) for path in NOTES.rglob("*.md"))
    return sorted(file.with_suffix("").as_posix() for file in files if file.parts[0] not in ("site", "results"))
