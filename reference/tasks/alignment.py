"""Which letter of a word makes which sound: the best monotone alignment, its costs learned from the words themselves.

Each letter makes no sound, one or two (the x of "box" makes k s).  With cost -log p(sounds | letter), the cheapest way
of cutting the sounds of a word into one piece a letter is found by dynamic programming (Viterbi); counting the pieces
of all words gives new costs, and so on: hard expectation-maximisation.  The tags of the ``tagger``'s task come from here.
"""

from collections import Counter
from collections.abc import Iterable
from math import log

Word = tuple[str, tuple[str, ...]]  # spelling, sounds
Costs = dict[tuple[str, tuple[str, ...]], float]  # (letter, 0 to 2 sounds) -> cost

UNSEEN = 12.0


def cut(word: Word, costs: Costs) -> list[tuple[str, ...]] | None:
    """The sounds of each letter, or None if there are more than two for each."""
    letters, sounds = word
    best: dict[int, tuple[float, list]] = {0: (0.0, [])}  # j: cost and pieces of the letters so far, which make the first j sounds
    for letter in letters:
        longer: dict[int, tuple[float, list]] = {}
        for j, (before, pieces) in best.items():
            for k in range(min(2, len(sounds) - j) + 1):
                cost = before + costs.get((letter, sounds[j : j + k]), UNSEEN * max(k, 1))
                if j + k not in longer or cost <= longer[j + k][0]:  # of equal ones the shortest piece, which comes last
                    longer[j + k] = cost, [*pieces, sounds[j : j + k]]
        best = longer
    return best[len(sounds)][1] if len(sounds) in best else None


def first_costs(words: Iterable[Word]) -> Costs:
    """Costs from where letters and sounds stand: those at about the same part of their word belong together."""
    near: Counter = Counter()
    for letters, sounds in words:
        for i, letter in enumerate(letters):
            j = min(round(i * len(sounds) / len(letters)), len(sounds) - 1)
            for k in range(max(0, j - 1), min(len(sounds), j + 2)):
                near[letter, sounds[k : k + 1]] += 1
    return counted(near, silent=0.1)


def counted(pieces: Counter, silent: float = 0.0) -> Costs:
    """Counts of (letter, sounds)  ->  -log p(sounds | letter); ``silent`` adds that share of no sound at all."""
    of_letter: Counter = Counter()
    for (letter, _), count in pieces.items():
        of_letter[letter] += count
    costs = {key: -log(count / of_letter[key[0]]) for key, count in pieces.items()}
    return costs | ({(letter, ()): -log(silent) for letter in of_letter} if silent else {})


def learn(words: list[Word]) -> Costs:
    """The costs after four rounds over the words."""
    costs = first_costs(words)
    for _ in range(4):
        pieces: Counter = Counter()
        for word in words:
            pieces.update(zip(word[0], cut(word, costs) or [], strict=False))
        costs = counted(pieces)
    return costs


def cuts(words: list[Word]) -> dict[str, list[tuple[str, ...]]]:
    """The sounds of each letter, by spelling, where there are at most two; the costs are of the first ten thousand words."""
    costs = learn(words[:10_000])
    return {word[0]: pieces for word in words if (pieces := cut(word, costs)) is not None}
