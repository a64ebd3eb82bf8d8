"""Cases of whole models: the loss of a batch and its gradient in every parameter, as cases of a room."""

import importlib
from typing import Any

import numpy as np
from torch.func import functional_call

import reference

from ..helpers import draw
from ..rooms import RoomCase


def model_case(
    room: str, name: str, batch: Any, *args: int, holomorphic: bool = False, teacher_forcing: float | None = None, **kwargs: Any
) -> RoomCase:
    """``args`` and ``kwargs`` are those of the model's constructor; weights are random, biases too.

    The complex step costs a run for each number among the parameters, so few cases are ``holomorphic``.
    """
    kind = room.capitalize()

    def settle(model):
        if teacher_forcing is not None:
            model.teacher_forcing = teacher_forcing
        return model

    def run(package, d):
        weights = {k: v for k, v in d.items() if k != "dloss"}
        model = settle(
            getattr(getattr(package, room), kind)(
                *args, dtype=d["head.weight"].dtype, rng=np.random.default_rng(7), engine="definition", **kwargs
            )
        )
        model.load_state_dict(weights)
        loss, pullback = model.vjp(batch)
        return {"loss": np.asarray(loss)} | {f"d{k}": g for k, g in pullback(d["dloss"]).items()}

    def twin(d):
        weights = {k: v for k, v in d.items() if k != "dloss"}
        dtype = str(d["head.weight"].dtype).removeprefix("torch.")
        model = settle(
            getattr(importlib.import_module(f"torch_impl.models.{room}"), kind)(
                *args, dtype=dtype, rng=np.random.default_rng(7), way="hoisted", **kwargs
            )
        )
        return {"loss": functional_call(model, weights, (batch,))}

    shapes = {k: v.shape for k, v in getattr(getattr(reference, room), kind)(*args, **kwargs).params.items()}
    weights = {k: 0.6 * draw(seed, *shape) for seed, (k, shape) in enumerate(shapes.items())}
    return RoomCase(room, name, weights | {"dloss": np.array(0.7)}, run, twin, holomorphic=holomorphic)
