"""Which sound does each letter of a word make?  ``tagger``, with one direction and with two."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..common import batches, datasets
from ..common.arrays import as_array
from ..common.command import Model
from ..common.vocabulary import Vocabulary, split
from . import alignment
from .evaluate import majority

RARE = 1000  # a tag must occur once in so many words


class LettersTagger:
    """Words of the CMU dictionary, their sounds aligned with their letters."""

    model, title, better = "Tagger", "the sound of each letter", "lower"
    batch_size, rate, most_epochs = 64, 3e-3, 30
    variants: dict[str, dict] = {"both directions": {}, "one direction": {"bidirectional": False, "hidden_size": 192}}

    def __init__(self, seed: int = 0, limit: int | None = 40_000):
        words = sorted((w, sounds[0]) for w, sounds in datasets.pronunciations().items())
        rng = np.random.default_rng(seed)
        words = [words[k] for k in rng.permutation(len(words))[:limit]]
        tags = {w: ["+".join(piece) or "-" for piece in pieces] for w, pieces in alignment.cuts(words).items()}
        counts = Counter(t for word in tags.values() for t in set(word))
        kept = {t for t, n in counts.items() if n * RARE >= len(words)}
        self.tags_of = {w: word for w, word in tags.items() if kept.issuperset(word)}
        self.parts = split(self.tags_of, seed)
        self.letters, self.tags = Vocabulary.of(self.tags_of), Vocabulary(sorted(kept), special=False)
        self.sizes = {"num_embeddings": len(self.letters), "tags": len(self.tags), "embedding_dim": 32, "hidden_size": 96}

    def batch(self, words: Sequence[str]) -> batches.Tagged:
        return batches.tagged([self.letters.encode(w) for w in words], [self.tags.encode(self.tags_of[w]) for w in words])

    def figures(self, model: Model) -> dict[str, float]:
        batch = self.batch(self.parts.test)
        wrong = as_array(model.predict(batch)) != batch.target  # (N,) of packed rows
        columns = np.concatenate([np.arange(B) for B in batch.tokens.batch_sizes])
        return {"letters wrong": float(wrong.mean()), "words wrong": float((np.bincount(columns, wrong) > 0).mean())}

    def baselines(self) -> dict[str, dict[str, float]]:
        usual = majority(pair for w in self.parts.train for pair in zip(w, self.tags_of[w], strict=True))
        wrong = [[usual.get(c) != t for c, t in zip(w, self.tags_of[w], strict=True)] for w in self.parts.test]
        letters, words = sum(map(sum, wrong)) / sum(map(len, wrong)), sum(map(any, wrong)) / len(wrong)
        return {"the most frequent sound of each letter": {"letters wrong": letters, "words wrong": words}}

    def examples(self, model: Model) -> dict[str, str]:
        answers = {w: self.tags.decode(as_array(model.predict(self.batch([w])))) for w in self.parts.test[:12]}
        return {" ".join(w): f"{' '.join(tags)}, right: {' '.join(self.tags_of[w])}" for w, tags in answers.items()}
