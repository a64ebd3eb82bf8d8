"""Small things to call doors with: arrays, batches, layers and models of either side."""

from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

import reference
from reference import convert
from reference.common import batches, packing

Call = tuple[Callable[..., Any], dict[str, Any]]  # a door and the arguments of a right call
Rows = dict[str, Callable[[], Call]]


def call(door: Callable[..., Any], **right: Any) -> Call:
    return door, right


def each(names: Iterable[str], door: Callable[[str], str], make: Callable[[str], Call]) -> Rows:
    """Rows of a table, one for each name"""
    return {door(name): partial(make, name) for name in names}


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def ones(*shape: int) -> Any:
    """Different numbers from -1 to 1 in float32"""
    return np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def named() -> dict[str, Any]:
    return {"v": ones(3), "w": ones(2, 3)}


def layer(**options: Any) -> Any:
    return reference.LSTM(3, 4, rng=rng(), **options)


def ran(module: Any, *inputs: Any) -> Any:
    """A module after a forward"""
    module(*inputs)
    return module


WORDS = [np.array([3, 4, 5]), np.array([4, 3])]
PADDED = ones(3, 2, 3)
LENGTHS = np.array([3, 2])


def packed(*features: int) -> packing.PackedSequence:
    return packing.pack_sequence([ones(n, *features) for n in (2, 3)], enforce_sorted=False)


SIZES: dict[str, dict[str, int]] = {
    "Classifier": {"num_embeddings": 7, "classes": 3, "embedding_dim": 4},
    "Generator": {"num_embeddings": 7, "conditions": 3, "embedding_dim": 4},
    "Tagger": {"num_embeddings": 7, "tags": 3, "embedding_dim": 4},
    "Seq2seq": {"sources": 8, "targets": 7, "embedding_dim": 4},
    "LanguageModel": {"num_embeddings": 7, "embedding_dim": 4},
    "Forecaster": {"columns": 3, "horizon": 2},
}
FILES = {name: "language_model" if name == "LanguageModel" else name.lower() for name in SIZES}
BATCHES: dict[str, Any] = {
    "Classifier": batches.labelled(WORDS, [0, 1]),
    "Generator": batches.conditioned([[0, 1], [1, 2]], WORDS, 1, 2),
    "Tagger": batches.tagged(WORDS, [w % 3 for w in WORDS]),
    "Seq2seq": batches.translated(WORDS, [w[:-1] for w in WORDS], 1, 2),
    "LanguageModel": batches.windows(np.arange(40) % 7, 2, 3)[1],
    "Forecaster": batches.Windowed(ones(4, 2, 3), ones(2, 2, 3)),
}


def kind(name: str, package: str = "reference") -> Callable[..., Any]:
    """The class of a model of either side"""
    return getattr(import_module(f"{package}.models.{FILES[name]}"), name)


def on(name: str, package: str = "reference", **options: Any) -> Any:
    """A small model, whose texts end soon"""
    model = kind(name, package)(**SIZES[name], hidden_size=4, rng=rng(), **options)
    if name in ("Generator", "Seq2seq"):
        (model.head.params["bias"] if package == "reference" else model.head.bias.data)[2] = 9
    return model


def says(tokens: Any, state: Any) -> tuple[Any, Any]:
    """A step of decoding that ends soon"""
    return np.tile(np.array([0.1, 0.2, 0.3, 0.0]), (len(tokens), 1)), state


RUNNING: dict[str, Any] = {"step": says, "state": ones(3, 2), "start": 0, "end": 2, "max_length": 4}
STACK = convert.ours(reference.LSTM(3, 4, rng=rng()).state_dict())
ELMAN = convert.ours(reference.RNN(3, 4, rng=rng()).state_dict())
