"""A training step of a whole model as a configuration to be timed: the loss of a batch and its gradient in every parameter.

No optimiser, but in the rows of the applications (training_step.py), and no dropout.  Tokens are arrays at the start, for torch
too, whose models turn them into tensors inside.
NumPy and torch have the same parameters, rounded to the precision.  Judged as a layer is (``check``): small against the
definition in longdouble, at the real size against the definition in float64, every gradient of every parameter.

Whoever is one of ours by name takes part: ``numpy`` and ``numpy.fast`` are engines of reference's models, ``torch.x`` is
the way x of torch_impl's.  "embedding" is that module alone: its forward, and the scatter that is its backward.
"""

import importlib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from parity_tests.judge.cases import Case
from parity_tests.judge.implementations import Implementation
from parity_tests.judge.oracle import Tensors
from reference.common import batches
from reference.parts.modules import Embedding
from torch_impl.cells.adapters import native
from torch_impl.cells.layers import WAYS

from .config import Candidate, Config, Problem
from .layer import DeclinedError, device_sync
from .precision import PRECISIONS
from .training_step import APPLICATIONS, numpy_step, torch_step

NONE = "none"  # the cell of what has none
NUMPY, WAYS_OF_TORCH = ("numpy", "numpy.fast"), tuple(f"torch.{way}" for way in (*WAYS, "library", "native"))
SMALL: dict[str, Any] = {"T": 4, "B": 3, "input_size": 4, "hidden_size": 6, "vocabulary": 11}
BOS, EOS = 1, 2


@dataclass(frozen=True)
class ModelConfig(Config):
    """A model and its sizes: ``input_size`` is the width of the embedding, T the length of the longest sequence."""

    model: str = "language_model"
    vocabulary: int = 64
    classes: int = 5  # of the classifier, tags of the tagger, conditions of the generator, steps that are forecast

    @property
    def name(self) -> str:
        """Readable and unique."""
        cell = [] if self.cell == NONE else [self.cell]
        parts = [
            self.model,
            *cell,
            f"T{self.T}",
            f"B{self.B}",
            f"H{self.hidden_size}",
            f"E{self.input_size}",
            f"V{self.vocabulary}",
            self.dtype,
            self.device,
        ]
        return " ".join(parts)

    def small(self) -> "ModelConfig":
        """The same model at a size that longdouble can do."""
        return replace(self, **SMALL)

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
        if name not in (*NUMPY, *WAYS_OF_TORCH):
            return "models are made of our own parts"
        if self.dtype not in ("float32", "float64"):
            return "models are judged in float32 and float64"
        if name in NUMPY and self.device != "cpu":
            return "NumPy computes on the CPU"
        if self.model == "embedding" and name not in ("numpy", "torch.library"):
            return "an embedding has no other form"
        return None

    def candidate(self, implementation: Implementation, phase: str) -> Candidate:
        return Model(implementation, self, phase)

    def suite_case(self) -> Case | None:
        """None: the parity suite's cases are layers."""
        return None

    def problem(self, exact: Any = np.float64) -> Problem:
        return ModelProblem(self, exact)

    def affordable(self, seconds: float, gflops: float) -> Problem:
        """A model is judged whole, however long it takes."""
        return ModelProblem(self)


MODELS: dict[str, Callable[[ModelConfig], tuple[tuple, dict[str, Any]]]] = {
    "language_model": lambda c: ((c.vocabulary, c.input_size, c.hidden_size, c.num_layers), {}),
    "classifier": lambda c: ((c.vocabulary, c.classes, c.input_size, c.hidden_size, c.num_layers), {}),
    "tagger": lambda c: ((c.vocabulary, c.classes, c.input_size, c.hidden_size, c.num_layers), {}),
    "generator": lambda c: ((c.vocabulary, c.classes, c.input_size, c.hidden_size, c.num_layers), {"bos": BOS, "eos": EOS}),
    "seq2seq": lambda c: ((c.vocabulary, c.vocabulary, c.input_size, c.hidden_size, c.num_layers), {"bos": BOS, "eos": EOS}),
    "char_lm": lambda c: ((c.vocabulary, c.input_size, c.hidden_size, c.num_layers), {}),
    "forecast": lambda c: ((c.input_size, c.classes, c.hidden_size, c.num_layers), {}),
}


