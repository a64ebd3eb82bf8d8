"""What is measured on the test parts, and the counting models that stand beside the networks."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from math import exp, log


def majority(pairs: Iterable[tuple[Hashable, Hashable]]) -> dict:
    """(what is seen, what is right)  ->  for each thing seen, what is right most often"""
    counts: dict = defaultdict(Counter)
    for seen, right in pairs:
        counts[seen][right] += 1
    return {seen: c.most_common(1)[0][0] for seen, c in counts.items()}


def naive_bayes(pairs: Iterable[tuple[Sequence, Hashable]], n: int) -> Callable[[Sequence], Hashable]:
    """(sequence, its class)  ->  the most probable class of a sequence, if its pieces of up to ``n`` tokens came independently.

    One is added to each count (Laplace).  With ``n`` 0 it is always the more frequent class.
    """

    def pieces(s: Sequence) -> Iterator[tuple]:
        return (tuple(s[i : i + k]) for k in range(1, n + 1) for i in range(len(s) - k + 1))

    classes: Counter = Counter()
    counts: dict = defaultdict(Counter)
    for s, c in pairs:
        classes[c] += 1
        counts[c].update(pieces(s))
    different = len(set().union(*counts.values()))
    totals = {c: of.total() + different for c, of in counts.items()}

    def answer(s: Sequence) -> Hashable:
        seen = list(pieces(s))
        return max(classes, key=lambda c: log(classes[c]) + sum(log((counts[c][piece] + 1) / totals[c]) for piece in seen))

    return answer


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


def count_perplexity(train: Collection[Sequence], test: Iterable[Sequence], n: int, symbols: int) -> float:
    """Perplexity of an n-gram model, one added to each count; the first token of a sequence is given."""

    def pieces(sequences: Iterable[Sequence]) -> Iterator[tuple[tuple, Hashable]]:
        """Each token but the first, and the up to n - 1 before it"""
        return ((tuple(s[max(0, k - n + 1) : k]), s[k]) for s in sequences for k in range(1, len(s)))

    counts, contexts = Counter(pieces(train)), Counter(before for before, _ in pieces(train))
    nats = [-log((counts[before, token] + 1) / (contexts[before] + symbols)) for before, token in pieces(test)]
    return exp(sum(nats) / len(nats))
