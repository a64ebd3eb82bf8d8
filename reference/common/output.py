"""What a command prints, so that printing never ends its work: a character that cannot be encoded, a reader that has gone.

One rule for every command: once nobody reads, what is printed is dropped, and the work goes on to its end and its files.
"""

import codecs
import errno
import io
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO, cast

GONE = errno.EPIPE, errno.EINVAL  # a reader that has closed its end, on Windows the second


class Shielded:
    """A text stream that keeps the first error of writing for itself, and drops what comes after it."""

    def __init__(self, stream: TextIO):
        self.stream = stream
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        self._try(lambda: self.stream.write(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        self.write("".join(lines))

    def flush(self) -> None:
        self._try(self.stream.flush)

    def _try(self, do: Any) -> None:
        if self.error is not None:
            return
        try:
            do()
        except OSError as e:
            self.error = e
            with suppress(OSError, io.UnsupportedOperation):  # what is buffered goes nowhere, also when Python ends
                os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def shielded() -> Iterator[Shielded]:
    """Both streams so; what cannot be encoded is written as \\xe9 or \\u2192.  Gives the output's."""
    before = sys.stdout, sys.stderr
    if isinstance(sys.stdout, Shielded):  # a command within a command
        yield sys.stdout
        return
    for stream in before:
        if getattr(stream, "errors", None) in ("strict", "surrogateescape") and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:  # for a stream that was closed before Python began
        out, err = (Shielded(stream or nowhere) for stream in before)
        sys.stdout, sys.stderr = cast(TextIO, out), cast(TextIO, err)
        try:
            yield out
        finally:
            out.flush()
            err.flush()
            sys.stdout, sys.stderr = before


def whole(output: Shielded, status: int) -> int:
    """The exit status of a command, or 2, and why, if it is 0 and its output is not whole."""
    output.flush()
    if status or not lost(output):
        return status
    print(f"error: {lost(output)}", file=sys.stderr)
    return 2


def listened() -> bool:
    """Whether somebody may still read what is printed; for who does nothing else but print."""
    return getattr(sys.stdout, "error", None) is None


def lost(output: Shielded) -> str:
    """Why the output is not whole, unless its reader had seen enough; empty if it is."""
    e = output.error
    return "" if e is None or e.errno in GONE else f"what was printed is not whole: {e.strerror}"


@contextmanager
def about(file: Path | str) -> Iterator[None]:
    """An OSError that names no file, as that of a full disk, is about this one."""
    try:
        yield
    except OSError as e:
        if e.filename is None and e.strerror:
            e.filename = str(file)
        raise


def put_text(file: Path, text: str) -> None:
    """OSError, with the file's name: it cannot be written."""
    with about(file):
        file.write_text(text, encoding="utf-8")


def plain(value: Any) -> Any:
    """As strict JSON has it: numbers of NumPy as Python's, what is not finite as null, paths as text."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value) if isinstance(value, Path) else value


def as_json(value: Any, encoding: str = "utf-8") -> str:
    """Lines of strict JSON, in ASCII for an encoding that may lack a character; a byte of a name that is no text as \\udce9."""
    ascii_only = codecs.lookup(encoding).name != "utf-8"
    lines = json.dumps(plain(value), indent=1, allow_nan=False, ensure_ascii=ascii_only)
    return lines.encode(errors="backslashreplace").decode()
