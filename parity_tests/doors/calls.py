"""The doors of ``reference``: a right call of each.  Those that are bare: bare.py."""

from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

import reference
from reference import convert
from reference.common import batches, module, packing, sampling, schedules, teacher_forcing, vocabulary
from reference.gradients import checkpointed_bptt, truncated_bptt
from reference.parts import attention, dropout, losses
from reference.training import clip, init, loop, optim

from .small import (
    BATCHES,
    ELMAN,
    FILES,
    LENGTHS,
    PADDED,
    RUNNING,
    SIZES,
    STACK,
    WORDS,
    Rows,
    call,
    each,
    kind,
    layer,
    named,
    on,
    ones,
    packed,
    ran,
    rng,
)


def adam() -> Any:
    made = optim.Adam(named())
    made.step(named())
    return made


def listed(function: Callable[..., Any]) -> Callable[..., Any]:
    """A generator is asked for what it gives."""
    return lambda **given: list(islice(function(**given), 9))


def at_3(schedule: Callable[..., Any]) -> Callable[..., Any]:
    return lambda **given: schedule(**given)(3)


def over_room(**more: Any) -> dict[str, Any]:
    p = reference.lstm.Params(ones(16, 3), ones(16, 4), ones(16), ones(16))
    return {"room": reference.lstm, "p": p, "x": ones(5, 2, 3), "s": reference.lstm.State(ones(2, 4), ones(2, 4)), **more}


def truncated() -> dict[str, Any]:
    y, s_n, cache = truncated_bptt.forward(**over_room(window=2))
    return {"dy": y, "ds_n": s_n, "k": cache, "reach": 2}


def trained(name: str) -> dict[str, Any]:
    model = on(name)
    return {"model": model, "optimizer": optim.Adam(model), "batches": lambda epoch: [BATCHES[name]], "epochs": 1,
            "save_every": None, "steps": 1, "patience": None}  # fmt: skip


