"""Whole models as configurations: nobody is timed who is wrong, everybody has the same parameters."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from parity_tests.judge.implementations import BUILTIN, Implementation

from ..run import check
from ..run.check import WrongError
from ..run.clock import Plan
from ..run.measure import Setting, measure
from ..run.test_check import LIMITS
from . import model as models
from .model import MODELS, Model, ModelConfig, model

SETTING = Setting(LIMITS, Plan(seconds=0.0, rounds=1, turn=1, warm_s=0.0))
CELLS = ("lstm", "gru", "rnn", "lstm", "gru", "lstm", "rnn")
ALL = [model(name, 5, 3, 4, 6, 11, cell) for name, cell in zip(MODELS, CELLS, strict=True)]
EMBEDDING = model("embedding", 5, 3, 4, 1, 11, "none")
NAMES = ("numpy", "numpy.fast", "numba", "torch.hoisted", "torch.native", "torch.library")


def judge(implementation, config):
    """Small, then real; the worst error over allowed."""
    candidate = config.candidate(implementation, "train")
    candidate.call()
    return max(check.small(implementation, config.small(), "train"), check.judge(candidate, config.affordable(1.0, 50.0)))


@pytest.mark.parametrize("config", [*ALL, EMBEDDING], ids=lambda c: c.model)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_everybody_who_takes_part_is_right(config, dtype):
    config = replace(config, dtype=dtype)
    judged = [judge(BUILTIN[n], config) for n in NAMES if not config.reason_to_decline(BUILTIN[n])]
    assert len(judged) == (2 if config is EMBEDDING or config.model == "embedding" else 6)
    assert all(0 <= ratio <= 1 for ratio in judged)


@pytest.mark.parametrize("name", ["numpy", "torch.library"])
@pytest.mark.parametrize("parameter", ["embedding.weight", "rnn.weight_hh_l0", "head.bias"])
def test_one_wrong_gradient_is_enough(name, parameter, monkeypatch):
    real = Model.tensors

    def spoilt(self, *on):
        tensors = real(self, *on)
        return tensors | {f"d{parameter}": tensors[f"d{parameter}"] * np.float32(1.001)}

    monkeypatch.setattr(Model, "tensors", spoilt)
    check.small.cache_clear()
    with pytest.raises(WrongError, match=f"d{parameter}: error"):
        judge(BUILTIN[name], ALL[0])
    (row,) = measure(ALL[0], "train", [BUILTIN[name]], SETTING)
    assert (row["status"], row["seconds"]) == ("wrong", None)


@pytest.mark.parametrize("name", ["numpy.fast", "torch.library"])
@pytest.mark.parametrize("config", ALL[-2:], ids=lambda c: c.model)
def test_an_application_takes_a_step(config, name, monkeypatch):
    """The parameters after it are judged too: without the optimiser, or without clipping, it is wrong."""
    T, candidate = config.T, Model(BUILTIN[name], config)
    before = config.inputs(T)
    after = {k: v.copy() for k, v in candidate.tensors(T, before).items()}
    assert all((after[k] != v).any() for k, v in before.items())
    again = candidate.tensors(T, before)
    assert all((again[k] == v).all() for k, v in after.items())
    application = models.APPLICATIONS[config.model]
    check.truth_of(config, T, np.float64)
    for wrong in (application._replace(options={"lr": 1e-5}), application._replace(max_norm=1e-3)):
        monkeypatch.setitem(models.APPLICATIONS, config.model, wrong)
        candidate = Model(BUILTIN[name], config)
        monkeypatch.undo()
        with pytest.raises(WrongError):
            check.judge(candidate, T)


def test_rows_of_a_model_have_times_memory_and_work():
    rows = measure(ALL[0], "train", [BUILTIN[n] for n in NAMES], SETTING)
    assert [r["status"] for r in rows] == ["ok"] * len(NAMES), [r["reason"] for r in rows]
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
    ours, theirs = (Model(BUILTIN[n], ALL[0]) for n in ("numpy", "torch.library"))
    for name, v in theirs.model.named_parameters():
        np.testing.assert_array_equal(ours.model.params[name], v.detach().numpy())


def test_strangers_and_narrow_types_are_declined_with_a_reason():
    stranger = Implementation("my_lib.adapter", BUILTIN["numpy"].load)
    (row,) = measure(ALL[0], "train", [stranger], SETTING)
    assert (row["status"], row["reason"]) == ("declined", "models are made of our own parts")
    assert replace(ALL[0], dtype="bfloat16").reason_to_decline(BUILTIN["torch.loop"])
    assert replace(ALL[0], device="cuda").reason_to_decline(BUILTIN["numpy"])


def test_every_batch_is_the_same_each_time_and_has_different_lengths():
    for config in ALL:
        one, other = (str(models.batch_of(config)) for _ in range(2))
        assert one == other
    lengths = models.batch_of(model("tagger", 20, 8, 4, 6, 11)).tokens.batch_sizes
    assert len(set(map(int, lengths))) > 1


def test_a_name_is_unique_and_says_which_model():
    assert model("tagger", 5, 3, 4, 6, 11).name == "tagger lstm T5 B3 H6 E4 V11 float32 cpu"
    assert asdict(ModelConfig("lstm", 3, 4, 5, 6))["model"] == "language_model"


def test_what_runs_on_a_gpu_is_waited_for(monkeypatch):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waited.append(1))
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, device: self)
    for config in (ALL[0], replace(ALL[0], device="cuda")):
        Model(BUILTIN["torch.library"], config).sync()
    assert waited == [1]
