"""The text that a character model learns from: read, cut into three parts, turned into integers.  notes/char_lm.md

The parts are contiguous and in the text's order: what is tested comes after everything that was learned.  The
vocabulary is every character of the whole text, so that each part can be said.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ..common import batches, datasets
from ..common.arrays import Array
from ..common.command import UsageError
from ..common.vocabulary import Vocabulary
from . import text

MOST = 1_000_000  # evaluations of a run


class Corpus(NamedTuple):
    name: str
    tokens: Array  # (N,) int64
    unknown: str  # what was done with characters that the vocabulary lacks; "" if there were none
    vocabulary: Vocabulary  # one symbol for each character
    sha256: str  # of the text in UTF-8, or of the bytes
    begin: str  # what a new piece of text comes after: a blank line, a line's end, or any symbol

    def part(self, name: str) -> Array:
        """Tokens of "train", nine tenths, of "validation", "test", a twentieth each, or of "all"."""
        n = len(self.tokens)
        a, b = round(0.9 * n), round((0.9 + 0.05) * n)
        start, stop = {"train": (0, a), "validation": (a, b), "test": (b, n), "all": (0, n)}[name]
        return self.tokens[start:stop]


def corpus(
    files: Sequence[str] | None,
    encoding: str = "utf-8",
    separator: str = "",
    raw: bool = False,
    *,
    vocabulary: Vocabulary | None = None,
    known: Sequence[str] = (),
    unknown: str = "error",
) -> Corpus:
    """The user's files, one after another, in their own vocabulary or a given one; without any, the plays of Shakespeare.

    Their own vocabulary begins with what is ``known``; that of bytes, ``raw``, is all 256.

    UsageError: no text at all, or as ``read`` and ``encode``.
    """
    if files:
        content, name = text.read(files, encoding, separator, raw), ", ".join(text.shown(Path(f).name) for f in files)
    else:
        content, name = plays(), "the plays of Shakespeare"
        content = text.as_bytes(content) if raw else content
    if not content:
        raise UsageError(f"{name}: there is no text")
    own = text.BYTES if raw else [*known, *sorted(set(content) - set(known))]
    vocabulary = vocabulary or Vocabulary(own, special=False)
    begin = next((b for b in ("\n\n", "\n") if b in content), content[0])
    sha256 = hashlib.sha256(content.encode(*(("latin-1",) if raw else ("utf-8", "surrogatepass")))).hexdigest()
    return Corpus(name, *text.encode(content, vocabulary, name, unknown), vocabulary, sha256, begin)


def plays() -> str:
    try:
        return datasets.shakespeare()
    except FileNotFoundError as e:
        raise UsageError(f"{e}; or train on a text of your own by --text FILE") from None


def passes(tokens: Array, config: dict) -> list[batches.Window]:
    """The windows of one pass over the training part.  UsageError: it is too short."""
    try:
        return batches.windows(tokens, config["batch"], config["window"])
    except ValueError as e:
        raise UsageError(f"the text is too short: the training part: {e}; give more text, or a smaller --batch") from None


def boundaries(config: dict) -> list[int]:
    """The steps between which the stretches lie: every so many, the last, and where the run ended before it was prolonged.

    UsageError: they would be so many that even their list has no room.
    """
    if config["steps"] > MOST * config["every"]:
        raise UsageError(f"--steps {config['steps']} with --every {config['every']} are more than {MOST:,} evaluations")
    return sorted({*range(0, config["steps"], config["every"]), *config.get("ends", []), config["steps"]})


def spans(windows: list[batches.Window], ends: list[int]) -> Callable[[int], list[batches.Window]]:
    """``span(k)``: the windows from ends[k] to below ends[k + 1] of an endless repetition.

    So the loop's "epoch" is the stretch between two evaluations, and the state goes on from one to the next.
    """

    def span(k: int) -> list[batches.Window]:
        return [windows[n % len(windows)] for n in range(ends[k], ends[k + 1])]

    return span