RIGHT: Rows = {
    "cells.layers.RNN": lambda: call(reference.RNN, input_size=3, hidden_size=4, rng=rng()),
    "cells.layers.LSTM": lambda: call(reference.LSTM, input_size=3, hidden_size=4, rng=rng()),
    "cells.layers.GRU": lambda: call(reference.GRU, input_size=3, hidden_size=4, rng=rng()),
    "cells.layers.Layer.__call__": lambda: call(
        layer(num_layers=2, dropout=0.5), x=ones(3, 2, 3), state=(ones(2, 2, 4), ones(2, 2, 4)), masks=[np.ones((6, 4), bool)]),
    "cells.layers.Layer.vjp": lambda: call(layer(bidirectional=True).vjp, x=packed(3), state=(ones(2, 2, 4), ones(2, 2, 4))),
    "cells.layers.Layer.infer": lambda: call(layer(engine="fast").infer, x=ones(3, 2, 3), state=(ones(1, 2, 4), ones(1, 2, 4))),
    "cells.layers.Layer.backward": lambda: call(
        ran(layer(), ones(3, 2, 3)).backward, dy=ones(3, 2, 4), dstate_n=(ones(1, 2, 4), ones(1, 2, 4))),
    "cells.single_step.RNNCell": lambda: call(reference.RNNCell, input_size=3, hidden_size=4, rng=rng()),
    "cells.single_step.LSTMCell": lambda: call(reference.LSTMCell, input_size=3, hidden_size=4, rng=rng()),
    "cells.single_step.GRUCell": lambda: call(reference.GRUCell, input_size=3, hidden_size=4, rng=rng()),
    "cells.single_step.Cell.__call__": lambda: call(reference.LSTMCell(3, 4), x=ones(2, 3), state=(ones(2, 4), ones(2, 4))),
    "cells.single_step.Cell.vjp": lambda: call(reference.GRUCell(3, 4).vjp, x=ones(2, 3), state=ones(2, 4)),
    "cells.single_step.Cell.backward": lambda: call(ran(reference.GRUCell(3, 4), ones(2, 3)).backward, dstate=ones(2, 4)),
    "common.batches.labelled": lambda: call(batches.labelled, sequences=WORDS, classes=[0, 1]),
    "common.batches.conditioned": lambda: call(batches.conditioned, conditions=[[0, 1], [1, 2]], sequences=WORDS, bos=1, eos=2),
    "common.batches.tagged": lambda: call(batches.tagged, sequences=WORDS, tags=WORDS),
    "common.batches.translated": lambda: call(batches.translated, sources=WORDS, targets=WORDS, bos=1, eos=2),
    "common.batches.shuffled": lambda: call(listed(batches.shuffled), lengths=[3, 2, 5], size=2, rng=rng(), pool=2),
    "common.batches.in_order": lambda: call(listed(batches.in_order), count=5, size=2),
    "common.batches.windows": lambda: call(batches.windows, tokens=np.arange(20), size=2, steps=3),
    "common.batches.count": lambda: call(batches.count, batch=BATCHES["Tagger"]),
    "common.batches.sequences": lambda: call(batches.sequences, batch=BATCHES["Tagger"]),
    "common.batches.share": lambda: call(batches.share, batch=BATCHES["Seq2seq"], rank=0, world=2),
    "common.batches.select": lambda: call(batches.select, batch=BATCHES["Generator"], which=[1]),
    "common.module.Module": lambda: call(module.Module, dtype=np.float32, rng=rng()),
    "common.module.Module.train": lambda: call(layer().train, mode=True),
    "common.module.Composite.train": lambda: call(on("Tagger").train, mode=True),
    "common.module.Module.load_state_dict": lambda: call(layer().load_state_dict, state_dict=layer().state_dict()),
    "common.packing.padding_mask": lambda: call(packing.padding_mask, lengths=LENGTHS, T=3),
    "common.packing.pack_padded_sequence": lambda: call(packing.pack_padded_sequence, input=PADDED, lengths=LENGTHS),
    "common.packing.pad_packed_sequence": lambda: call(packing.pad_packed_sequence, sequence=packed(3)),
    "common.packing.pad_sequence": lambda: call(packing.pad_sequence, sequences=[ones(2, 3), ones(3, 3)]),
    "common.packing.unpad_sequence": lambda: call(packing.unpad_sequence, padded_sequences=PADDED, lengths=LENGTHS),
    "common.packing.pack_sequence": lambda: call(packing.pack_sequence, sequences=[ones(3, 3), ones(2, 3)]),
    "common.packing.pack_padded_sequence_backward": lambda: call(
        packing.pack_padded_sequence_backward, dpacked=packed(3), total_length=3),
    "common.packing.pad_packed_sequence_backward": lambda: call(
        packing.pad_packed_sequence_backward, dpadded=PADDED, sequence=packed(3)),
    "common.packing.pad_sequence_backward": lambda: call(packing.pad_sequence_backward, dpadded=PADDED, lengths=LENGTHS),
    "common.packing.unpad_sequence_backward": lambda: call(
        packing.unpad_sequence_backward, dsequences=[ones(3, 3), ones(2, 3)], total_length=3),
    "common.packing.pack_sequence_backward": lambda: call(packing.pack_sequence_backward, dpacked=packed(3)),
    "common.sampling.greedy": lambda: call(sampling.greedy, logits=ones(2, 4)),
    "common.sampling.sample": lambda: call(sampling.sample, logits=ones(2, 4), rng=rng()),
    "common.sampling.log_probabilities": lambda: call(sampling.log_probabilities, logits=ones(2, 4)),
    "common.sampling.beam_search": lambda: call(sampling.beam_search, **RUNNING, select=lambda s, rows: s[rows], width=2),
    "common.sampling.beam_run": lambda: call(sampling.beam_run, **RUNNING, select=lambda s, rows: s[rows], width=2, count=1),
    "common.sampling.free_run": lambda: call(sampling.free_run, **RUNNING, choose=sampling.greedy, count=1),
    "common.schedules.constant": lambda: call(at_3(schedules.constant), lr=0.1),
    "common.schedules.step": lambda: call(at_3(schedules.step), lr=0.1, step_size=2),
    "common.schedules.cosine": lambda: call(at_3(schedules.cosine), lr=0.1, T_max=2),
    "common.schedules.warmup": lambda: call(at_3(schedules.warmup), lr=0.1, total_iters=2),
    "common.schedules.sequential": lambda: call(
        at_3(schedules.sequential), schedules=[schedules.constant(1.0), schedules.constant(2.0)], milestones=[2]),
    "common.teacher_forcing.coins": lambda: call(teacher_forcing.coins, rng=rng(), ratio=0.5, T=3, B=2),
    "common.teacher_forcing.linear": lambda: call(teacher_forcing.linear, step=3, steps=10),
    "common.teacher_forcing.exponential": lambda: call(teacher_forcing.exponential, step=3, k=0.9),
    "common.teacher_forcing.inverse_sigmoid": lambda: call(teacher_forcing.inverse_sigmoid, step=3, k=2.0),
    "common.vocabulary.Vocabulary": lambda: call(vocabulary.Vocabulary, symbols=["a", "b"]),
    "common.vocabulary.Vocabulary.of": lambda: call(vocabulary.Vocabulary.of, sequences=["ab", "ba"]),
    "common.vocabulary.Vocabulary.encode": lambda: call(vocabulary.Vocabulary("ab").encode, sequence="ab"),
    "common.vocabulary.Vocabulary.decode": lambda: call(vocabulary.Vocabulary("ab").decode, tokens=[3, 4]),
    "common.vocabulary.Vocabulary.require": lambda: call(vocabulary.Vocabulary("ab", special=False).require, symbols=["a", "b"]),
    "common.vocabulary.split": lambda: call(vocabulary.split, items=list(range(9)), seed=0),
    "parts.attention.forward": lambda: call(
        attention.forward, p=attention.Params(), q=ones(3, 2, 4), h=ones(5, 2, 4), mask=np.ones((5, 2), bool), kind="dot"),
    "parts.dropout.draw": lambda: call(dropout.draw, rng=rng(), shape=(2, 3), p=0.5),
    "parts.dropout.forward": lambda: call(dropout.forward, x=ones(2, 3), keep=np.ones((2, 3), bool), p=0.5),
    "parts.losses.cross_entropy_forward": lambda: call(
        losses.cross_entropy_forward, logits=ones(3, 4), targets=np.array([0, 3, 1]), weight=abs(ones(4))),
    "parts.losses.sequence_forward": lambda: call(
        losses.sequence_forward, logits=ones(3, 2, 4), targets=np.array([[0, 3], [1, 2], [2, 0]]), mask=np.ones((3, 2), bool)),
    **each(("mse", "l1", "huber", "bce"), lambda n: f"parts.losses.{n}_forward",
           lambda n: call(getattr(losses, f"{n}_forward"), x=ones(2, 3), y=abs(ones(2, 3)))),
    "parts.losses.quantile_forward": lambda: call(losses.quantile_forward, x=ones(2, 3), y=ones(2), quantiles=(0.1, 0.5, 0.9)),
    "parts.modules.Linear": lambda: call(reference.Linear, in_features=3, out_features=4, rng=rng()),
    "parts.modules.Linear.__call__": lambda: call(reference.Linear(3, 4), x=ones(2, 3)),
    "parts.modules.Linear.vjp": lambda: call(reference.Linear(3, 4).vjp, x=ones(2, 3)),
    "parts.modules.Linear.backward": lambda: call(ran(reference.Linear(3, 4), ones(2, 3)).backward, dy=ones(2, 4)),
    "parts.modules.Embedding": lambda: call(reference.Embedding, num_embeddings=5, embedding_dim=4, rng=rng()),
    "parts.modules.Embedding.__call__": lambda: call(reference.Embedding(5, 4), ids=np.array([0, 4])),
    "parts.modules.Embedding.vjp": lambda: call(reference.Embedding(5, 4).vjp, ids=np.array([0, 4])),
    "parts.modules.Embedding.backward": lambda: call(ran(reference.Embedding(5, 4), np.array([0, 4])).backward, dy=ones(2, 4)),
    "parts.modules.Attention": lambda: call(reference.Attention, query_size=3, memory_size=4, rng=rng()),
    "parts.modules.Attention.__call__": lambda: call(
        reference.Attention(3, 4), q=ones(5, 2, 3), h=ones(6, 2, 4), mask=np.ones((6, 2), bool)),
    "parts.modules.Attention.vjp": lambda: call(reference.Attention(4, 4, "dot").vjp, q=ones(2, 4), h=ones(6, 2, 4)),
    "parts.modules.Attention.backward": lambda: call(
        ran(reference.Attention(3, 4), ones(5, 2, 3), ones(6, 2, 4)).backward, dcontext=ones(5, 2, 4), dweights=ones(5, 2, 6)),
    "training.clip.global_norm": lambda: call(clip.global_norm, grads=named()),
    "training.clip.clip_grad_norm": lambda: call(clip.clip_grad_norm, grads=named(), max_norm=1.0),
    "training.clip.scale_to_norm": lambda: call(clip.scale_to_norm, grads=named(), max_norm=1.0, total=2.0),
    "training.clip.clip_grad_value": lambda: call(clip.clip_grad_value, grads=named(), clip_value=0.5),
    "training.init.gain": lambda: call(init.gain, nonlinearity="tanh"),
    "training.init.fans": lambda: call(init.fans, shape=(2, 3)),
    "training.init.xavier_std": lambda: call(init.xavier_std, shape=(2, 3)),
    "training.init.kaiming_std": lambda: call(init.kaiming_std, shape=(2, 3)),
    "training.init.orthogonalised": lambda: call(init.orthogonalised, sample=np.eye(2, 3)),
    **each(("uniform", "normal", *init.SCHEMES), lambda n: f"training.init.{n}",
           lambda n: call(getattr(init, n), rng=rng(), shape=(2, 3))),
    "training.init.per_gate": lambda: call(init.per_gate, scheme=init.orthogonal, rng=rng(), shape=(8, 3), gates=4),
    "training.init.initialise": lambda: call(
        init.initialise, target=layer(), scheme="orthogonal", rng=rng(), recurrent="identity", others="zeros", forget_bias=1.0),
    "training.loop.train": lambda: call(loop.train, **trained("Tagger")),
    "training.loop.evaluate": lambda: call(loop.evaluate, model=on("Tagger"), batches=[BATCHES["Tagger"]]),
    **each(optim.OPTIMIZERS, lambda n: f"training.optim.{n}", lambda n: call(optim.OPTIMIZERS[n], params=named())),
    "training.optim.Optimizer.step": lambda: call(adam().step, grads=named()),
    "training.optim.Optimizer.lr": lambda: call(partial(optim.Optimizer.lr.fset, adam()), value=0.1),  # type: ignore[attr-defined]
    "training.optim.Optimizer.load_state_dict": lambda: call(adam().load_state_dict, state_dict=adam().state_dict()),
    **each(SIZES, lambda n: f"models.{FILES[n]}.{n}", lambda n: call(kind(n), **SIZES[n], hidden_size=4)),
    **each(("Classifier", "Generator", "Tagger", "Seq2seq", "Forecaster"), lambda n: f"models.{FILES[n]}.{n}.vjp",
           lambda n: call(on(n).vjp, batch=BATCHES[n])),
    **each(("Classifier", "Tagger"), lambda n: f"models.{FILES[n]}.{n}.predict", lambda n: call(on(n).predict, batch=BATCHES[n])),
    "models.model.Model.loss": lambda: call(on("Classifier", pooling="mean").loss, batch=BATCHES["Classifier"]),
    "models.model.Model.logits": lambda: call(on("Generator").logits, batch=BATCHES["Generator"]),
    "models.model.Model.count": lambda: call(on("Generator").count, batch=BATCHES["Generator"]),
    "models.model.Model.backward": lambda: call(on("Generator").backward),
    "models.generator.Generator.generate": lambda: call(
        on("Generator").generate, condition=np.array([[0, 1], [1, 2]]), max_length=4),
    "models.language_model.LanguageModel.loss": lambda: call(on("LanguageModel").loss, batch=BATCHES["LanguageModel"]),
    "models.language_model.LanguageModel.vjp": lambda: call(on("LanguageModel").vjp, batch=BATCHES["LanguageModel"]),
    "models.language_model.LanguageModel.window": lambda: call(
        on("LanguageModel").window, batch=BATCHES["LanguageModel"], state=(ones(1, 2, 4), ones(1, 2, 4))),
    "models.language_model.LanguageModel.logits": lambda: call(
        on("LanguageModel").logits, tokens=np.array([[0, 1], [2, 3]]), state=(ones(1, 2, 4), ones(1, 2, 4))),
    "models.language_model.LanguageModel.load_carried_state": lambda: call(
        on("LanguageModel").load_carried_state, carried={"h": ones(1, 2, 4), "c": ones(1, 2, 4)}),
    "models.seq2seq.Seq2seq.logits": lambda: call(
        on("Seq2seq").logits, batch=BATCHES["Seq2seq"], coins=np.array([[True, True], [True, False], [False, True]])),
    "models.seq2seq.Seq2seq.weights": lambda: call(on("Seq2seq").weights, batch=BATCHES["Seq2seq"]),
    "models.seq2seq.Seq2seq.decode": lambda: call(on("Seq2seq").decode, source=BATCHES["Seq2seq"].source, max_length=4),
    "models.forecaster.Forecaster.ahead": lambda: call(on("Forecaster", known=1).ahead, past=ones(4, 2, 3), known=ones(2, 2, 1)),
    "models.forecaster.Forecaster.forecast": lambda: call(on("Forecaster", mode="encdec").forecast, past=ones(4, 2, 3)),
    "models.forecaster.Forecaster.forced": lambda: call(on("Forecaster", mode="recursive").forced, batch=BATCHES["Forecaster"]),
    "gradients.truncated_bptt.windows": lambda: call(listed(truncated_bptt.windows), **over_room(window=2)),
    "gradients.truncated_bptt.forward": lambda: call(truncated_bptt.forward, **over_room(window=2)),
    "gradients.truncated_bptt.backward": lambda: call(truncated_bptt.backward, **truncated()),
    "gradients.checkpointed_bptt.forward": lambda: call(checkpointed_bptt.forward, **over_room(segment=2)),
    "convert.comparison.compare": lambda: call(convert.compare, a=ones(3, 2, 4), b=ones(3, 2, 4)),
    "convert.diagnosis.diagnose": lambda: call(
        convert.diagnose, stack=ELMAN, x=ones(3, 2, 3), y=ones(3, 2, 4), state=[ones(1, 2, 4)], state_n=[ones(1, 2, 4)],
        tolerance=1e9),
    "convert.finding.find": lambda: call(convert.find, arrays=layer().state_dict()),
    "convert.stacks.ours": lambda: call(convert.ours, arrays=layer().state_dict()),
    "convert.stacks.theirs": lambda: call(convert.theirs, given=STACK, library="onnx"),
    "convert.packed.pack": lambda: call(convert.pack, given=STACK),
    "convert.packed.unpack": lambda: call(convert.unpack, packed=ones(4 * 4 * (3 + 4 + 2)), input_size=3, hidden_size=4),
    "convert.files.read": lambda: call(convert.read, path="nothing.npz"),
    "convert.files.write": lambda: call(convert.write, path="written.npz", stack=STACK, library="onnx"),
}  # fmt: skip
