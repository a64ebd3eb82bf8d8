"""The command that kills: what it takes for equal, what it takes for a difference, and a few kills of everything."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reference.common import checkpoint
from reference.common.run import BEST, LAST, LOG

from ..char_lm.runs import SMALL, call, write_text
from . import command, results
from .command import Kill, contents, differences, half_written, left


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kills")
    words = [*SMALL, "--dropout", "0.2", "--layers", "2", "--steps", "12"]
    assert call("reference", "train", "--text", write_text(folder), "--run", folder / "run", *words) == 0
    return folder / "run"


@pytest.fixture
def other(run, tmp_path):
    shutil.copytree(run, tmp_path / "other")
    return tmp_path / "other"


def rewrite(file, change):
    """A checkpoint that is whole, with one thing changed."""

    class Saved:
        def __init__(self, weights):
            self.weights = weights

        def state_dict(self):
            return self.weights

    saved = checkpoint.load(file)
    change(saved)
    model, optimiser = Saved(saved.weights), None
    model.carried_state = lambda: saved.carried
    if saved.optimizer:
        optimiser = type(saved.optimizer["name"], (), {"state_dict": lambda self: saved.optimizer})()
    generators = {}
    for name, state in saved.generators.items():
        generators[name] = np.random.Generator(getattr(np.random, state["bit_generator"])())
        generators[name].bit_generator.state = state
    given = {"generators": generators, "counters": saved.counters, "config": saved.config, "vocabulary": saved.vocabulary}
    type(model).__name__ = saved.model
    checkpoint.save(file, model, optimiser, **given)


def test_a_copy_is_equal_whatever_the_time_was_and_whatever_a_kill_left_half_written(run, other):
    log = [json.loads(line) for line in (other / LOG).read_text().splitlines()]
    (other / LOG).write_text("".join(json.dumps(e | {"time": 0}) + "\n" for e in log))
    (other / f"{BEST}.tmp").write_bytes(b"half")
    (other / "run.lock.break.7.abc").touch()
    rewrite(other / LAST, lambda saved: None)
    assert differences(run, other) == []
    assert {LAST, BEST, LOG, "config.json", "training.png"} <= {name.split()[0] for name, _ in contents(run)}


def step_of(array):
    flat = array.reshape(-1)
    flat[0] = np.nextafter(flat[0], np.inf)


NAME = "rnn.weight_hh_l1"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda saved: step_of(saved.weights[NAME]), f"{LAST} weights {NAME}"),
        (lambda saved: step_of(saved.optimizer["state"][NAME]["exp_avg_sq"]), f"{LAST} optimizer state {NAME} exp_avg_sq"),
        (lambda saved: saved.optimizer["state"][NAME].update(step=13), f"{LAST} optimizer state {NAME} step"),
        (lambda saved: step_of(saved.carried["c"]), f"{LAST} carried c"),
        (lambda saved: saved.counters.update(waited=1), f"{LAST} counters waited"),
        (lambda saved: saved.generators["model"].update(has_uint32=1), f"{LAST} generators model has_uint32"),
        (lambda saved: saved.config.update(lr=0.03), f"{LAST} config lr"),
    ],
)
def test_one_number_of_a_checkpoint_is_a_difference(run, other, change, found):
    rewrite(other / LAST, change)
    assert differences(run, other) == [found]


def test_a_line_of_the_log_a_picture_or_a_file_is_a_difference(run, other):
    lines = (other / LOG).read_text().splitlines()
    entry = json.loads(lines[3])
    lines[3] = json.dumps(entry | {"norm": np.nextafter(entry["norm"], 9)})
    (other / LOG).write_text("\n".join(lines[:-1]) + "\n")
    (other / "training.png").write_bytes(b"another")
    (other / "config.json").unlink()
    (other / "run.lock").touch()
    found = differences(run, other)
    assert {"config.json", "training.png", "run.lock", f"{LOG} 3 norm"} < set(found)
    assert all(name.startswith(f"{LOG} {len(lines) - 1} ") for name in found[1:-3] if name != f"{LOG} 3 norm")


def test_what_a_kill_left(run, other, tmp_path):
    entries = len((run / LOG).read_text().splitlines())
    assert left(run, entries, set()) == Kill(12, False, False, True)
    (other / f"{LAST}.tmp").touch()
    assert left(other, entries + 1, set()) == Kill(12, False, True, False)
    assert left(other, entries + 1, half_written(other)) == Kill(12, False, False, False)  # by an earlier kill
    assert left(tmp_path / "none", entries, set()) == Kill(0, True, False, False)


@pytest.mark.parametrize(("equal", "status"), [(2, 0), (1, 1)])
def test_the_status_says_whether_all_were_equal(equal, status, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "killed", lambda program, side, *_: (program.name, side, 2, 2, 0, 1, 1, equal, 5))
    assert command.main(["--kills", "2", "--seed", "7", "--out", str(tmp_path / "kills.json")]) == status
    said, kept = capsys.readouterr().out, json.loads((tmp_path / "kills.json").read_text())
    assert "2 kills of each application and side, seed 7" in said and said.count(f"{equal} of 2") == 4
    assert kept["seed"] == 7 and [row["side"] for row in kept["rows"]] == ["reference", "torch_impl"] * 2
    assert list(kept["rows"][0]) == list(results.COLUMNS)


def test_what_the_note_shows_is_200_of_200():
    """The kept table is that of a whole run of the command, in which nothing differed."""
    kept = json.loads(results.KEPT.read_text(encoding="utf-8"))
    assert [row["kills"] for row in kept["rows"]] == [row["equal"] for row in kept["rows"]] == [50] * 4
    head, rows = results.kept()
    assert len(head) == len(rows[0]) and {row[-2] for row in rows} == {"50 of 50"}
    assert results.command() == "python -m parity_tests.kills --kills 50 --seed 0"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_few_kills_of_everything():
    words = [sys.executable, "-m", "parity_tests.kills", "--kills", "3"]
    ran = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("3 of 3") == 4
