"""A run that begins with the weights of another one, on another text."""

import json
import re
import shutil

import numpy as np
import pytest

from reference.char_lm import train as char_train
from reference.char_lm.data import corpus, passes
from reference.char_lm.options import LATER
from reference.char_lm.run import load, restored
from reference.common import checkpoint
from reference.common.run import LAST, LOG, read_log

from ..helpers import assert_close, assert_equal
from .runs import SIDES, SMALL, both_sides, call, refused, weights, write_text

KINDS = {"lstm": ["--cell", "lstm", "--layers", "2"], "tied": ["--cell", "gru", "--tied"]}
NEW = ["--batch", "4", "--window", "9", "--every", "10", "--save-every", "7", "--dtype", "float64", "--quiet"]
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return write_text(tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def other(text):
    """A text with an X, which comes before the old characters, and a ł, after them; and without an é."""
    file = text.with_name("other.txt")
    file.write_text(text.read_text(encoding="utf-8")[::-1].replace("ti", "Xł").replace("é", ""), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def old(text, tmp_path_factory):
    """A run of each kind, on either side: {(side, kind): folder}"""
    folders = {}
    for kind, options in KINDS.items():
        small = [o for o in SMALL if not (kind == "tied" and o in ("--embedding", "5"))]
        for backend in SIDES:
            folder = folders[backend, kind] = tmp_path_factory.mktemp(f"{backend}-{kind}")
            assert call(backend, "train", "--text", text, "--run", folder, "--steps", 30, *small, *options) == 0
    return folders


def losses(folder):
    return [e["loss"] for e in read_log(folder / LOG) if "loss" in e]


def figures(capsys, backend, *options):
    capsys.readouterr()
    assert call(backend, "evaluate", *options) == 0
    return re.findall(r"\d+\.\d{6}", capsys.readouterr().out)


def stop_before_the_first_step(monkeypatch):
    """As by ``kill -9``."""

    def schedule(config):
        raise KeyboardInterrupt

    monkeypatch.setattr(char_train, "schedule", schedule)


@kinds
@both_sides
def test_the_first_step_is_where_the_old_model_stands(backend, kind, old, text, tmp_path, monkeypatch, capsys):
    """On the same text, the first loss and every figure are the old model's, and both sides have the same weights."""
    run = tmp_path / "run"
    with monkeypatch.context() as m:
        stop_before_the_first_step(m)
        assert call(backend, "train", "--text", text, "--run", run, "--from", old[backend, kind], "--steps", 20, *NEW) == 130
    before = load(old[backend, kind])
    for k, v in before.weights.items():
        assert_equal(weights(run)[k], v, k)
    assert figures(capsys, backend, "--run", run) == figures(capsys, backend, "--run", old[backend, kind])
    model, windows = (
        restored(SIDES["reference"], before, "float64"),
        passes(corpus([text]).part("train"), {"batch": 4, "window": 9}),
    )
    model.carried = None
    assert call(backend, "train", "--resume", "--run", run, "--quiet") == 0
    assert losses(run)[0] == pytest.approx(model.loss(windows[0]), rel=1e-12)


@kinds
def test_new_characters_come_after_the_old_ones_alike_on_both_sides(kind, old, text, other, tmp_path, monkeypatch, capsys):
    first, ends = {}, {}
    for backend in SIDES:
        run = tmp_path / backend
        with monkeypatch.context() as m:
            stop_before_the_first_step(m)
            words = ["--text", other, "--run", run, "--from", old["reference", kind], "--steps", 30, "--seed", 8, *NEW]
            assert call(backend, "train", *words) == 130
        assert "after 30 steps; new characters: 'Xł'\n" in capsys.readouterr().out
        first[backend] = checkpoint.load(run / LAST)
        assert call(backend, "train", "--resume", "--run", run, "--quiet") == 0
        ends[backend] = weights(run)
    before = load(old["reference", kind])
    n = len(before.vocabulary)
    for backend in SIDES:
        assert first[backend].vocabulary == [*before.vocabulary, "X", "ł"] and first[backend].counters["step"] == 0
        for k, v in first[backend].weights.items():
            assert_equal(v, first["reference"].weights[k], k)
            assert_equal(v[: len(before.weights[k])], before.weights[k], k)
            fresh = v[n:] if v.shape[0] == n + 2 else np.ones(1)
            assert fresh.all() and len(np.unique(fresh)) == fresh.size  # drawn, none like another
        for k, v in ends[backend].items():
            assert_close(v, ends["reference"][k], k)


@both_sides
def test_it_goes_on_without_the_old_run(backend, old, other, tmp_path, monkeypatch, capsys):
    """Killed before its first step, and the old folder gone: the end is that of the run which was not disturbed."""
    shutil.copytree(old[backend, "lstm"], tmp_path / "old")
    words = ["--text", other, "--from", tmp_path / "old", "--steps", 30, "--dropout", 0.2, *NEW]
    assert call(backend, "train", "--run", tmp_path / "straight", *words) == 0
    with monkeypatch.context() as m:
        stop_before_the_first_step(m)
        assert call(backend, "train", "--run", tmp_path / "run", *words) == 130
    shutil.rmtree(tmp_path / "old")
    assert call(backend, "train", "--resume", "--run", tmp_path / "run", "--quiet") == 0
    for k, v in weights(tmp_path / "straight").items():
        assert_equal(weights(tmp_path / "run")[k], v, k)
    for command in ("evaluate", "generate"):
        assert call(backend, command, "--run", tmp_path / "run") == 0
    (tmp_path / "run" / LAST).unlink()
    assert "held the weights that its run began with" in refused(backend, capsys, "train", "--resume", "--run", tmp_path / "run")


def test_the_old_run_may_be_of_the_other_side_another_dtype_and_a_file(old, text, tmp_path):
    for backend, before in zip(SIDES, reversed(SIDES), strict=True):
        words = ["--from", old[before, "lstm"] / LAST, "--steps", 12, *NEW, "--dtype", "float32"]
        assert call(backend, "train", "--text", text, "--run", tmp_path / backend, *words) == 0
    assert weights(tmp_path / "reference")["head.bias"].dtype == np.float32
    assert losses(tmp_path / "reference") == pytest.approx(losses(tmp_path / "torch_impl"), rel=1e-4)
    shutil.copytree(old["reference", "lstm"], tmp_path / "same")
    words = ["--run", tmp_path / "same", "--from", tmp_path / "same", "--overwrite", "--steps", 12, *NEW]
    assert call("reference", "train", "--text", text, *words) == 0


@both_sides
def test_what_the_old_model_is_cannot_be_changed(backend, old, text, tmp_path, capsys):
    new = ("train", "--text", text, "--run", tmp_path / "new", "--from")
    for arguments, sentence in {
        (*new, old[backend, "lstm"], "--size", 9): "--from: the model of that run has --size 7, not 9; leave it out",
        (*new, old[backend, "lstm"], "--cell", "rnn"): "has --cell lstm, not rnn",
        (*new, old[backend, "lstm"], "--layers", 1): "has --layers 2, not 1",
        (*new, old[backend, "lstm"], "--embedding", 6): "has --embedding 5, not 6",
        (*new, old[backend, "lstm"], "--tied"): "has --tied False, not True",
        (*new, old[backend, "lstm"], "--init", "orthogonal"): "--init is for first weights",
        (*new, old[backend, "lstm"], "--forget-bias", 1): "--forget-bias is for first weights",
        (*new, tmp_path / "none"): "none does not exist; name the folder of a run, or a checkpoint in one",
        (*new, tmp_path): "has no checkpoint",
    }.items():
        assert sentence in refused(backend, capsys, *arguments), arguments
    assert not (tmp_path / "new").exists()
    assert call(backend, *new, old[backend, "lstm"], "--size", 7, "--steps", 3, *NEW) == 0


@pytest.mark.parametrize("command", [["train", "--resume", "--steps", 40, "--quiet"], ["evaluate"], ["generate"]])
def test_runs_of_an_earlier_version_go_on(command, old, tmp_path, monkeypatch):
    """Neither their configuration nor their checkpoints have the options that came later."""
    run = shutil.copytree(old["reference", "lstm"], tmp_path / "run")
    config, read = json.loads((run / "config.json").read_text()), checkpoint.load
    earlier = {k: v for k, v in config.items() if k not in LATER}
    assert len(earlier) == len(config) - len(LATER)
    (run / "config.json").write_text(json.dumps(earlier))
    monkeypatch.setattr(checkpoint, "load", lambda path: read(path)._replace(config=earlier))
    assert call("reference", *command, "--run", run) == 0
