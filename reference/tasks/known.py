"""Symbols that are known from the training part; all others are read as one."""

from collections import Counter
from collections.abc import Iterable

from ..common.arrays import Array
from ..common.vocabulary import Vocabulary

UNKNOWN = "<unknown>"


class Known(Vocabulary):
    """The symbols that occur in ``sequences`` at least twice, and one for all others, learned from those that occur once."""

    def __init__(self, sequences: Iterable[Iterable[str]]):
        counts = Counter(s for sequence in sequences for s in sequence)
        super().__init__([UNKNOWN, *sorted(s for s, n in counts.items() if n > 1)])

    def read(self, sequence: Iterable[str]) -> list[str]:
        """What is known of it."""
        return [s if s in self.index else UNKNOWN for s in sequence]

    def encode(self, sequence: Iterable[str]) -> Array:
        """Symbols, known or not  ->  (T,) int64"""
        return super().encode(self.read(sequence))
