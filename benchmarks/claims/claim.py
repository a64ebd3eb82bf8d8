"""A claim as data: which rows of which files it is about, what is computed of them, and what that must be."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ..what.config import PHASES
from ..what.precision import PRECISIONS
from ..what.presets import CELLS, PRESETS

FILE = Path(__file__).with_name("claims.toml")
FIGURES = {
    "time": "time over",
    "speed": "speed over",
    "memory": "peak memory over",
    "energy": "joules over",
    "fraction": "fraction of the nearer limit of the machine",
}
STATISTICS = ("geomean", "median", "min", "max")


class ClaimError(ValueError):
    """A file of claims that is broken, or that asks for what there is not."""


@dataclass(frozen=True)
class Claim:
    """One claim.  Where a selection is empty, nothing is left out.

    ``cases`` is how many rows of each file it is about: with fewer a file does not support it, so that a mean over what
    was easy is no mean over all.  Several files may have the rows; it must hold in each.
    """

    said: str  # the sentence; {at_most} and {at_least} stand for the bounds, {asked} for what was asked
    implementation: tuple[str, ...]
    preset: str
    cases: int
    where: tuple[str, ...] = ()  # the files in which it is said; none: a target
    over: str = "torch.library"  # of the same case, phase and file
    figure: str = "time"
    statistic: str = "geomean"
    at_most: float | None = None
    at_least: float | None = None
    asked: float | None = None  # where it is said beside what holds; not checked
    machine: tuple[str, ...] = ()
    cell: tuple[str, ...] = ()
    phase: tuple[str, ...] = ()
    size: tuple[str, ...] = ()  # as tables write them: "T100 B32 H128"
    model: tuple[str, ...] = ()  # none: layers
    dtype: str = "float32"
    device: str = "cpu"
    threads: int | None = None  # None: as many as the machine has cores
    files: int = 1  # how many must have its rows, at least: runs of the same

    def __post_init__(self) -> None:
        allowed: dict[str, Collection[str]] = {
            "preset": PRESETS,
            "figure": FIGURES,
            "statistic": STATISTICS,
            "dtype": PRECISIONS,
            "cell": CELLS,
            "phase": PHASES,
            "device": ("cpu", "cuda"),
        }
        for name, known in allowed.items():
            value = getattr(self, name)
            for one in value if isinstance(value, tuple) else (value,):
                if one not in known:
                    raise ClaimError(f"{self.said!r}: {name} must be one of {', '.join(known)}, is {one!r}")
        if self.at_most is None and self.at_least is None:
            raise ClaimError(f"{self.said!r} has no bound: at_most or at_least")

    @property
    def sentence(self) -> str:
        """What is said, with its bounds."""
        return self.said.format(at_most=self.at_most, at_least=self.at_least, asked=self.asked)

    def bound(self) -> str:
        """'≤ 0.65'"""
        bounds = (("≥", self.at_least), ("≤", self.at_most))
        return ", ".join(f"{sign} {value:g}" for sign, value in bounds if value is not None)

    def admits(self, value: float) -> bool:
        """Whether a value is within the bounds; one that is not a number is not."""
        return (self.at_most is None or value <= self.at_most) and (self.at_least is None or value >= self.at_least)


@dataclass(frozen=True)
class Exempt:
    """Numbers of a file that no result file can support: a text of it, or all below a heading, and why."""

    file: str
    why: str
    text: str = ""
    heading: str = ""


@dataclass(frozen=True)
class Files:
    """What is asked of the files of a machine together."""

    days: float | None = None  # from the first to the last at most
    one_code: bool = False  # all recorded of which code they are, and it is the same


@dataclass(frozen=True)
class Claims:
    """All of a file."""

    claims: tuple[Claim, ...]
    exempt: tuple[Exempt, ...] = ()
    files: Files = field(default_factory=Files)


def read(path: Path = FILE) -> Claims:
    """ClaimError: the file is not there, is no TOML, or has a key or a value that means nothing here."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as e:
        raise ClaimError(f"{path}: {e}") from e
    if unknown := content.keys() - {"claim", "exempt", "files"}:
        raise ClaimError(f"{path}: there is no {min(unknown)!r} here; [[claim]], [[exempt]] and [files] are known")
    claims = tuple(made(Claim, entry) for entry in content.get("claim", ()))
    return Claims(claims, tuple(made(Exempt, entry) for entry in content.get("exempt", ())), made(Files, content.get("files", {})))


def made(kind: Any, entry: Mapping[str, Any]) -> Any:
    """A dataclass from a table of the file; where it takes several values, one may stand alone."""
    known = {f.name: f for f in fields(kind)}
    name = entry.get("said") or entry.get("file") or "[files]"
    if unknown := entry.keys() - known.keys():
        raise ClaimError(f"{name!r}: there is no key {min(unknown)!r}; known are {', '.join(known)}")
    several = {k for k, f in known.items() if f.type == tuple[str, ...]}
    values = {k: (v,) if k in several and isinstance(v, str) else tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    try:
        return kind(**values)
    except TypeError as e:
        raise ClaimError(f"{name!r}: {str(e).removeprefix(f'{kind.__name__}.__init__() ')}") from e
