"""What is measured on the test parts, and the counting models that stand beside the networks."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import exp, log
from typing import Any

import numpy as np

from ..common.arrays import Array


def array(value: Any) -> Array:
    """An array, or a tensor, as an array."""
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


def majority(pairs: Iterable[tuple[Any, Any]]) -> dict:
    """(what is seen, what is right)  ->  for each thing seen, what is right most often"""
    counts: dict = defaultdict(Counter)
    for seen, right in pairs:
        counts[seen][right] += 1
    return {seen: c.most_common(1)[0][0] for seen, c in counts.items()}


def edit_distance(a: Sequence, b: Sequence) -> int:
    """The fewest insertions, deletions and substitutions that make b of a (Levenshtein 1966)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def error_rate(answers: Sequence[Sequence], right: Sequence[Sequence[Sequence]]) -> tuple[float, float]:
    """Answers against the nearest of several right ones: (edits over the length of that one, share of answers not right)"""
    edits = length = wrong = 0
    for answer, several in zip(answers, right, strict=True):
        distance, n = min((edit_distance(answer, r), len(r)) for r in several)
        edits, length, wrong = edits + distance, length + n, wrong + (distance > 0)
    return edits / length, wrong / len(answers)


def count_perplexity(train: Iterable[Sequence], test: Iterable[Sequence], n: int, symbols: int, skip: int = 1) -> float:
    """Perplexity of an n-gram model, one added to each count; the first ``skip`` tokens of a sequence are given."""
    counts: Counter = Counter()
    contexts: Counter = Counter()
    for sequence in train:
        for k in range(skip, len(sequence)):
            before = tuple(sequence[max(0, k - n + 1) : k])
            counts[before, sequence[k]] += 1
            contexts[before] += 1
    total = number = 0.0
    for sequence in test:
        for k in range(skip, len(sequence)):
            before = tuple(sequence[max(0, k - n + 1) : k])
            total -= log((counts[before, sequence[k]] + 1) / (contexts[before] + symbols))
            number += 1
    return exp(total / number)
