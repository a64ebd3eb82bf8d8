"""A run that goes on in another way: for so many more seconds, at another learning rate."""

import json
import shutil

import pytest

from reference.char_lm import train as char_train
from reference.common import checkpoint
from reference.common.run import LAST, LOG, read_log
from reference.common.run.files import OF_ANY_RUN

from ..helpers import assert_close, assert_equal
from .runs import SIDES, SMALL, both_sides, call, refused, weights, write_text


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return write_text(tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def finished(text, tmp_path_factory):
    """A run of 25 steps that has ended, in NumPy: its folder"""
    folder = tmp_path_factory.mktemp("finished") / "run"
    assert call("reference", "train", "--text", text, "--run", folder, "--steps", 25, *SMALL) == 0
    return folder


def copy(folder, where):
    return shutil.copytree(folder, where)


def losses(folder):
    return [(e["step"], e["loss"]) for e in read_log(folder / LOG) if "loss" in e]


def rates(folder):
    return {e["step"]: e["lr"] for e in read_log(folder / LOG) if "lr" in e}


def killed_at(monkeypatch, step):
    """A run then ends before this step, as by ``kill -9``: nothing is saved."""
    whole = char_train.schedule

    def schedule(config):
        at = whole(config)

        def dying(n):
            if n == step:
                raise KeyboardInterrupt  # not asked for
            return at(n)

        return dying

    monkeypatch.setattr(char_train, "schedule", schedule)


@both_sides
@pytest.mark.parametrize(("whole", "done"), [(True, 25), (False, 21)])
def test_seconds_are_how_much_longer(backend, whole, done, finished, text, tmp_path, monkeypatch):
    """As many steps more as they are worth, from those that were done, whatever was planned."""
    run = tmp_path / "run"
    if whole:
        copy(finished, run)
    else:
        with monkeypatch.context() as m:
            killed_at(m, 24)
            assert call(backend, "train", "--text", text, "--run", run, "--steps", 60, *SMALL) == 130
    seen = {}

    def affordable(backend, config, options, windows):
        seen["seconds"] = config["seconds"]
        return 17

    monkeypatch.setattr(char_train, "affordable", affordable)
    assert call(backend, "train", "--resume", "--run", run, "--seconds", 9, "--quiet") == 0
    assert [n for n, _ in losses(run)] == list(range(1, done + 18)) and seen == {"seconds": 9.0}
    assert {"seconds": 9.0, "steps": done + 17}.items() <= json.loads((run / "config.json").read_text()).items()


def test_seconds_are_about_as_long_as_they_say(finished, tmp_path):
    """The steps of this machine: two seconds of steps that take a millisecond are hundreds of them."""
    run = copy(finished, tmp_path / "run")
    assert call("reference", "train", "--resume", "--run", run, "--seconds", 2, "--quiet") == 0
    entries = [e for e in read_log(run / LOG) if e["step"] > 25]
    assert entries[-1]["time"] - entries[0]["time"] > 0.5 and len(entries) > 100


@both_sides
def test_another_rate_holds_from_there_on(backend, finished, text, tmp_path):
    """The schedule is that of a run which had the new rate from the start; what was done stays."""
    run = copy(finished, tmp_path / "run")
    assert call(backend, "train", "--resume", "--run", run, "--lr", 0.005, "--steps", 60, "--quiet") == 0
    assert call(backend, "train", "--text", text, "--run", tmp_path / "new", *SMALL, "--lr", 0.005, "--steps", 60) == 0
    now, before, new = rates(run), rates(finished), rates(tmp_path / "new")
    assert now == {n: before[n] if n <= 25 else new[n] for n in range(1, 61)}
    assert losses(run)[:25] == losses(finished) and losses(run)[25:] != losses(tmp_path / "new")[25:]


def test_both_sides_go_on_alike_at_another_rate(finished, tmp_path):
    ends = []
    for backend in SIDES:
        run = copy(finished, tmp_path / backend)
        assert call(backend, "train", "--resume", "--run", run, "--lr", 0.005, "--steps", 60, "--quiet") == 0
        ends.append(weights(run))
    for k, v in ends[0].items():
        assert_close(ends[1][k], v, k)


@both_sides
@pytest.mark.parametrize(("killed", "saved"), [(27, 25), (34, 30)])
def test_killed_after_the_rate_was_changed_it_ends_the_same(backend, killed, saved, finished, tmp_path, monkeypatch):
    """Before the first checkpoint with the new rate, and after it; config.json and checkpoint then say the same."""
    straight, run = copy(finished, tmp_path / "straight"), copy(finished, tmp_path / "run")
    options = ["--lr", 0.005, "--steps", 60]
    assert call(backend, "train", "--resume", "--run", straight, *options, "--quiet") == 0
    with monkeypatch.context() as m:
        killed_at(m, killed)
        assert call(backend, "train", "--resume", "--run", run, *options, "--quiet") == 130
    assert checkpoint.load(run / LAST).counters["step"] == saved
    assert call(backend, "train", "--resume", "--run", run, "--quiet") == 0
    assert losses(run) == losses(straight)
    for k, v in weights(straight).items():
        assert_equal(weights(run)[k], v, k)
    config = json.loads((run / "config.json").read_text())
    assert checkpoint.load(run / LAST).config == {k: v for k, v in config.items() if k not in OF_ANY_RUN}


def test_another_rate_for_no_steps_is_refused(finished, tmp_path, capsys):
    run = copy(finished, tmp_path / "run")
    said = refused("reference", capsys, "train", "--resume", "--run", run, "--lr", 0.005)
    assert "has done all its 25 steps: give --lr with --steps or --seconds" in said
    assert json.loads((run / "config.json").read_text())["lr"] == 0.02


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("batch", "4"), ("batch", -1), ("every", 0), ("seed", 0.5), ("lr", None), ("text", 5), ("text", [5]), ("encoding", None)],
        *[("cell", "foo"), ("optimizer", "sgdx"), ("bytes", 1), ("from", 3), ("dtype", "int8"), ("corpus", {}), ("corpus", 1)],
    ],
)
def test_a_configuration_that_was_damaged_is_one_sentence(name, value, finished, tmp_path, capsys):
    run = copy(finished, tmp_path / "run")
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {name: value}))
    said = refused("reference", capsys, "train", "--resume", "--run", run, "--steps", 30)
    assert (
        f"{run / 'config.json'} is damaged, or of another program: {name}" in said and "begin a new run in another folder" in said
    )
