"""The texts of the exercises, read from notes/exercises/exercises.md."""

import re
from pathlib import Path

PAGE = Path(__file__).with_name("exercises.md")
HEADING = re.compile(r"^## (\d+)\. (.*)$", re.MULTILINE)
HINT = re.compile(r"<details>.*?</details>\s*", re.DOTALL)


def titles() -> dict[int, str]:
    return {int(m[1]): m[2] for m in HEADING.finditer(PAGE.read_text(encoding="utf-8"))}


def text(number: int) -> str:
    """One exercise as the page has it, without the hints."""
    return HINT.sub("", section(number)).strip()


def section(number: int) -> str:
    whole = PAGE.read_text(encoding="utf-8")
    start = next(m for m in HEADING.finditer(whole) if int(m[1]) == number)
    following = HEADING.search(whole, start.end())
    return whole[start.start() : following.start() if following else len(whole)]


def stubs(number: int) -> str:
    """The Python block that a student starts from."""
    block = re.search(r"^```python\n(.*?)^```$", section(number), re.MULTILINE | re.DOTALL)
    assert block, f"exercise {number} has no Python block"
    return block[1]
