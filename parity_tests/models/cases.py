"""Whole models on both sides: the loss of a batch and its gradient with respect to every parameter, as cases and for the tests."""

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch.func import functional_call

import reference
import torch_impl

from ..helpers import Tensors, array, draw
from ..rooms import RoomCase

CELLS = ("rnn", "lstm", "gru")
LENGTHS = (4, 2, 6, 4, 1)  # unsorted, with a tie, and one step alone


def sequences(seed: int, low: int, high: int, lengths: Sequence[int] = LENGTHS) -> list[np.ndarray]:
    """Tokens from low to below high, a sequence for each length."""
    rng = np.random.default_rng(seed)
    return [rng.integers(low, high, n) for n in lengths]


def build(package: ModuleType, room: str, *args: int, seed: int = 0, **kwargs: Any) -> Any:
    """The model of a room in ``reference``, a broken copy of it, or ``torch_impl``."""
    module = importlib.import_module(f"{package.__name__}.models.{room}")
    return getattr(module, room.capitalize())(*args, rng=np.random.default_rng(seed), **kwargs)


def pair(room: str, *args: int, dtype: str = "float64", engine: str = "definition", **kwargs: Any) -> tuple[Any, Any]:
    """The model of this room in NumPy and in PyTorch, from generators of one seed."""
    ours = build(reference, room, *args, dtype=dtype, engine=engine, **kwargs)
    return ours, build(torch_impl, room, *args, dtype=dtype, **kwargs)


def gradients(model: Any, batch: Any) -> Tensors:
    """The loss of a batch and its gradient with respect to every parameter, of a model of either side."""
    loss = model.loss(batch)
    if isinstance(loss, torch.Tensor):
        model.zero_grad()
        loss.backward()
        return {"loss": array(loss)} | {k: array(p.grad) for k, p in model.named_parameters()}
    model.backward()
    return {"loss": np.asarray(loss)} | model.grads


def model_case(
    room: str,
    batch: Any,
    sizes: tuple[int, ...],
    name: str,
    layers: int = 1,
    *,
    ratio: float | None = None,
    holomorphic: bool = False,
    **kwargs: Any,
) -> RoomCase:
    """``sizes``, ``layers`` and ``kwargs`` are those of the model's constructor, ``ratio`` is that of teacher forcing.

    Weights are random, biases too.  The complex step is a run for each of their numbers, so few cases are ``holomorphic``.
    """

    def settled(package, **options):
        model = build(package, room, *sizes, layers, seed=7, **options, **kwargs)
        if ratio is not None:
            model.teacher_forcing = ratio
        return model

    def run(package, d):
        model = settled(package, dtype=d["head.weight"].dtype, engine="definition")
        model.load_state_dict({k: d[k] for k in weights})
        loss, pullback = model.vjp(batch)
        return {"loss": np.asarray(loss)} | {f"d{k}": g for k, g in pullback(d["dloss"]).items()}

    def twin(d):
        model = settled(torch_impl, dtype=d["head.weight"].dtype, way="hoisted")
        return {"loss": functional_call(model, {k: d[k] for k in weights}, (batch,))}

    weights = {k: 0.6 * draw(seed, *v.shape) for seed, (k, v) in enumerate(settled(reference).params.items())}
    return RoomCase(room, name, weights | {"dloss": np.array(0.7)}, run, twin, holomorphic=holomorphic)
