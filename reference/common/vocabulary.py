"""Symbols (characters, sounds, tags) <-> integers, and the split of a data set into parts that share nothing."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .arrays import Array

PAD, BOS, EOS = SPECIAL = "<pad>", "<bos>", "<eos>"


class Vocabulary:
    """Integers for symbols: 0, 1 and 2 are padding, begin and end of a sequence, then the symbols as given.

    Parameters
    ----------
    symbols : sequence of str
        No two alike.
    special : bool
        False leaves out padding, begin and end: classes and tags need none.

    Raises
    ------
    ValueError
        A symbol that stands there twice, or is one of the special ones.
    """

    def __init__(self, symbols: Iterable[str], special: bool = True):
        self.symbols = [*(SPECIAL if special else ()), *symbols]
        self.index = {s: k for k, s in enumerate(self.symbols)}
        if len(self.index) != len(self.symbols):
            twice = next(s for s in self.symbols if self.symbols.count(s) > 1)
            raise ValueError(f"symbols must all be different, got {twice!r} more than once")
        self.special = special

    @classmethod
    def of(cls, sequences: Iterable[Iterable[str]], special: bool = True) -> "Vocabulary":
        """The vocabulary of all symbols that occur, sorted."""
        return cls(sorted({s for sequence in sequences for s in sequence}), special)

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def pad(self) -> int:
        return self.index[PAD]

    @property
    def bos(self) -> int:
        return self.index[BOS]

    @property
    def eos(self) -> int:
        return self.index[EOS]

    def encode(self, sequence: Iterable[str]) -> Array:
        """Symbols  ->  (T,) int64

        Raises
        ------
        KeyError
            A symbol that is not in the vocabulary; the message says which.
        """
        try:
            return np.array([self.index[s] for s in sequence], dtype=np.int64)
        except KeyError as e:
            raise KeyError(f"symbol {e.args[0]!r} is not in the vocabulary of {len(self)} symbols") from None

    def decode(self, tokens: Iterable[int]) -> list[str]:
        """Integers  ->  symbols, up to the first end and without padding and begin.

        Raises
        ------
        IndexError
            An integer outside the vocabulary.
        """
        symbols = []
        for k in tokens:
            if not 0 <= k < len(self):
                raise IndexError(f"token must be from 0 to {len(self) - 1}, got {k}")
            if self.special and k == self.eos:
                break
            if not (self.special and k < len(SPECIAL)):
                symbols.append(self.symbols[k])
        return symbols

    def require(self, symbols: Sequence[str]) -> None:
        """Do nothing if ``symbols``, read from a file, are those of this vocabulary in their order.

        Raises
        ------
        ValueError
            They are not: the weights beside them mean other symbols.
        """
        if list(symbols) == self.symbols:
            return
        if len(symbols) != len(self):
            raise ValueError(f"vocabulary must have the {len(self)} symbols the model was made with, got {len(symbols)}")
        k = next(k for k, (a, b) in enumerate(zip(symbols, self.symbols, strict=True)) if a != b)
        raise ValueError(f"vocabulary must have {self.symbols[k]!r} as symbol {k}, got {symbols[k]!r}")


class Parts(NamedTuple):
    """What is learned from, what is looked at while learning, and what is looked at once."""

    train: list
    validation: list
    test: list


def split(items: Iterable, seed: int = 0, validation: float = 0.1, test: float = 0.1) -> Parts:
    """Draw three parts from different items; the same for the same items in any order, and the same seed.

    Raises
    ------
    ValueError
        An item that stands there twice, which could be learned in one part and tested in another; or shares outside
        0 to 1.
    """
    ordered = sorted(items)
    twice = [a for a, b in pairwise(ordered) if a == b]
    if twice:
        raise ValueError(f"items must all be different, got {twice[0]!r} more than once")
    if not (validation >= 0 and test >= 0 and validation + test <= 1):
        raise ValueError(f"validation and test must be shares that add up to at most 1, got {validation} and {test}")
    order = np.random.default_rng(seed).permutation(len(ordered))
    shuffled = [ordered[k] for k in order]
    v, t = round(validation * len(ordered)), round(test * len(ordered))
    return Parts(shuffled[v + t :], shuffled[:v], shuffled[v : v + t])
