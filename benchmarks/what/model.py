"""A training step of a whole model as a configuration to be timed: a batch's loss and its gradient with respect to all parameters.

No optimiser, but in the rows of the applications (training_step.py), and no dropout.  Tokens are arrays at the start, for torch
too, whose models turn them into tensors inside.
NumPy and torch have the same parameters, rounded to the precision.  Judged as a layer is (``check``): small against the
definition in longdouble, at the real size against the definition in float64, every gradient of every parameter.

Whoever is one of ours by name takes part: ``numpy``, ``numpy.fast`` and ``numba`` are engines of reference's models, ``torch.x`` is
the way x of torch_impl's.  "embedding" is that module alone: its forward, and the scatter that is its backward.
"""

import importlib
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from parity_tests.judge.implementations import BUILTIN, Implementation
from parity_tests.judge.oracle import Tensors
from reference.common import batches
from reference.common.checks import COMPILED
from reference.common.command import Model as AnyModel
from reference.common.extras import lacking
from reference.parts.modules import Embedding
from torch_impl.cells.adapters import native
from torch_impl.cells.layers import WAYS

from .config import Config
from .layer import ENGINES, NUMPY, Candidate
from .precision import PRECISIONS
from .training_step import APPLICATIONS, numpy_step, torch_step

NONE = "none"  # the cell of what has none
WAYS_OF_TORCH = tuple(f"torch.{way}" for way in (*WAYS, "library", "native"))
BOS, EOS = 1, 2
# The sizes that a model's constructor takes, in its order.
MODELS = {
    "language_model": ("vocabulary", "input_size", "hidden_size", "num_layers"),
    **dict.fromkeys(("classifier", "tagger", "generator"), ("vocabulary", "classes", "input_size", "hidden_size", "num_layers")),
    "seq2seq": ("vocabulary", "vocabulary", "input_size", "hidden_size", "num_layers"),
    "char_lm": ("vocabulary", "input_size", "hidden_size", "num_layers"),
    "forecast": ("input_size", "classes", "hidden_size", "num_layers"),
}


@dataclass(frozen=True)
class ModelConfig(Config):
    """A model and its sizes: ``input_size`` is the width of the embedding, T the length of the longest sequence."""

    model: str = "language_model"
    vocabulary: int = 64
    classes: int = 5  # of the classifier, tags of the tagger, conditions of the generator, steps that are forecast

    @property
    def name(self) -> str:
        """Readable and unique."""
        model = self.model if self.cell == NONE else f"{self.model} {self.cell}"
        sizes = f"T{self.T} B{self.B} H{self.hidden_size} E{self.input_size} V{self.vocabulary}"
        return f"{model} {sizes} {self.dtype} {self.device}"

    def small(self) -> "ModelConfig":
        """The same model at a size that longdouble can do."""
        return replace(self, T=4, B=3, input_size=4, hidden_size=6, vocabulary=11)

    def flops(self, phase: str) -> int:
        """Those of the matrix products, as torch counts them in its twin with the input product hoisted."""
        return 0 if self.model == "embedding" else counted(replace(self, dtype="float32", device="cpu"))

    def bytes(self, phase: str) -> int:
        """Every parameter and its gradient once."""
        return 2 * sum(v.size for v in parameters(self, "float32").values()) * PRECISIONS[self.dtype].itemsize

    def effort(self, phase: str) -> float:
        return 0.02

    def reason_to_decline(self, implementation: Implementation) -> str | None:
        name = implementation.name
        if name not in NUMPY + WAYS_OF_TORCH:
            return "models are made of our own parts"
        if self.dtype not in ("float32", "float64"):
            return "models are judged in float32 and float64"
        if name in NUMPY and self.device != "cpu":
            return "NumPy computes on the CPU"
        if name == "numba" and (missing := lacking(*COMPILED)):
            return missing
        if self.model == "embedding" and name not in ("numpy", "torch.library"):
            return "an embedding has no other form"
        return None

    def candidate(self, implementation: Implementation, phase: str) -> Candidate:
        return Model(implementation, self, phase)

    def suite_case(self) -> None:
        """The parity suite's cases are layers."""

    def part(self, T: int) -> str:
        return self.name

    def inputs(self, T: int) -> Tensors:
        return parameters(self, self.dtype)

    def oracle(self, inputs: Tensors, T: int, dtype: type | str) -> Tensors:
        """The loss and every gradient by the definition in a dtype."""
        model = in_numpy(self, dtype)
        model.load_state_dict(inputs)
        application = APPLICATIONS.get(self.model)
        loss, grads = numpy_step(model, application)(batch_of(self))
        return named(np.asarray(loss), grads, model.params if application else {})

    def baseline(self, inputs: Tensors, T: int) -> Tensors:
        return self.oracle(inputs, T, self.dtype)

    def affordable(self, seconds: float, gflops: float) -> int:
        """All of it: a model is judged whole, however long it takes."""
        return self.T


def batch_of(config: ModelConfig) -> object:
    """Random tokens in the form that the model takes; sequences of different lengths, but for the language model."""
    rng, c = np.random.default_rng(1), config
    if c.model in ("language_model", "embedding", "char_lm"):
        tokens = rng.integers(0, c.vocabulary, (c.T + 1, c.B))
        return batches.Window(tokens[:-1], tokens[1:], first=c.model != "char_lm")
    if c.model == "forecast":
        past, future = (rng.standard_normal((n, c.B, c.input_size)).astype(c.dtype) for n in (c.T, c.classes))
        return batches.Windowed(past, future)
    sequences = [rng.integers(3, c.vocabulary, n) for n in replace(c, fill=c.fill or 0.6).lengths()]
    if c.model == "classifier":
        return batches.labelled(sequences, rng.integers(0, c.classes, c.B).tolist())
    if c.model == "tagger":
        return batches.tagged(sequences, [rng.integers(0, c.classes, len(s)) for s in sequences])
    if c.model == "generator":
        return batches.conditioned(rng.integers(0, c.classes, (c.B, 2)).tolist(), sequences, BOS, EOS)
    return batches.translated(sequences, [rng.permutation(s) for s in sequences], BOS, EOS)


