"""Cases and faults of reference/models/language_model.py: one window from a given state, and two windows with the state carried."""

from typing import Any

import numpy as np
import torch

from reference.common.batches import Window
from reference.models.language_model import Masks
from torch_impl.models.language_model import LanguageModel

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
    masks = None
    if dropout:
        kept = [rng.random(shape) < 0.6 for shape in ((T, B, width), *((T * B, H),) * (layers - 1), (T, B, H))]
        masks = Masks(kept[0], kept[1:-1], kept[-1])
    first, second = Window(ids[0], ids[1], masks=masks), Window(ids[2], ids[3], masks=masks)
    letters, sizes = STATES[cell], (V, width, H, layers)
    shapes = {k: tuple(v.shape) for k, v in LanguageModel(*sizes, **options).state_dict().items()}

    def run(package, d):
        dtype, recurrent = d["embedding.weight"].dtype, package.models.recurrent
        model = package.language_model.LanguageModel(*sizes, dtype=dtype, engine="definition", **options)
        model.load_state_dict({k: d[k] for k in shapes})
        if carried:
            model.load_carried_state({k: d[f"{k}_0"] for k in letters})
            model.loss(first)
            loss, pullback = model.vjp(second)
            return {"loss": np.asarray(loss)} | {f"d{k}": v for k, v in pullback(d["dloss"]).items()}
        state, dstate = (recurrent.as_state([d[k.format(s)].astype(dtype) for s in letters]) for k in ("{}_0", "d{}_n"))
        loss, state_n, pullback = model.window(first, state)
        grads, dstate_0 = pullback(d["dloss"], dstate)
        results = {"loss": np.asarray(loss)} | {f"d{k}": v for k, v in grads.items()}
        results |= {f"{k}_n": v for k, v in zip(letters, recurrent.fields(state_n), strict=True)}
        return results | {f"d{k}_0": v for k, v in zip(letters, recurrent.fields(dstate_0), strict=True)}

    def twin(d):
        model = LanguageModel(*sizes, dtype=d["dloss"].dtype, **options)
        state = tuple(d[f"{k}_0"] for k in letters)
        state = state if len(state) > 1 else state[0]

        class TwoWindows(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = model

            def forward(self):
                if not carried:
                    return model.window(first, state)
                model.carried = state
                model.loss(first)
                return model.loss(second), ()

        loss, state_n = torch.func.functional_call(TwoWindows(), {f"model.{k}": d[k] for k in shapes}, ())
        state_n = state_n if isinstance(state_n, tuple) else (state_n,)
        return {"loss": loss} | {f"{k}_n": v for k, v in zip(letters, state_n, strict=False)}

    inputs = {k: 0.7 * draw(n, *shape) for n, (k, shape) in enumerate(shapes.items())}
    inputs |= {f"{k}_0": draw(50 + n, layers, B, H) for n, k in enumerate(letters)}
    inputs |= {"dloss": draw(60)}
    inputs |= {} if carried else {f"d{k}_n": draw(70 + n, layers, B, H) for n, k in enumerate(letters)}
    fixed = tuple(f"{k}_0" for k in letters) if carried else ()
    return RoomCase("language_model", name, inputs, run, twin, fixed=fixed, holomorphic=not carried)


CASES = [
    case("rnn", "rnn"),
    case("lstm", "lstm"),
    case("gru-tied", "gru", tied=True),
    case("lstm-two-layers-dropout", "lstm", 2, dropout=0.4),
    case("lstm-tied-dropout", "lstm", tied=True, dropout=0.4),
    case("lstm-carried", "lstm", carried=True),
    case("gru-carried", "gru", 2, carried=True),
]

# fmt: off
FAULTS = [
    Fault("state not carried to the next window", "LanguageModel.window", "None if batch.first else state", "None",
          source="tensorflow #38248: a decoder dropped its state"),
    Fault("state carried is that before the window", "LanguageModel.loss", "loss, self.carried, pullback", "loss, _, pullback"),
    Fault("gradient of a later window left out", "LanguageModel.window.pullback", "pull_y(dy, dstate_n)", "pull_y(dy)",
          source="pytorch #49236: detaching too much"),
    Fault("tied matrix has the gradient of the output only", "LanguageModel.window.pullback", 'pull_x(dx)["weight"] + sum(dW)',
          "sum(dW)"),
    Fault("tied matrix has the gradient of the input only", "LanguageModel.window.pullback", 'pull_x(dx)["weight"] + sum(dW)',
          'pull_x(dx)["weight"]'),
    Fault("output mask missing in the backward", "LanguageModel.window.pullback", "dy = dropout.backward(dy, kept_y)", "pass"),
    Fault("input mask missing in the backward", "LanguageModel.window.pullback", "dx = dropout.backward(dx, kept_x)", "pass"),
    Fault("output not dropped", "LanguageModel.window", "y, kept_y", "_, kept_y"),
    Fault("masks between layers ignored", "LanguageModel.window", "masks.between", "[m | True for m in masks.between]"),
    Fault("targets are the tokens", "LanguageModel.window", "tokens, targets = window_of(batch)",
          "tokens = targets = window_of(batch)[0]",
          source="a language model that predicts what it reads"),
]
