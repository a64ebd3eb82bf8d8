"""A first name from sex and initial: ``generator``."""

from collections.abc import Sequence
from math import exp

import numpy as np

from ..common import batches, datasets
from ..common.arrays import as_array
from ..common.command import Model
from ..common.packing import positions
from ..common.vocabulary import Vocabulary, split
from ..parts import losses
from .evaluate import count_perplexity


class NamesGenerator:
    """US census first names; sex and initial become the first state."""

    model, title, better = "Generator", "a first name from sex and initial", "lower"
    batch_size, rate, most_epochs = 64, 3e-3, 15
    variants: dict[str, dict] = {"sex and initial": {}}

    def __init__(self, seed: int = 0, limit: int | None = None):
        self.sexes = datasets.first_names()
        self.parts = split(sorted(self.sexes)[:limit], seed)
        self.letters = Vocabulary.of(self.sexes)
        self.conditions = Vocabulary(["female", "male", *(s for s in self.letters.symbols if s.isalpha())], special=False)
        self.ends = {"bos": self.letters.bos, "eos": self.letters.eos}
        symbols, conditions = len(self.letters), len(self.conditions)
        self.sizes = {"num_embeddings": symbols, "conditions": conditions, "embedding_dim": 32, "hidden_size": 128} | self.ends

    def batch(self, names: Sequence[str]) -> batches.Conditioned:
        conditions = [self.conditions.encode([self.sexes[n], n[0]]) for n in names]
        return batches.conditioned(conditions, [self.letters.encode(n) for n in names], **self.ends)

    def figures(self, model: Model) -> dict[str, float]:
        """The first letter is given by the condition, so it does not count."""
        batch = self.batch(self.parts.test)
        later = positions(batch.tokens.batch_sizes)[0] > 0
        loss, _ = losses.cross_entropy_forward(as_array(model.logits(batch))[later], batch.target[later])
        return {"perplexity": exp(float(loss))}

    def baselines(self) -> dict[str, dict[str, float]]:
        train, test = ([[*n, "end"] for n in part] for part in (self.parts.train, self.parts.test))
        return {
            f"counts of {what}": {"perplexity": count_perplexity(train, test, n, len(self.letters) - 2)}
            for n, what in ((1, "single letters"), (2, "pairs of letters"), (3, "triples of letters"))
        }

    def examples(self, model: Model) -> dict[str, str]:
        asked = [[sex, initial] for sex in ("female", "male") for initial in "adjmst"]
        rng = np.random.default_rng(0)
        names = model.generate([self.conditions.encode(a) for a in asked], temperature=0.7, rng=rng)
        return {" ".join(a): "".join(self.letters.decode(tokens)) for a, tokens in zip(asked, names, strict=True)}
