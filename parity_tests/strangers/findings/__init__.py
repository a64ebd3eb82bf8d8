"""What is wrong in libraries by others: scripts that need the library, NumPy, and nothing of this project.

Each has an independent witness, says what it measures, and ends with an assertion that the fault is there: exit status 0 while it
is, 1 once it is gone.  Its docstring is what notes/judge/frameworks.md says of it: a line, then paragraphs that begin as below.
"""

import ast
from pathlib import Path
from typing import NamedTuple

PLACE = Path(__file__).parent
PARAGRAPHS = ("What", "Witness", "Upstream", "Their tests")


class Finding(NamedTuple):
    """One script."""

    name: str
    title: str  # "LIBRARY VERSION: what is wrong"
    paragraphs: dict[str, str]  # by PARAGRAPHS
    code: str  # the script without its docstring


def read(name: str) -> Finding:
    """A finding by its name, LIBRARY/NAME.  ValueError: its docstring is not in the form that is wanted."""
    text = (PLACE / f"{name}.py").read_text(encoding="utf-8")
    tree = ast.parse(text)
    title, *rest = [" ".join(part.split()) for part in (ast.get_docstring(tree) or "").split("\n\n")]
    paragraphs = dict(part.split(": ", 1) for part in rest if ": " in part)
    if tuple(paragraphs) != PARAGRAPHS or ": " not in title:
        raise ValueError(f"{name}: wanted are a title with a colon and the paragraphs {', '.join(PARAGRAPHS)}")
    return Finding(name, title, paragraphs, "\n".join(text.splitlines()[tree.body[0].end_lineno :]).strip())


def names() -> list[str]:
    """Every finding, as LIBRARY/NAME."""
    return sorted(path.relative_to(PLACE).with_suffix("").as_posix() for path in PLACE.glob("*/*.py"))
