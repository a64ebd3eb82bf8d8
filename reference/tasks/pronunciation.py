"""A word's pronunciation from its spelling: ``seq2seq``, with attention and without, and with scheduled sampling."""

from collections.abc import Sequence

import numpy as np

from ..common import batches, datasets
from ..common.arrays import as_array
from ..common.command import Model
from ..common.vocabulary import Vocabulary, split
from . import alignment
from .evaluate import error_rate, majority

SHOWN = ("knight", "phonology", "thoughtful", "exchange")  # kept out of training, so that their maps are of unseen words
BEAM, BEAMED = 5, 300


class Pronunciation:
    """Words of the CMU dictionary in letters, and in ARPAbet sounds without stress."""

    model, title, better = "Seq2seq", "pronunciation from spelling", "lower"
    batch_size, rate, most_epochs = 64, 2e-3, 30
    variants: dict[str, dict] = {
        "attention": {},
        "no attention": {"attention": None},
        "attention, scheduled sampling": {"forced": 0.5},
    }

    def __init__(self, seed: int = 0, limit: int | None = None):
        self.sounds_of = datasets.pronunciations()
        words = sorted(w for w in self.sounds_of if w not in SHOWN)
        words = [words[k] for k in np.random.default_rng(seed).permutation(len(words))[:limit]]
        self.parts = split(words, seed, 0.05, 0.05)
        self.letters, self.sounds = Vocabulary.of(self.sounds_of), Vocabulary.of(s[0] for s in self.sounds_of.values())
        self.ends = {"bos": self.sounds.bos, "eos": self.sounds.eos}
        self.sizes = {
            "sources": len(self.letters),
            "targets": len(self.sounds),
            "embedding_dim": 64,
            "hidden_size": 128,
        } | self.ends

    def batch(self, words: Sequence[str]) -> batches.Translated:
        return self._translated(words, [self.sounds_of[w][0] for w in words])

    def _translated(self, words: Sequence[str], sounds: Sequence[Sequence[str]]) -> batches.Translated:
        letters = [self.letters.encode(w) for w in words]
        return batches.translated(letters, [self.sounds.encode(s) for s in sounds], **self.ends)

    def say(self, model: Model, words: Sequence[str], **options: int) -> list[list[str]]:
        """What the model says for some words, in batches."""
        answers = []
        for chosen in batches.in_order(len(words), 256):
            source = batches.pack("words", [self.letters.encode(words[k]) for k in chosen])
            answers += [self.sounds.decode(tokens) for tokens in model.decode(source, **options)]
        return answers

    def figures(self, model: Model) -> dict[str, float]:
        return self._rates(self.say(model, self.parts.test), self.parts.test)

    def more_figures(self, model: Model) -> dict[str, float]:
        """Greedy against a beam on the first words of the test part."""
        words, figures = self.parts.test[:BEAMED], {}
        for name, width in (("greedy", 1), (f"beam of {BEAM}", BEAM)):
            figures[f"{name}, {BEAMED} words"] = self._rates(self.say(model, words, beam=width), words)["phonemes wrong"]
        return figures

    def _rates(self, answers: Sequence[Sequence[str]], words: Sequence[str]) -> dict[str, float]:
        phonemes, wrong = error_rate(answers, [[list(s) for s in self.sounds_of[w]] for w in words])
        return {"phonemes wrong": phonemes, "words wrong": wrong}

    def baselines(self) -> dict[str, dict[str, float]]:
        """The alignment and its counts come from words of the training part alone."""
        cuts = alignment.cuts([(w, self.sounds_of[w][0]) for w in self.parts.train[:10_000]])
        usual = majority(pair for w, pieces in cuts.items() for pair in zip(w, pieces, strict=True))
        answers = [[s for c in w for s in usual.get(c, ())] for w in self.parts.test]
        return {"the most frequent sound of each letter": self._rates(answers, self.parts.test)}

    def examples(self, model: Model) -> dict[str, str]:
        words = [*SHOWN, *self.parts.test[:8]]
        right = {w: " or ".join(" ".join(sounds) for sounds in self.sounds_of[w]) for w in words}
        return {w: f"{' '.join(s)}, right: {right[w]}" for w, s in zip(words, self.say(model, words), strict=True)}

    def maps(self, model: Model) -> list[dict]:
        """What the decoder attends to while it says each of the shown words by itself: weights (sounds and end, letters)."""
        maps = []
        for w, answer in zip(SHOWN, self.say(model, SHOWN), strict=True):
            weights = as_array(model.weights(self._translated([w], [answer])))[:, 0]
            maps.append({"letters": list(w), "sounds": [*answer, "end"], "weights": np.round(weights, 4).tolist()})
        return maps
