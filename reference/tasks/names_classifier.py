"""Sex from a first name, letter by letter: ``classifier``."""

from collections.abc import Sequence

from ..common import batches, datasets
from ..common.arrays import as_array
from ..common.command import Model
from ..common.vocabulary import Vocabulary, split
from .evaluate import majority


class NamesClassifier:
    """US census first names; the model reads the letters from both sides."""

    model, title, better = "Classifier", "sex from a first name", "higher"
    batch_size, rate, most_epochs = 64, 3e-3, 12
    variants: dict[str, dict] = {
        "last state": {},
        "mean": {"pooling": "mean"},
        "maximum": {"pooling": "max"},
        "last state, one direction": {"bidirectional": False},
    }

    def __init__(self, seed: int = 0, limit: int | None = None):
        self.sexes = datasets.first_names()
        self.parts = split(sorted(self.sexes)[:limit], seed)
        self.letters, self.classes = Vocabulary.of(self.sexes), Vocabulary(["female", "male"], special=False)
        self.sizes = {"num_embeddings": len(self.letters), "classes": len(self.classes), "embedding_dim": 32, "hidden_size": 64}

    def batch(self, names: Sequence[str]) -> batches.Labelled:
        return batches.labelled([self.letters.encode(n) for n in names], self.classes.encode(self.sexes[n] for n in names))

    def figures(self, model: Model) -> dict[str, float]:
        batch = self.batch(self.parts.test)
        return {"accuracy": float((as_array(model.predict(batch)) == batch.target).mean())}

    def baselines(self) -> dict[str, dict[str, float]]:
        accuracies = {}
        for name, seen in {"always the more frequent sex": lambda n: "", "the last letter": lambda n: n[-1]}.items():
            usual = majority((seen(n), self.sexes[n]) for n in self.parts.train)
            right = [usual.get(seen(n)) == self.sexes[n] for n in self.parts.test]
            accuracies[name] = {"accuracy": sum(right) / len(right)}
        return accuracies

    def examples(self, model: Model) -> dict[str, str]:
        names = self.parts.test[:12]
        sexes = self.classes.decode(as_array(model.predict(self.batch(names))))
        return {n: f"{s}, right: {self.sexes[n]}" for n, s in zip(names, sexes, strict=True)}
