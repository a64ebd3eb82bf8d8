"""A file of columns as text, and a column as numbers.  pandas reads it; what was guessed is said."""

import re
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...common import checks
from ...common.arrays import Array
from .errors import SeriesError

MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "?", ".", "..", "#n/a", "#na", "<na>", "nil"}
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}  # what a file may begin with
GROUPS = r"[-+]?[1-9]\d{{0,2}}(?:{0}\d{{3}})+(?:{1}\d*)?"  # thousands apart, and a decimal mark
INDEX = "index"  # what a first column without a name is called: the row names of other programs


class Table(NamedTuple):
    """Columns of text by name, and the line of the file that each row is on, for what is said of it."""

    file: Path
    columns: dict[str, list[str]]
    decimal: str
    understood: str  # how the file was read

    def column(self, name: str) -> list[str]:
        """SeriesError: there is none."""
        if name not in self.columns:
            raise SeriesError(f"{self.file} has no column {name!r}; it has {', '.join(map(repr, self.columns))}")
        return self.columns[name]

    def without_empty_rows(self) -> "Table":
        full = [any(row) for row in zip(*self.columns.values(), strict=True)]
        return self._replace(columns={n: [v for v, there in zip(c, full, strict=True) if there] for n, c in self.columns.items()})

    def number(self, text: str) -> float:
        text = plain(text, self.decimal)
        if "_" in text or (self.decimal == "," and "." in text):  # Python would take the first
            raise ValueError
        return float(text.replace(self.decimal, "."))

    def numbers(self, name: str) -> Array:
        """A column (N,) of numbers, NaN where it is missing.  SeriesError: something else stands there."""
        column, values = self.column(name), np.empty(len(self.column(name)))
        for k, text in enumerate(column):
            try:
                values[k] = np.nan if text.lower() in MISSING else self.number(text)
            except ValueError:
                about = f"; with a decimal {'point' if self.decimal == ',' else 'comma'} name it by --decimal"
                hint = about if re.fullmatch(r"[-+]?\d[\d.,]*", text) else ""
                raise SeriesError(f"{self.file}, column {name!r}, row {k + 1}: {text!r} is no number{hint}") from None
            if np.isinf(values[k]):
                raise SeriesError(f"{self.file}, column {name!r}, row {k + 1}: {text!r} is not finite")
        return values


def read(file: Path, sep: str | None = None, decimal: str | None = None, encoding: str | None = None) -> Table:
    """A file with a header line.  SeriesError: it cannot be read, decoded or cut into columns, with the place."""
    checks.encoding(encoding or "utf-8")
    try:
        content = file.read_bytes()
        how = encoding or next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
        text = content.decode(how).removeprefix("\ufeff")
    except OSError as e:
        raise SeriesError(f"{file} cannot be read: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise SeriesError(
            f"{file} is not {how}: byte {e.object[e.start]:#04x} at position {e.start}; name its encoding by --encoding, "
            "often cp1252 or latin-1"
        ) from e
    if "\0" in text:
        raise SeriesError(f"{file} has zero bytes, so it is no text; name its encoding by --encoding, often utf-16")
    if said := re.match(r"sep=(.)\s*\n", text):  # a spreadsheet's own line
        text, sep = text[said.end() :], sep or said[1]
    cut = separator(text) if sep is None else sep.replace("\\t", "\t")
    if len(cut) != 1:
        raise SeriesError(f"--sep must be one character, got {sep!r}")
    import pandas  # only a file of one's own needs it

    try:
        frame = pandas.read_csv(
            StringIO(text), sep=cut, header=None, dtype=str, keep_default_na=False, na_values=[], skip_blank_lines=False, engine="c"
        )
    except pandas.errors.EmptyDataError:
        raise SeriesError(f"{file} needs a header line and rows of data, got none") from None
    except pandas.errors.ParserError as e:
        raise SeriesError(f"{file} cannot be cut into columns: {str(e).rpartition('error: ')[2].strip()}") from None
    return cleaned(file, frame, cut, decimal, how)


def separator(text: str) -> str:
    """What most often stands in the first line; a comma if nothing does."""
    first = re.sub(r'"[^"]*"', "", next((line for line in text.splitlines() if line.strip()), ""))
    return max(SEPARATORS, key=lambda s: (first.count(s), s == ","))


def cleaned(file: Path, frame: Any, sep: str, decimal: str | None, encoding: str) -> Table:
    """The rows up to the last that is not empty, the columns that have a name.  SeriesError: two of one name."""
    rows = frame.to_numpy(dtype=object)
    rows = np.array([[v.strip() if isinstance(v, str) else "" for v in row] for row in rows], dtype=object)
    rows = rows[np.argmax((rows != "").any(axis=1)) :]
    header, body = [str(v) for v in rows[0]], rows[1:]
    header[0] = header[0] or INDEX * (INDEX not in header)
    full = np.flatnonzero((body != "").any(axis=1))
    if not len(full):
        raise SeriesError(f"{file} needs a header line and rows of data, got none")
    body = body[: full[-1] + 1]
    named = [k for k, name in enumerate(header) if name]
    for k, name in enumerate(header):
        if not name and (body[:, k] != "").any():
            raise SeriesError(f"{file}: column {k + 1} has values and no name in the header line")
        if name and header.count(name) > 1:
            raise SeriesError(f"{file} has two columns of one name: {name!r}")
    columns = {header[k]: [str(v) for v in body[:, k]] for k in named}
    point = decimal or (decimal_of(columns.values()) if sep != "," else ".")
    if point not in (".", ","):
        raise SeriesError(f"--decimal must be . or , got {decimal!r}")
    how = f"{SEPARATORS.get(sep, repr(sep))} between columns, decimal {'point' if point == '.' else 'comma'}, {encoding}"
    if any(plain(v, point) != v for column in columns.values() for v in column):
        how += ", thousands apart"
    return Table(file, columns, point, how)


def plain(text: str, decimal: str) -> str:
    """A number without what stands between its thousands: 1,234.5 or, of a decimal comma, 1.234,5, or a blank or an apostrophe."""
    other = "," if decimal == "." else "."
    marks = rf"(?:\{other}|[\s'’])"
    return re.sub(marks, "", text) if re.fullmatch(GROUPS.format(marks, rf"\{decimal}"), text) else text


def decimal_of(columns: Iterable[list[str]]) -> str:
    """A comma where some column is all of numbers like 1,5 and none of numbers like 1.5."""
    known = [[v for v in column if v.lower() not in MISSING] for column in columns]

    def some(mark: str) -> bool:
        number = re.compile(rf"[-+]?\d*\{mark}?\d+([eE][-+]?\d+)?")
        return any(all(number.fullmatch(plain(v, mark)) for v in c) and any(mark in v for v in c) for c in known)

    return "," if some(",") and not some(".") else "."
