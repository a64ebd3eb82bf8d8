"""Failures that are known: a file with a line for each, ``GLOB [DTYPE]  # reason``.

``GLOB`` is matched against the names of the cases.  A reason is required; empty lines, and lines that begin with #, are
passed over.  What is in the list and fails is counted apart; what is in the list and passes fails the run, so that the
list never says more than is true.
"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from ..cases import Case
from ..suite import Result


class Entry(NamedTuple):
    """One line of the file."""

    glob: str
    dtype: str  # "" for any
    reason: str
    line: int


def read(path: Path, dtypes: Sequence[str]) -> list[Entry]:
    """The entries of a file.  ValueError: it cannot be read, or a line is not of the form."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as e:
        raise ValueError(f"--xfails-file: {path}: {e.strerror}") from None
    return [entry(line, f"{path}, line {n}", n, dtypes) for n, line in enumerate(lines, 1) if line.partition("#")[0].strip()]


def entry(text: str, place: str, line: int, dtypes: Sequence[str]) -> Entry:
    before, _, reason = text.partition("#")
    glob, *dtype = before.split()
    if len(dtype) > 1 or not reason.strip():
        raise ValueError(f"--xfails-file: {place} is not of the form 'GLOB [DTYPE] # reason': {text.strip()!r}")
    if not set(dtype) <= set(dtypes):
        raise ValueError(f"--xfails-file: {place}: a dtype is one of {', '.join(dtypes)}; got {dtype[0]!r}")
    return Entry(glob, "".join(dtype), reason.strip(), line)


def reason(entries: Iterable[Entry], case: Case) -> str:
    """Why a case is known to fail; nothing if it is not."""
    fits = (e.reason for e in entries if fnmatchcase(case.name, e.glob) and e.dtype in ("", case.spec.dtype))
    return next(fits, "")


def marked(entries: Sequence[Entry], result: Result) -> Result:
    """A result that knows whether it was expected to fail."""
    return result._replace(expected=reason(entries, result.case))
