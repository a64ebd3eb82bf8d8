"""The part of speech of each word of a sentence: ``tagger``, with one direction and with two."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..common import batches, datasets
from ..common.arrays import as_array
from ..common.command import Model
from ..common.vocabulary import Vocabulary, split
from .evaluate import majority
from .known import UNKNOWN, Known

Sentence = tuple[tuple[str, str], ...]  # (word, part of speech)
LENGTHS = range(5, 41)  # words
RARE = 1000  # a part of speech must occur in one of so many sentences


def words(sentence: Sentence) -> list[str]:
    return [word for word, _ in sentence]


class WordsTagger:
    """Sentences of a Chinese newspaper, cut into words."""

    model, title, better = "Tagger", "the part of speech of each word", "lower"
    batch_size, rate, most_epochs = 64, 1e-2, 5
    variants: dict[str, dict] = {"both directions": {}, "one direction": {"bidirectional": False, "hidden_size": 128}}

    def __init__(self, seed: int = 0, limit: int | None = 40_000):
        sentences = sorted(s for s in datasets.tagged_sentences() if len(s) in LENGTHS)
        sentences = [sentences[k] for k in np.random.default_rng(seed).permutation(len(sentences))[:limit]]
        counts = Counter(tag for s in sentences for tag in {tag for _, tag in s})
        kept = {tag for tag, n in counts.items() if n * RARE >= len(sentences)}
        self.parts = split((s for s in sentences if kept.issuperset(tag for _, tag in s)), seed)
        self.words, self.tags = Known(map(words, self.parts.train)), Vocabulary(sorted(kept), special=False)
        self.sizes = {"num_embeddings": len(self.words), "tags": len(self.tags), "embedding_dim": 32, "hidden_size": 64}

    def batch(self, sentences: Sequence[Sentence]) -> batches.Tagged:
        tags = [self.tags.encode(tag for _, tag in s) for s in sentences]
        return batches.tagged([self.words.encode(words(s)) for s in sentences], tags)

    def figures(self, model: Model) -> dict[str, float]:
        batch = self.batch(self.parts.test)
        wrong = as_array(model.predict(batch)) != batch.target  # (N,) of packed rows
        return self._rates(wrong, batch.tokens.data == self.words.index[UNKNOWN])

    def _rates(self, wrong: np.ndarray, unknown: np.ndarray) -> dict[str, float]:
        """Of all words, and of those that are not known from the training part."""
        return {"words wrong": float(wrong.mean()), "unknown words wrong": float(wrong[unknown].mean()) if unknown.any() else 0.0}

    def baselines(self) -> dict[str, dict[str, float]]:
        usual = majority(pair for s in self.parts.train for pair in self._read(s))
        test = [pair for s in self.parts.test for pair in self._read(s)]
        wrong = np.array([usual.get(word) != tag for word, tag in test])
        return {"the most frequent of each word": self._rates(wrong, np.array([word == UNKNOWN for word, _ in test]))}

    def _read(self, sentence: Sentence) -> list[tuple[str, str]]:
        return [(word, tag) for word, (_, tag) in zip(self.words.read(words(sentence)), sentence, strict=True)]

    def examples(self, model: Model) -> dict[str, str]:
        said = {s: self.tags.decode(as_array(model.predict(self.batch([s])))) for s in self.parts.test[:8]}
        return {" ".join(words(s)): f"{' '.join(tags)}, {_right(s, tags)}" for s, tags in said.items()}


def _right(sentence: Sentence, tags: Sequence[str]) -> str:
    """What is right where that is something else."""
    missed = [f"{word} {right}" for (word, right), tag in zip(sentence, tags, strict=True) if tag != right]
    return f"right: {', '.join(missed)}" if missed else "all right"
