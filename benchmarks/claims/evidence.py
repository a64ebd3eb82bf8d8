"""What the result files say of a claim."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ..report.frame import File, geometric, load
from ..run.results import read
from .claim import Claim, Files

COMPUTED = {"geomean": geometric, "median": pd.Series.median, "min": pd.Series.min, "max": pd.Series.max}
COLUMN = {"time": "median", "speed": "median", "memory": "peak_bytes", "energy": "joules", "fraction": "fraction"}


class Measured(NamedTuple):
    """All result files of one machine."""

    machine: str
    files: list[File]
    rows: pd.DataFrame


class Found(NamedTuple):
    """What one file says of a claim: a value, or why it has none."""

    file: str
    value: float | None
    lacking: str = ""


class Verdict(NamedTuple):
    """A claim, and what each file that has rows for it says."""

    claim: Claim
    found: tuple[Found, ...]

    @property
    def holds(self) -> bool:
        """Whether files enough support it, and none that has rows for it says otherwise or has too few."""
        return len(self.found) >= self.claim.files and all(f.value is not None and self.claim.admits(f.value) for f in self.found)

    @property
    def word(self) -> str:
        """'holds', 'does not hold', 'no file supports it'"""
        if self.holds:
            return "holds"
        if any(f.value is not None and not self.claim.admits(f.value) for f in self.found):
            return "does not hold"
        known = sum(f.value is not None for f in self.found)
        return f"{known} of {self.claim.files} files" if known else "no file supports it"


def measured(folder: Path) -> tuple[Measured, ...]:
    """Every machine of a folder of results, by its name: one folder each.  ResultError: a file is broken."""
    machines = []
    for place in sorted(path for path in folder.glob("*") if path.is_dir()):
        files: list[File] = [(f"{place.name}/{path.name}", read(path)) for path in sorted(place.glob("*.json*"))]
        if any(content["rows"] for _, content in files):
            machines.append(Measured(place.name, files, load(files)))
    return tuple(machines)


def judged(claim: Claim, machines: Sequence[Measured]) -> Verdict:
    """Hold a claim against every file that has rows for it."""
    here = (m for m in machines if not claim.machine or m.machine in claim.machine)
    return Verdict(claim, tuple(found for m in here for found in evaluated(claim, m)))


def evaluated(claim: Claim, machine: Measured) -> Iterator[Found]:
    """What each file of a machine says."""
    rows = machine.rows
    cores = rows.run.map({run: content["machine"]["cores"] for run, (_, content) in enumerate(machine.files)})
    own = rows[(rows.preset == claim.preset) & (rows.dtype == claim.dtype) & (rows.device == claim.device)]
    own = own[own.threads == (cores[own.index] if claim.threads is None else claim.threads)]
    own = own[own.model.isin(claim.model) if claim.model else own.model.isna()]
    for column, values in (("cell", claim.cell), ("phase", claim.phase), ("size", claim.size)):
        own = own[own[column].isin(values)] if values else own
    for run in own[own.implementation.isin(claim.implementation)].run.unique():
        yield of_file(claim, machine.files[run][0], own[own.run == run])


def of_file(claim: Claim, file: str, rows: pd.DataFrame) -> Found:
    """What one file says, of the rows that are selected."""
    values = quotients(claim, rows)
    if len(values) != claim.cases:
        return Found(file, None, f"{len(values)} of {claim.cases} cases")
    return Found(file, float(COMPUTED[claim.statistic](values)))


def quotients(claim: Claim, rows: pd.DataFrame) -> pd.Series:
    """The figure, case by case, of those that have one."""
    column = COLUMN[claim.figure]
    own = rows[rows.implementation.isin(claim.implementation)]
    if claim.figure == "fraction":
        return own[column].dropna()
    other = rows[rows.implementation == claim.over].set_index("key")[column]
    over = own[column] / own.key.map(other)
    return (1 / over if claim.figure == "speed" else over).dropna()


def of_one_kind(asked: Files, machines: Sequence[Measured]) -> Iterator[str]:
    """What is wrong with the files of each machine together."""
    for m in machines:
        moments = {file: datetime.fromisoformat(content["started"]) for file, content in m.files}
        first, last = min(moments, key=moments.__getitem__), max(moments, key=moments.__getitem__)
        days = (moments[last] - moments[first]).total_seconds() / 86400
        if asked.days is not None and days > asked.days:
            yield f"{m.machine}: {days:.1f} days lie between {first} and {last}, {asked.days:g} at most are allowed"
        codes = {file: content["environment"].get("code") for file, content in m.files}
        if asked.one_code and (silent := [file for file, code in codes.items() if not code]):
            yield f"{m.machine}: {silent[0]} does not say of which code it is, nor do {len(silent) - 1} others"
        elif asked.one_code and (other := [file for file, code in codes.items() if code != codes[first]]):
            yield f"{m.machine}: {other[0]} is of other code than {first}"
