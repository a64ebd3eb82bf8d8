"""What NumPy and PyTorch each give to the tasks; everything else is the same code."""

from collections.abc import Callable
from typing import NamedTuple

from ..models.classifier import Classifier
from ..models.generator import Generator
from ..models.seq2seq import Seq2seq
from ..models.tagger import Tagger
from ..training import loop, optim


class Backend(NamedTuple):
    package: str
    models: dict[str, Callable]  # by class name; called with sizes, cell, dtype, rng
    adam: Callable  # called with a model and lr
    train: Callable
    versions: dict[str, str]


BACKEND = Backend("reference", {m.__name__: m for m in (Classifier, Generator, Seq2seq, Tagger)}, optim.Adam, loop.train, {})
