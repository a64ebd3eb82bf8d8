"""Text as a character model takes it: files, characters that it does not know, bytes, and names that can be printed.

A text as bytes is a string too: the character with the number of each byte.
"""

import codecs
import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..common import checks
from ..common.arrays import Array
from ..common.command import UsageError
from ..common.vocabulary import Vocabulary

BYTES = [chr(k) for k in range(256)]
LISTED = 40  # symbols that a message shows
STAND_INS = "\ufffd? "  # the first of them that a model knows stands for what it does not know


class Encoded(NamedTuple):
    tokens: Array  # (N,) int64
    unknown: str  # what was done with how many characters that the vocabulary lacks, as a sentence; "" if there were none


def read(files: Sequence[str], encoding: str, separator: str, raw: bool) -> str:
    """The files one after another, the separator between them; as bytes if ``raw``.

    UsageError: one cannot be read or decoded; the byte and its place are named.
    """
    if raw:
        return as_bytes(separator).join(content(Path(f)).decode("latin-1") for f in files)
    return separator.join(decode(Path(f), encoding) for f in files)


def content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as e:
        raise UsageError(f"{shown(file)} cannot be read: {e.strerror}") from None


def decode(file: Path, encoding: str) -> str:
    data = content(file)
    checks.encoding(encoding)
    try:
        return data.decode(encoding).removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as e:
        raise UsageError(
            f"{shown(file)} is not {encoding}: byte 0x{data[e.start]:02x} at position {e.start} cannot be "
            f"decoded ({e.reason}); name another encoding by --encoding, or let a model learn bytes by train --bytes"
        ) from None


def as_bytes(text: str) -> str:
    """The bytes of a text in UTF-8; what was no UTF-8 on the command line is the byte that it was."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def readable(symbols: Iterable[str], raw: bool, after: str = "", final: bool = True) -> Iterator[str]:
    """What a model writes; bytes as the characters that they complete in UTF-8, U+FFFD for what is none.

    ``after`` are the bytes before them, which may have begun a character; one that is incomplete at the end is left out
    unless that is ``final``.
    """
    if not raw:
        yield from symbols
        return
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(after.encode("latin-1"))
    for symbol in symbols:
        if character := decoder.decode(symbol.encode("latin-1")):
            yield character
    yield decoder.decode(b"", final)


def encode(text: str, vocabulary: Vocabulary, what: str, unknown: str = "error") -> Encoded:
    """``vocabulary.encode`` for long texts.  What the vocabulary lacks is skipped or replaced.  UsageError: or not allowed."""
    codes, known = code_points(text), code_points("".join(vocabulary.symbols))
    order = np.argsort(known)
    tokens = order[np.searchsorted(known[order], codes).clip(max=len(known) - 1)].astype(np.int64)
    strange = np.flatnonzero(known[tokens] != codes)
    if not len(strange):
        return Encoded(tokens, "")
    if unknown == "error":
        k = strange[0]
        raise UsageError(
            f"{what}: character {text[k]!r} at position {k} is none of the {len(vocabulary)} that the model "
            f"knows: {listed(vocabulary.symbols)}; --unknown skip or replace goes on without such characters"
        )
    said = f"{what}: {len(strange):,} of {len(text):,} characters are unknown to the model and were "
    if unknown == "skip":
        return Encoded(np.delete(tokens, strange), said + "skipped")
    by = next((c for c in STAND_INS if c in vocabulary.index), vocabulary.symbols[0])
    tokens[strange] = vocabulary.index[by]
    return Encoded(tokens, said + f"replaced by {by!r}")


def listed(symbols: Sequence[str]) -> str:
    """For a person: a few dozen of them, and how many more there are."""
    more = len(symbols) - LISTED
    return repr("".join(symbols[:LISTED])) * bool(symbols) + (f" and {more} more" if more > 0 else "")


def code_points(text: str) -> Array:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def shown(name: str | Path) -> str:
    r"""A name from the command line or of a file, so that it can be printed: a byte that is no UTF-8 as \xe9."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def quoted(name: str | Path) -> str:
    """Likewise, as a shell reads it."""
    if shown(name) == str(name):
        return shlex.quote(str(name))
    return "$'" + shown(str(name).replace("\\", "\\\\").replace("'", "\\'")) + "'"
