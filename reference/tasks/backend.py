"""What NumPy and PyTorch each give to the tasks; everything else is the same code."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Self

from ..common.checks import engines
from ..models.classifier import Classifier
from ..models.generator import Generator
from ..models.seq2seq import Seq2seq
from ..models.tagger import Tagger
from ..training import loop, optim


class Backend(NamedTuple):
    package: str
    engines: tuple[str, ...]  # the first is the default
    chosen_by: str  # the constructor's argument that names one
    models: dict[str, Callable]  # by class name; called with sizes, cell, dtype, rng
    adam: Callable  # called with a model and lr
    train: Callable
    versions: dict[str, str]

    def by(self, engine: str) -> Self:
        """The side with its models computed by an engine."""
        return self._replace(models={name: partial(model, **{self.chosen_by: engine}) for name, model in self.models.items()})


BACKEND = Backend(
    "reference", engines(), "engine", {m.__name__: m for m in (Classifier, Generator, Seq2seq, Tagger)}, optim.Adam, loop.train, {}
)
