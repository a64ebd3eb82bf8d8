"""The doors of ``torch_impl``: a right call of each; where the door is torch's own, its arguments are torch's affair."""

from functools import partial
from typing import Any

import torch

import torch_impl
from torch_impl.cells import rnn
from torch_impl.common import precision, sampling
from torch_impl.gradients import checkpointed_bptt, truncated_bptt
from torch_impl.parts.attention import Attention
from torch_impl.training import init, loop, optim

from .small import BATCHES, FILES, SIZES, Rows, call, each, kind, named, on, ones, rng

PACKAGE = "torch_impl"


def tensors() -> dict[str, Any]:
    return {name: torch.from_numpy(v.copy()) for name, v in named().items()}


def adam() -> Any:
    made = optim.Adam(tensors())
    made.step(tensors())
    return made


def says(tokens: Any, state: Any) -> tuple[Any, Any]:
    """A step of decoding that ends soon"""
    return torch.tensor([0.1, 0.2, 0.3, 0.0]).tile(len(tokens), 1), state


def trained(name: str) -> dict[str, Any]:
    model = on(name, PACKAGE)
    return {"model": model, "optimizer": optim.Adam(model), "batches": lambda epoch: [BATCHES[name]], "epochs": 1,
            "save_every": None, "steps": 1, "patience": None}  # fmt: skip


def over_way(**more: Any) -> dict[str, Any]:
    p = rnn.Params(*(torch.from_numpy(ones(*shape)) for shape in ((4, 3), (4, 4), (4,), (4,))))
    return {"way": rnn.hoisted, "p": p, "x": torch.ones(5, 2, 3), "s": rnn.State(torch.ones(2, 4)), **more}


RIGHT: Rows = {
    **each(("RNN", "LSTM"), lambda n: f"cells.layers.{n}",
           lambda n: call(getattr(torch_impl, n), input_size=3, hidden_size=4, num_layers=1, bidirectional=False, way="hoisted")),
    "cells.layers.GRU": lambda: call(torch_impl.GRU, input_size=3, hidden_size=4, num_layers=1, bidirectional=False, way="loop"),
    "common.precision.allow_tf32": lambda: call(precision.allow_tf32, allowed=False),
    "common.sampling.greedy": lambda: call(sampling.greedy, logits=torch.ones(2, 4)),
    "common.sampling.sample": lambda: call(sampling.sample, logits=torch.ones(2, 4), rng=rng()),
    "common.sampling.beam_search": lambda: call(
        sampling.beam_search, step=says, select=lambda s, rows: s[rows], state=torch.ones(3, 2), start=0, end=2, width=2,
        max_length=4),
    "parts.attention.Attention": lambda: call(Attention, query_size=3, memory_size=4, rng=rng()),
    "gradients.truncated_bptt.forward": lambda: call(truncated_bptt.forward, **over_way(window=2)),
    "gradients.checkpointed_bptt.forward": lambda: call(checkpointed_bptt.forward, **over_way(segment=2)),
    "training.init.initialise": lambda: call(
        init.initialise, module=torch_impl.LSTM(3, 4), scheme="orthogonal", rng=rng(), recurrent="identity", forget_bias=1.0),
    "training.loop.train": lambda: call(loop.train, **trained("Tagger")),
    "training.loop.evaluate": lambda: call(loop.evaluate, model=on("Tagger", PACKAGE), batches=[BATCHES["Tagger"]]),
    **each(optim.OPTIMIZERS, lambda n: f"training.optim.{n}", lambda n: call(optim.OPTIMIZERS[n], params=tensors())),
    "training.optim.Optimizer.step": lambda: call(adam().step, grads=tensors()),
    "training.optim.Optimizer.lr": lambda: call(partial(optim.Optimizer.lr.fset, adam()), value=0.1),  # type: ignore[attr-defined]
    "training.optim.Optimizer.load_state_dict": lambda: call(adam().load_state_dict, state_dict=adam().state_dict()),
    **each(SIZES, lambda n: f"models.{FILES[n]}.{n}", lambda n: call(kind(n, PACKAGE), **SIZES[n], hidden_size=4)),
    **each(("Classifier", "Generator", "Tagger", "Seq2seq"), lambda n: f"models.{FILES[n]}.{n}.logits",
           lambda n: call(on(n, PACKAGE).logits, batch=BATCHES[n])),
    **each(("Classifier", "Tagger"), lambda n: f"models.{FILES[n]}.{n}.predict",
           lambda n: call(on(n, PACKAGE).predict, batch=BATCHES[n])),
    **each(("Seq2seq", "LanguageModel", "Forecaster"), lambda n: f"models.{FILES[n]}.{n}.loss",
           lambda n: call(on(n, PACKAGE).loss, batch=BATCHES[n])),
    "models.generator.Generator.generate": lambda: call(
        on("Generator", PACKAGE).generate, condition=BATCHES["Generator"].condition, max_length=4),
    "models.language_model.LanguageModel.window": lambda: call(on("LanguageModel", PACKAGE).window, batch=BATCHES["LanguageModel"]),
    "models.language_model.LanguageModel.logits": lambda: call(
        on("LanguageModel", PACKAGE).logits, tokens=BATCHES["LanguageModel"].tokens),
    "models.language_model.LanguageModel.load_carried_state": lambda: call(
        on("LanguageModel", PACKAGE).load_carried_state, carried={"h": ones(1, 2, 4), "c": ones(1, 2, 4)}),
    "models.seq2seq.Seq2seq.weights": lambda: call(on("Seq2seq", PACKAGE).weights, batch=BATCHES["Seq2seq"]),
    "models.seq2seq.Seq2seq.decode": lambda: call(on("Seq2seq", PACKAGE).decode, source=BATCHES["Seq2seq"].source, max_length=4),
    "models.forecaster.Forecaster.ahead": lambda: call(
        on("Forecaster", PACKAGE, known=1).ahead, past=ones(4, 2, 3), known=ones(2, 2, 1)),
    "models.forecaster.Forecaster.forecast": lambda: call(on("Forecaster", PACKAGE, mode="encdec").forecast, past=ones(4, 2, 3)),
    "models.forecaster.Forecaster.forced": lambda: call(
        on("Forecaster", PACKAGE, mode="recursive").forced, batch=BATCHES["Forecaster"]),
}  # fmt: skip
