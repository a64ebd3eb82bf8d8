"""Cases and faults of reference/models/language_model.py: one window from a given state, and two windows with the state carried."""

from functools import partial
from typing import Any

import numpy as np
import torch

import torch_impl.models.language_model
from reference.common.batches import Window
from reference.models.language_model import Masks

from ..helpers import draw
from ..mutation.catalogue import Fault
from ..rooms import RoomCase

V, E, H, T, B = 5, 3, 4, 3, 2
STATES = {"rnn": "h", "lstm": "hc", "gru": "h"}


def case(name: str, cell: str, layers: int = 1, tied: bool = False, dropout: float = 0.0, carried: bool = False) -> RoomCase:
    width = H if tied else E
    rng = np.random.default_rng(len(name))
    options: dict[str, Any] = {"cell": cell, "tied": tied, "dropout": dropout}
    ids = [rng.integers(0, V, (T, B)) for _ in range(4)]
    masks = (
        Masks(
            rng.random((T, B, width)) < 0.6, [rng.random((T * B, H)) < 0.6 for _ in range(layers - 1)], rng.random((T, B, H)) < 0.6
        )
        if dropout
        else None
    )
    first, second = Window(ids[0], ids[1], masks=masks), Window(ids[2], ids[3], masks=masks)
    names = list(torch_impl.models.language_model.LanguageModel(V, width, H, layers, **options).state_dict())
    letters = STATES[cell]

    def run(package, d):
        dtype = d["embedding.weight"].dtype
        model = package.language_model.LanguageModel(V, width, H, layers, dtype=dtype, engine="definition", **options)
        model.load_state_dict({k: d[k] for k in names})
        if carried:
            model.load_carried_state({k: d[f"{k}_0"] for k in letters})
            model.loss(first)
            loss, pullback = model.vjp(second)
            return {"loss": np.asarray(loss)} | {f"d{k}": v for k, v in pullback(d["dloss"]).items()}
        state, dstate = (
            package.models.recurrent.as_state([d[k.format(s)].astype(dtype) for s in letters]) for k in ("{}_0", "d{}_n")
        )
        loss, state_n, pullback = model.window(first, state)
        grads, dstate_0 = pullback(d["dloss"], dstate)
        return (
            {"loss": np.asarray(loss)}
            | {f"d{k}": v for k, v in grads.items()}
            | {f"{k}_n": v for k, v in zip(letters, package.models.recurrent.fields(state_n), strict=True)}
            | {f"d{k}_0": v for k, v in zip(letters, package.models.recurrent.fields(dstate_0), strict=True)}
        )

    def twin(d):
        model = torch_impl.models.language_model.LanguageModel(V, width, H, layers, dtype=d["dloss"].dtype, **options)
        state = tuple(d[f"{k}_0"] for k in letters)
        state = state if len(state) > 1 else state[0]

        class Both(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = model

            def forward(self):
                if not carried:
                    return self.model.window(first, state)
                self.model.carried = state
                self.model.loss(first)
                return self.model.loss(second), ()

        weights = {f"model.{k}": d[k] for k in names}
        loss, state_n = torch.func.functional_call(Both(), weights, ())
        state_n = state_n if isinstance(state_n, tuple) else (state_n,)
        return {"loss": loss} | {f"{k}_n": v for k, v in zip(letters, state_n, strict=False)}

    shapes = {
        k: tuple(v.shape)
        for k, v in torch_impl.models.language_model.LanguageModel(V, width, H, layers, **options).state_dict().items()
    }
    inputs = {k: 0.7 * draw(n, *shape) for n, (k, shape) in enumerate(shapes.items())}
    inputs |= {f"{k}_0": draw(50 + n, layers, B, H) for n, k in enumerate(letters)}
    inputs |= {"dloss": draw(60)}
    inputs |= {} if carried else {f"d{k}_n": draw(70 + n, layers, B, H) for n, k in enumerate(letters)}
    return RoomCase(
        "language_model",
        name,
        inputs,
        run,
        twin,
        fixed=tuple(f"{k}_0" for k in letters) if carried else (),
        holomorphic=not carried,
    )


CASES = [
    case("rnn", "rnn"),
    case("lstm", "lstm"),
    case("gru-tied", "gru", tied=True),
    case("lstm-two-layers-dropout", "lstm", 2, dropout=0.4),
    case("lstm-tied-dropout", "lstm", tied=True, dropout=0.4),
    case("lstm-carried", "lstm", carried=True),
    case("gru-carried", "gru", 2, carried=True),
]

fault = partial(Fault, "models/language_model")
# fmt: off
FAULTS = [
    fault("state not carried to the next window", "LanguageModel.window", "None if batch.first else state", "None",
          source="tensorflow #38248: a decoder dropped its state"),
    fault("state carried is that before the window", "LanguageModel.loss", "loss, self.carried, pullback", "loss, _, pullback"),
    fault("gradient of a later window left out", "LanguageModel.window.pullback", "pull_y(dy, dstate_n)", "pull_y(dy)",
          source="pytorch #49236: detaching too much"),
    fault("tied matrix has the gradient of the output only", "LanguageModel.window.pullback", 'pull_x(dx)["weight"] + sum(dW)',
          "sum(dW)"),
    fault("tied matrix has the gradient of the input only", "LanguageModel.window.pullback", 'pull_x(dx)["weight"] + sum(dW)',
          'pull_x(dx)["weight"]'),
    fault("output mask missing in the backward", "LanguageModel.window.pullback", "dy = dropout.backward(dy, kept_y)", "pass"),
    fault("input mask missing in the backward", "LanguageModel.window.pullback", "dx = dropout.backward(dx, kept_x)", "pass"),
    fault("output not dropped", "LanguageModel.window", "y, kept_y", "_, kept_y"),
    fault("masks between layers ignored", "LanguageModel.window", "(masks and masks.between) or None",
          "(masks and [m | True for m in masks.between]) or None"),
    fault("targets are the tokens", "LanguageModel.window", "batch.targets", "batch.tokens",
          source="a language model that predicts what it reads"),
]
