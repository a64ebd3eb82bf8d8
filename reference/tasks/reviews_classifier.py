"""Whether a Chinese review is for or against, character by character: ``classifier``."""

from collections.abc import Sequence

import numpy as np

from ..common import batches, datasets
from ..common.arrays import as_array
from ..common.command import Model
from ..common.vocabulary import Vocabulary, split
from .evaluate import naive_bayes
from .known import Known

LENGTHS = range(5, 61)  # characters


class ReviewsClassifier:
    """Short reviews of books, hotels and computers.  Chinese needs no spaces, so the tokens are the characters."""

    model, title, better = "Classifier", "for or against, from a review", "higher"
    batch_size, rate, most_epochs = 64, 3e-3, 3
    variants: dict[str, dict] = {
        "last state": {},
        "mean": {"pooling": "mean"},
        "maximum": {"pooling": "max"},
        "last state, one direction": {"bidirectional": False},
    }

    def __init__(self, seed: int = 0, limit: int | None = None):
        self.kinds = {r: kind for r, kind in datasets.reviews().items() if len(r) in LENGTHS}
        ordered = sorted(self.kinds)
        self.parts = split([ordered[k] for k in np.random.default_rng(seed).permutation(len(ordered))[:limit]], seed)
        self.characters, self.classes = Known(self.parts.train), Vocabulary(["negative", "positive"], special=False)
        self.sizes = {"num_embeddings": len(self.characters), "classes": len(self.classes), "embedding_dim": 64, "hidden_size": 64}

    def batch(self, reviews: Sequence[str]) -> batches.Labelled:
        return batches.labelled([self.characters.encode(r) for r in reviews], self.classes.encode(self.kinds[r] for r in reviews))

    def figures(self, model: Model) -> dict[str, float]:
        batch = self.batch(self.parts.test)
        return {"accuracy": float((as_array(model.predict(batch)) == batch.target).mean())}

    def baselines(self) -> dict[str, dict[str, float]]:
        pairs = [(r, self.kinds[r]) for r in self.parts.train]
        answers = {
            "always the more frequent": naive_bayes(pairs, 0),
            "naive Bayes, single characters": naive_bayes(pairs, 1),
            "naive Bayes, single characters and pairs": naive_bayes(pairs, 2),
        }
        right = {name: [answer(r) == self.kinds[r] for r in self.parts.test] for name, answer in answers.items()}
        return {name: {"accuracy": sum(which) / len(which)} for name, which in right.items()}

    def examples(self, model: Model) -> dict[str, str]:
        reviews = self.parts.test[:12]
        said = self.classes.decode(as_array(model.predict(self.batch(reviews))))
        return {r: f"{kind}, right: {self.kinds[r]}" for r, kind in zip(reviews, said, strict=True)}
