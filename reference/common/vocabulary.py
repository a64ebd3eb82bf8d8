"""Symbols (characters, sounds, tags) <-> integers, and the split of a data set into parts that share nothing."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from . import checks
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
        checks.flag("special", special)
        self.symbols = [*(SPECIAL if special else ()), *checked("symbols", symbols)]
        self.index = {s: k for k, s in enumerate(self.symbols)}
        if len(self.index) != len(self.symbols):
            twice = next(s for s in self.symbols if self.symbols.count(s) > 1)
            raise ValueError(f"symbols must all be different, got {twice!r} more than once")
        self.special = special

    @classmethod
    def of(cls, sequences: Iterable[Iterable[str]], special: bool = True) -> "Vocabulary":
        """The vocabulary of all symbols that occur, sorted."""
        return cls(sorted({s for sequence in iterable("sequences", sequences) for s in checked("sequences", sequence)}), special)

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
        TypeError
            Not a sequence of strings.
        """
        try:
            return np.array([self.index[s] for s in sequence], dtype=np.int64)
        except TypeError as e:  # nothing to go through, or something in it that cannot be looked up
            raise TypeError(f"sequence must hold symbols, strings, got {checks.shown(sequence)}") from e
        except KeyError as e:
            raise KeyError(f"symbol {checks.shown(e.args[0])} is not in the vocabulary of {len(self)} symbols") from None

    def decode(self, tokens: Iterable[int]) -> list[str]:
        """Integers  ->  symbols, up to the first end and without padding and begin.

        Raises
        ------
        IndexError
            An integer outside the vocabulary.
        """
        symbols = []
        for k in iterable("tokens", tokens):
            checks.whole("token", k)
            if not 0 <= k < len(self):
                raise IndexError(f"token must be from 0 to {len(self) - 1}, got {checks.shown(k)}")
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
        symbols = list(iterable("symbols", symbols))
        if all(isinstance(s, str) for s in symbols) and symbols == self.symbols:
            return
        if len(symbols) != len(self):
            raise ValueError(f"vocabulary must have the {len(self)} symbols the model was made with, got {len(symbols)}")
        k = next(k for k, (a, b) in enumerate(zip(symbols, self.symbols, strict=True)) if not isinstance(a, str) or a != b)
        raise ValueError(f"vocabulary must have {self.symbols[k]!r} as symbol {k}, got {checks.shown(symbols[k])}")


def iterable(name: str, value: Any) -> Iterable:
    """TypeError: it holds nothing that could be gone through."""
    if not np.iterable(value):
        raise TypeError(f"{name} must be a list, got {type(value).__name__}")
    return value


def checked(name: str, symbols: Any) -> list[str]:
    """TypeError: a symbol is no str."""
    held = list(iterable(name, symbols))
    for symbol in held:
        if not isinstance(symbol, str):
            raise TypeError(f"{name} must hold strings, got {checks.shown(symbol)}")
    return held


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
    shares = [checks.probability(name, share) for name, share in (("validation", validation), ("test", test))]
    rng = np.random.default_rng(checks.positive_or_zero("seed", seed))
    try:
        ordered = sorted(iterable("items", items))
    except (TypeError, ValueError) as e:
        raise TypeError(f"items must be a list of things that can be sorted, got {checks.shown(items)}") from e
    twice = [a for a, b in pairwise(ordered) if a == b]
    if twice:
        raise ValueError(f"items must all be different, got {twice[0]!r} more than once")
    if sum(shares) > 1:
        raise ValueError(f"validation and test must be shares that add up to at most 1, got {validation} and {test}")
    order = rng.permutation(len(ordered))
    shuffled = [ordered[k] for k in order]
    v, t = round(validation * len(ordered)), round(test * len(ordered))
    return Parts(shuffled[v + t :], shuffled[:v], shuffled[v : v + t])
