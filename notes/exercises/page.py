"""The texts of the exercises, read from notes/exercises/exercises.md."""

import re
from pathlib import Path

PAGE = Path(__file__).with_name("exercises.md")
SECTION = re.compile(r"^## (\d+)\. (.*?)$.*?(?=^## \d+\. |\Z)", re.MULTILINE | re.DOTALL)
HINT = re.compile(r"<details><summary>Hint \d</summary>\n\n(.*?)\n\n</details>\s*", re.DOTALL)


def sections() -> dict[int, re.Match[str]]:
    """Each exercise with its number and its title"""
    return {int(m[1]): m for m in SECTION.finditer(PAGE.read_text(encoding="utf-8"))}


def titles() -> dict[int, str]:
    return {n: m[2] for n, m in sections().items()}


def text(number: int) -> str:
    """One exercise as the page has it, without the hints."""
    return HINT.sub("", sections()[number][0]).strip()


def hints(number: int) -> list[str]:
    """Its hints, the gentler one first."""
    return HINT.findall(sections()[number][0])


def stubs(number: int) -> str:
    """The Python block that a student starts from."""
    block = re.search(r"^```python\n(.*?)^```$", sections()[number][0], re.MULTILINE | re.DOTALL)
    assert block, f"exercise {number} has no Python block"
    return block[1]