class Plain(Embedding):
    """The embedding as a model: the sum of its outputs times fixed numbers, whose gradient is those numbers."""

    def __init__(self, config: ModelConfig, dtype: type | str):
        super().__init__(config.vocabulary, config.input_size, dtype=dtype, rng=np.random.default_rng(0))
        self.dy = upstream(config).astype(dtype)

    def loss(self, batch: batches.Window) -> np.floating:
        return (self(batch.tokens) * self.dy).sum()

    def backward(self, dy: np.ndarray | None = None) -> None:
        super().backward(self.dy if dy is None else dy)


class PlainTwin(torch.nn.Embedding):
    """The same with torch.nn's."""

    dy: torch.Tensor

    def __init__(self, config: ModelConfig):
        super().__init__(config.vocabulary, config.input_size, dtype=getattr(torch, config.dtype))
        self.register_buffer("dy", torch.from_numpy(upstream(config).astype(config.dtype)), persistent=False)

    def loss(self, batch: batches.Window) -> torch.Tensor:
        return (self(torch.from_numpy(batch.tokens).to(self.weight.device)) * self.dy).sum()


@lru_cache(maxsize=2)
def upstream(config: ModelConfig) -> np.ndarray:
    """(T, B, E) in float64, rounded to float32"""
    drawn = np.random.default_rng(2).standard_normal((config.T, config.B, config.input_size), np.float32)
    return drawn.astype(np.float64)


def in_numpy(config: ModelConfig, dtype: type | str, engine: str = "definition") -> AnyModel:
    """A model of ``reference``."""
    return Plain(config, dtype) if config.model == "embedding" else built("reference", config, dtype=dtype, engine=engine)


def in_torch(config: ModelConfig, way: str) -> AnyModel:
    """A model of ``torch_impl``."""
    return PlainTwin(config) if config.model == "embedding" else built("torch_impl", config, dtype=config.dtype, way=way)


def built(package: str, config: ModelConfig, **options: object) -> AnyModel:
    """A model, or what an application trains: LanguageModel in models/language_model.py."""
    room = APPLICATIONS[config.model].model if config.model in APPLICATIONS else config.model
    name = "".join(part.capitalize() for part in room.split("_"))
    build = getattr(importlib.import_module(f"{package}.models.{room}"), name)
    options |= {"bos": BOS, "eos": EOS} if room in ("generator", "seq2seq") else {}
    sizes = (getattr(config, size) for size in MODELS[config.model])
    return build(*sizes, cell=config.cell, rng=np.random.default_rng(0), **options)


@lru_cache(maxsize=4)
def parameters(config: ModelConfig, dtype: str) -> Tensors:
    """The parameters that everybody has, rounded to a dtype."""
    return {k: v.astype(dtype) for k, v in in_numpy(config, np.float64).params.items()}


class Model(Candidate):
    """A model: ``call()`` is its loss and the gradients of all parameters, or an application's whole training step."""

    def __init__(self, implementation: Implementation, config: ModelConfig, phase: str = "train"):
        super().__init__(implementation, config, phase)
        self.batch, self.application = batch_of(config), APPLICATIONS.get(config.model)
        self.trains, self.is_numpy = self.application is not None, self.name in NUMPY
        self.context = native if self.name == "torch.native" else nullcontext
        if self.is_numpy:
            self.model = in_numpy(config, config.dtype, ENGINES[self.name])
        else:
            way = self.name.removeprefix("torch.")
            self.model = in_torch(config, way if way in WAYS else "library").to(config.device)
        self.load(parameters(config, config.dtype))

    def load(self, values: Tensors) -> None:
        """Start anew: from these parameters, with no state carried over, and an optimiser that knows of no step yet."""
        self.model.load_state_dict(values if self.is_numpy else {k: torch.from_numpy(v.copy()) for k, v in values.items()})
        if hasattr(self.model, "load_carried_state"):
            self.model.load_carried_state({})
        self.step = (numpy_step if self.is_numpy else torch_step)(self.model, self.application)

    def call(self) -> tuple[Any, Any]:
        with self.context():
            return self.step(self.batch)

    def tensors(self, T: int, inputs: Tensors) -> Tensors:
        """Of an application also each parameter after the step."""
        self.load(inputs)
        loss, grads = self.call()
        if self.is_numpy:
            return named(np.asarray(loss), grads, self.model.params if self.trains else {})
        params = dict(self.model.named_parameters())
        tensors = named(loss, dict(zip(params, grads, strict=True)), params if self.trains else {})
        return {k: v.detach().cpu().numpy() for k, v in tensors.items()}


def named(loss: Any, grads: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """What a model is judged by: the loss, "d" + name for each gradient, and some parameters."""
    return {"loss": loss, **{f"d{k}": v for k, v in grads.items()}, **params}


@lru_cache(maxsize=64)
def counted(config: ModelConfig) -> int:
    """Floating-point operations of the matrix products of a training step."""
    candidate = Model(BUILTIN["torch.hoisted"], config)
    with FlopCounterMode(display=False) as counter:
        candidate.call()
    return int(counter.get_total_flops())


def model(name: str, T: int, B: int, E: int, H: int, V: int, cell: str = "lstm", **options: Any) -> ModelConfig:
    """A configuration in few words."""
    return ModelConfig(cell, T, B, E, H, model=name, vocabulary=V, **options)