def batch_of(config: ModelConfig) -> Any:
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


class Plain:
    """The embedding as a model of one module: the sum of its outputs times fixed numbers, whose gradient is those numbers."""

    def __init__(self, config: ModelConfig, dtype: Any):
        self.module = Embedding(config.vocabulary, config.input_size, dtype=dtype, rng=np.random.default_rng(0))
        self.dy = upstream(config).astype(dtype)
        self.params = self.module.params

    def loss(self, batch) -> Any:
        y, self.pullback = self.module.vjp(batch.tokens)
        return (y * self.dy).sum()

    def backward(self) -> None:
        self.grads = self.pullback(self.dy)

    def load_state_dict(self, given: Tensors) -> None:
        self.module.load_state_dict(given)
        self.params = self.module.params


class PlainTwin(torch.nn.Module):
    """The same with torch.nn.Embedding."""

    dy: torch.Tensor

    def __init__(self, config: ModelConfig, dtype: torch.dtype):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.empty(config.vocabulary, config.input_size, dtype=dtype))
        self.register_buffer("dy", torch.from_numpy(upstream(config)).to(dtype), persistent=False)

    def loss(self, batch) -> torch.Tensor:
        y = torch.nn.functional.embedding(torch.from_numpy(batch.tokens).to(self.weight.device), self.weight)
        return (y * self.dy).sum()


@lru_cache(maxsize=2)
def upstream(config: ModelConfig) -> np.ndarray:
    """(T, B, E) in float64, rounded to float32"""
    drawn = np.random.default_rng(2).standard_normal((config.T, config.B, config.input_size), np.float32)
    return drawn.astype(np.float64)


def in_numpy(config: ModelConfig, dtype: Any, engine: str = "definition") -> Any:
    """A model of ``reference``."""
    if config.model == "embedding":
        return Plain(config, dtype)
    args, options = MODELS[config.model](config)
    return class_of("reference", config.model)(
        *args, cell=config.cell, dtype=dtype, rng=np.random.default_rng(0), engine=engine, **options
    )


def in_torch(config: ModelConfig, way: str) -> Any:
    """A model of ``torch_impl``."""
    dtype = PRECISIONS[config.dtype].dtype
    if config.model == "embedding":
        return PlainTwin(config, getattr(torch, dtype))
    args, options = MODELS[config.model](config)
    return class_of("torch_impl", config.model)(
        *args, cell=config.cell, dtype=dtype, rng=np.random.default_rng(0), way=way, **options
    )


def class_of(package: str, model: str) -> Any:
    """The class of a model, or of what an application trains: LanguageModel in models/language_model.py."""
    room = APPLICATIONS[model].model if model in APPLICATIONS else model
    name = "".join(part.capitalize() for part in room.split("_"))
    return getattr(importlib.import_module(f"{package}.models.{room}"), name)


@lru_cache(maxsize=4)
def parameters(config: ModelConfig, dtype: str) -> Tensors:
    """The parameters that everybody has, rounded to a dtype."""
    return {k: v.astype(dtype) for k, v in in_numpy(config, np.float64).params.items()}


