"""The text that a character model learns from: read, cut into three parts, turned into integers.  notes/char_lm.md

The parts are contiguous and in the text's order: what is tested comes after everything that was learned.  The
vocabulary is every character of the whole text, so that each part can be said.
"""

import hashlib
from collections.abc import Callable, Sequence
from encodings import search_function
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..common import batches, datasets
from ..common.arrays import Array
from ..common.command import UsageError
from ..common.vocabulary import Vocabulary

LISTED = 40  # symbols that a message shows


class Corpus(NamedTuple):
    name: str
    tokens: Array  # (N,) int64
    vocabulary: Vocabulary  # one symbol for each character
    sha256: str  # of the text in UTF-8
    begin: str  # what a new piece of text comes after: a blank line, a line's end, or any symbol

    def part(self, name: str) -> Array:
        """Tokens of "train", nine tenths, of "validation", "test", a twentieth each, or of "all"."""
        n = len(self.tokens)
        a, b = round(0.9 * n), round((0.9 + 0.05) * n)
        start, stop = {"train": (0, a), "validation": (a, b), "test": (b, n), "all": (0, n)}[name]
        return self.tokens[start:stop]


def decode(file: Path, encoding: str) -> str:
    try:
        if search_function(encoding.lower()) is None:  # Python's own; packages register codecs that take any name
            raise LookupError
        content = file.read_bytes()
        return content.decode(encoding).removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as e:
        raise UsageError(
            f"{file} is not {encoding}: byte 0x{content[e.start]:02x} at position {e.start} cannot be "
            f"decoded ({e.reason}); name another encoding by --encoding"
        ) from None
    except LookupError:
        raise UsageError(f"--encoding must be an encoding that Python knows, got {encoding!r}") from None
    except OSError as e:
        raise UsageError(f"{file} cannot be read: {e.strerror}") from None


def corpus(
    files: Sequence[str] | None, encoding: str = "utf-8", vocabulary: Vocabulary | None = None, known: Sequence[str] = ()
) -> Corpus:
    """The user's files, one after another, in their own vocabulary or a given one; without any, the plays of Shakespeare.

    Their own vocabulary begins with what is ``known``.
    UsageError: a file that cannot be read or decoded (the byte and its place are named), no text at all, or as ``encode``.
    """
    if files:
        text, name = "".join(decode(Path(f), encoding) for f in files), ", ".join(Path(f).name for f in files)
    else:
        try:
            text, name = datasets.shakespeare(), "the plays of Shakespeare"
        except FileNotFoundError as e:
            raise UsageError(f"{e}; or train on a text of your own by --text FILE") from None
    if not text:
        raise UsageError(f"{', '.join(map(str, files or ()))}: there is no text")
    vocabulary = vocabulary or Vocabulary([*known, *sorted(set(text) - set(known))], special=False)
    begin = next((b for b in ("\n\n", "\n") if b in text), text[0])
    sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Corpus(name, encode(text, vocabulary, name), vocabulary, sha256, begin)


def encode(text: str, vocabulary: Vocabulary, what: str) -> Array:
    """(N,) tokens: ``vocabulary.encode`` for long texts.  UsageError: a character that the vocabulary lacks."""
    codes, known = code_points(text), code_points("".join(vocabulary.symbols))
    order = np.argsort(known)
    tokens = order[np.searchsorted(known[order], codes).clip(max=len(known) - 1)]
    strange = np.flatnonzero(known[tokens] != codes)
    if len(strange):
        k = strange[0]
        raise UsageError(
            f"{what}: character {text[k]!r} at position {k} is none of the {len(vocabulary)} that the model "
            f"knows: {listed(vocabulary.symbols)}"
        )
    return tokens.astype(np.int64)


def listed(symbols: Sequence[str]) -> str:
    """For a person: a few dozen of them, and how many more there are."""
    more = len(symbols) - LISTED
    return repr("".join(symbols[:LISTED])) * bool(symbols) + (f" and {more} more" if more > 0 else "")


def code_points(text: str) -> Array:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def passes(tokens: Array, config: dict) -> list[batches.Window]:
    """The windows of one pass over the training part.  UsageError: it is too short."""
    try:
        return batches.windows(tokens, config["batch"], config["window"])
    except ValueError as e:
        raise UsageError(f"the text is too short: the training part: {e}; give more text, or a smaller --batch") from None


def boundaries(config: dict) -> list[int]:
    """The steps between which the stretches lie: every so many, the last, and where the run ended before it was prolonged."""
    return sorted({*range(0, config["steps"], config["every"]), *config.get("ends", []), config["steps"]})


def spans(windows: list[batches.Window], ends: list[int]) -> Callable[[int], list[batches.Window]]:
    """``span(k)``: the windows from ends[k] to below ends[k + 1] of an endless repetition.

    So the loop's "epoch" is the stretch between two evaluations, and the state goes on from one to the next.
    """

    def span(k: int) -> list[batches.Window]:
        return [windows[n % len(windows)] for n in range(ends[k], ends[k + 1])]

    return span
