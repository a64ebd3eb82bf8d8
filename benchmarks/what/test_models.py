"""Whole models as configurations: nobody is timed who is wrong, everybody has the same parameters."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from parity_tests.judge.implementations import BUILTIN, Implementation

from ..run.check import WrongError
from ..run.clock import Plan
from ..run.grouping import Setting, group
from ..run.test_check import LIMITS
from . import models
from .models import MODELS, ModelConfig, ModelSubject, model

SETTING = Setting(LIMITS, Plan(seconds=0.0, rounds=1, turn=1, warm_s=0.0))
CELLS = ("lstm", "gru", "rnn", "lstm", "gru", "lstm", "rnn")
ALL = [model(name, 5, 3, 4, 6, 11, cell) for name, cell in zip(MODELS, CELLS, strict=True)]
EMBEDDING = model("embedding", 5, 3, 4, 1, 11, "none")
NAMES = ("numpy", "numpy.fast", "torch.hoisted", "torch.native", "torch.library")


@pytest.mark.parametrize("config", [*ALL, EMBEDDING], ids=lambda c: c.model)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_everybody_who_takes_part_is_right(config, dtype):
    config = replace(config, dtype=dtype)
    judged = [models.check(BUILTIN[n], config) for n in NAMES if not models.reason_to_decline(BUILTIN[n], config)]
    assert len(judged) == (2 if config is EMBEDDING or config.model == "embedding" else 5)
    assert all(0 <= ratio <= 1 for ratio in judged)


@pytest.mark.parametrize("name", ["numpy", "torch.library"])
@pytest.mark.parametrize("parameter", ["embedding.weight", "rnn.weight_hh_l0", "head.bias"])
def test_one_wrong_gradient_is_enough(name, parameter, monkeypatch):
    real = ModelSubject.tensors

    def spoilt(self):
        found = real(self)
        return found | {f"d{parameter}": found[f"d{parameter}"] * np.float32(1.001)}

    monkeypatch.setattr(ModelSubject, "tensors", spoilt)
    with pytest.raises(WrongError, match=f"d{parameter}: error"):
        models.check(BUILTIN[name], ALL[0])
    (row,) = group(ALL[0], "train", [BUILTIN[name]], SETTING)
    assert (row["status"], row["seconds"]) == ("wrong", None)


@pytest.mark.parametrize("name", ["numpy.fast", "torch.library"])
@pytest.mark.parametrize("config", ALL[-2:], ids=lambda c: c.model)
def test_an_application_takes_a_step(config, name, monkeypatch):
    """The parameters after it are judged too: without the optimiser, or without clipping, it is wrong."""
    subject = ModelSubject(BUILTIN[name], config)
    before = {k: v.copy() for k, v in subject.tensors().items() if not k.startswith("d")}
    after = subject.tensors()
    assert all((after[k] != v).any() for k, v in before.items() if k in models.parameters(config, "float32"))
    app = models.APPS[config.model]
    for wrong in (app._replace(options={"lr": 1e-5}), app._replace(max_norm=1e-3)):
        models.truth_of.cache_clear()
        models.truth_of(config, np.float64)
        monkeypatch.setitem(models.APPS, config.model, wrong)
        subject = ModelSubject(BUILTIN[name], config)
        monkeypatch.undo()
        with pytest.raises(WrongError):
            models.judge(subject, np.float64)


def test_rows_of_a_model_have_times_memory_and_work():
    rows = group(ALL[0], "train", [BUILTIN[n] for n in NAMES], SETTING)
    assert [r["status"] for r in rows] == ["ok"] * 5, [r["reason"] for r in rows]
    assert {r["case"]["model"] for r in rows} == {"language_model"}
    assert all(r["peak_bytes"] > 0 and r["gflops"] > 0 for r in rows)
    assert [r["kernel"] for r in rows][:2] == ["NumPy", "NumPy"]


def test_work_is_what_the_sizes_say():
    """An LSTM's two products and the head's, and two adjoints of each; nobody asks for the gradient of the first state."""
    T, B, E, H, V = 5, 3, 4, 6, 11
    assert ALL[0].flops("train") == 3 * 2 * T * B * (4 * H * (E + H) + H * V) - 2 * B * 4 * H * H
    assert EMBEDDING.flops("train") == 0
    assert EMBEDDING.bytes("train") == 2 * 11 * 4 * 4


def test_the_same_parameters_for_everybody():
    ours, theirs = (ModelSubject(BUILTIN[n], ALL[0]) for n in ("numpy", "torch.library"))
    for name, v in theirs.named.items():
        np.testing.assert_array_equal(ours.model.params[name], v.detach().numpy())


def test_strangers_and_narrow_types_are_declined_with_a_reason():
    stranger = Implementation("my_lib.adapter", BUILTIN["numpy"].load)
    (row,) = group(ALL[0], "train", [stranger], SETTING)
    assert (row["status"], row["reason"]) == ("declined", "models are made of our own parts")
    assert models.reason_to_decline(BUILTIN["torch.loop"], replace(ALL[0], dtype="bfloat16"))
    assert models.reason_to_decline(BUILTIN["numpy"], replace(ALL[0], device="cuda"))


def test_every_batch_is_the_same_each_time_and_has_different_lengths():
    for config in ALL:
        one, other = (str(models.batch_of(config)) for _ in range(2))
        assert one == other
    lengths = models.batch_of(model("tagger", 20, 8, 4, 6, 11)).tokens.batch_sizes
    assert len(set(map(int, lengths))) > 1


def test_a_name_is_unique_and_says_which_model():
    assert model("tagger", 5, 3, 4, 6, 11).name == "tagger lstm T5 B3 H6 E4 V11 float32 cpu"
    assert ModelConfig("lstm", 3, 4, 5, 6).as_dict()["model"] == "language_model"


def test_what_runs_on_a_gpu_is_waited_for(monkeypatch):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waited.append(1))
    subject = ModelSubject(BUILTIN["torch.library"], ALL[0])
    subject.sync()
    subject.config = replace(ALL[0], device="cuda")
    subject.sync()
    assert waited == [1]