class Model:
    """One implementation of one model, ready to be called.

    Raises
    ------
    DeclinedError
        It has no such model.
    """

    compiles = False

    def __init__(self, implementation: Implementation, config: ModelConfig, phase: str = "train"):
        self.name, self.config, self.phase, self.device = implementation.name, config, phase, config.device
        reason = config.reason_to_decline(implementation)
        if reason:
            raise DeclinedError(reason)
        self.batch, self.sync = batch_of(config), device_sync(config.device)
        self.application = APPLICATIONS.get(config.model)
        self.trains, self.is_numpy = self.application is not None, self.name in NUMPY
        self.context: Callable[[], Any] = native if self.name == "torch.native" else nullcontext
        if self.is_numpy:
            self.model = in_numpy(config, config.dtype, "fast" if self.name == "numpy.fast" else "definition")
        else:
            way = self.name.removeprefix("torch.")
            self.model = in_torch(config, way if way in WAYS else "library").to(config.device)
            self.named = dict(self.model.named_parameters())
        self.load(parameters(config, PRECISIONS[config.dtype].dtype))

    def load(self, values: Tensors) -> None:
        """Start anew: from these parameters, with no state carried over, and an optimiser that knows of no step yet."""
        ready = values if self.is_numpy else {k: torch.from_numpy(v.copy()) for k, v in values.items()}
        self.model.load_state_dict(ready)
        if hasattr(self.model, "load_carried_state"):
            self.model.load_carried_state({})
        step = numpy_step if self.is_numpy else torch_step
        self.step = step(self.application, self.model) if self.application else None

    def call(self) -> tuple[Any, Any]:
        """Loss, gradients of all parameters in their order; of an application the whole training step."""
        with self.context():
            if self.step:
                return self.step(self.batch)
            loss = self.model.loss(self.batch)
            if not self.is_numpy:
                return loss, torch.autograd.grad(loss, list(self.named.values()))
        self.model.backward()
        return loss, self.model.grads

    def tensors(self, problem: "ModelProblem", inputs: Tensors) -> Tensors:
        """The loss, and "d" + name for each parameter's gradient; of an application also each parameter after the step."""
        self.load(inputs)
        loss, grads = self.call()
        if self.is_numpy:
            return tensors_of(loss, grads, self.model, self.config)
        tensors = {"loss": loss, **{f"d{k}": v for k, v in zip(self.named, grads, strict=True)}}
        tensors |= self.named if self.step else {}
        return {k: v.detach().cpu().numpy() for k, v in tensors.items()}


def tensors_of(loss: Any, grads: Tensors, model: Any, config: ModelConfig) -> Tensors:
    """What a model of ``reference`` is judged by."""
    tensors = {"loss": np.asarray(loss), **{f"d{k}": v for k, v in grads.items()}}
    return tensors | (model.params if config.model in APPLICATIONS else {})


@dataclass(frozen=True)
class ModelProblem:
    """The loss of a model's batch and every gradient; the inputs are its parameters."""

    BASELINES: ClassVar = 3

    config: ModelConfig
    exact: Any = np.float64

    @property
    def label(self) -> str:
        return self.config.name

    @property
    def dtype(self) -> str:
        return self.config.dtype

    def inputs(self) -> Tensors:
        return parameters(self.config, self.dtype)

    def oracle(self, inputs: Tensors) -> Tensors:
        return defined(self.config, inputs, self.exact)

    def baselines(self, inputs: Tensors) -> Iterator[Tensors]:
        rng, eps = np.random.default_rng(0), PRECISIONS[self.dtype].eps
        moved = [
            {k: (v * (1 + eps * rng.choice([-1, 1], v.shape))).astype(v.dtype) for k, v in inputs.items()}
            for _ in range(self.BASELINES - 1)
        ]
        for params in (inputs, *moved):
            yield defined(self.config, params, self.dtype)


def defined(config: ModelConfig, params: Tensors, dtype: Any) -> Tensors:
    """The loss and every gradient by the definition in a dtype."""
    model = in_numpy(config, dtype)
    model.load_state_dict({k: v.astype(dtype) for k, v in params.items()})
    if config.model in APPLICATIONS:
        return tensors_of(*numpy_step(APPLICATIONS[config.model], model)(batch_of(config)), model, config)
    loss = model.loss(batch_of(config))
    model.backward()
    return tensors_of(loss, model.grads, model, config)


@lru_cache(maxsize=64)
def counted(config: ModelConfig) -> int:
    """Floating-point operations of the matrix products of a training step."""
    model = in_torch(config, "hoisted")
    model.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in parameters(config, "float32").items()})
    with FlopCounterMode(display=False) as counter:
        torch.autograd.grad(model.loss(batch_of(config)), list(model.parameters()))
    return int(counter.get_total_flops())


def model(name: str, T: int, B: int, E: int, H: int, V: int, cell: str = "lstm", **options: Any) -> ModelConfig:
    """A configuration in few words."""
    return ModelConfig(cell, T, B, E, H, model=name, vocabulary=V, **options)
