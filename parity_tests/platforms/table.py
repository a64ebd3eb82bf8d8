"""Which combinations of interpreter and pins the suite is run under."""

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
NEWEST = ROOT / "constraints.txt"
OLDEST = Path(__file__).with_name("oldest.txt")  # only what differs
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


class Platform(NamedTuple):
    """An interpreter, what is installed for it, and options of pytest."""

    python: str  # its first two numbers
    oldest: bool = False  # the lowest NumPy, SciPy, PyTorch and Numba that pyproject.toml promises
    options: tuple[str, ...] = ()


PLATFORMS = {
    **{python: Platform(python) for python in PYTHONS},
    "oldest": Platform("3.12", oldest=True),
    "narrow": Platform("3.11", options=("-p", "parity_tests.platforms.narrow")),
}


def pins(platform: Platform) -> list[str]:
    """The lines of its constraints file: of the two files, the one that is meant wins."""
    lines = by_name(NEWEST)
    return list((lines | by_name(OLDEST) if platform.oldest else lines).values())


def by_name(file: Path) -> dict[str, str]:
    """The lines of a constraints file, by the name that each pins, and what its marker says."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return {key(line): line for line in lines if line}


def key(line: str) -> str:
    requirement, _, marker = line.partition(";")
    return f"{requirement.partition('==')[0].lower().replace('_', '-')};{marker.strip()}"
