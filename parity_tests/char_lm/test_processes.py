"""A run of the character model over two processes is the run of one; it goes on over another number; errors are said once."""

import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from reference.char_lm import train
from reference.common import checkpoint
from reference.common.run import BEST, LAST, LOG, read_log
from torch_impl.char_lm import backend as char_lm

from ..helpers import assert_close
from .runs import ROOT, SIDES, SMALL, call, weights, write_text

STEPS = 43
UNEVEN = [*SMALL, "--batch", 3, "--layers", 2, "--dropout", 0.2]  # three streams for two processes
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "--"]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return write_text(tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def straight(text, tmp_path_factory):
    """The undisturbed run of one process, on both sides."""
    folders = {backend: tmp_path_factory.mktemp(backend) for backend in SIDES}
    for backend, folder in folders.items():
        assert call(backend, "train", "--text", text, "--run", folder, "--steps", STEPS, *UNEVEN) == 0
    return folders


def two(*arguments, module="torch_impl.char_lm"):
    """The command over two processes, under torchrun."""
    more = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*TORCHRUN, module, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | more,
    )


def same_run(one, other):
    """Losses, norms, validation; weights and carried states of all streams."""
    logs = [[{k: v for k, v in e.items() if k != "time"} for e in read_log(folder / LOG)] for folder in (one, other)]
    assert len(logs[0]) == len(logs[1]) == STEPS + -(-STEPS // 10)
    for a, b in zip(*logs, strict=True):
        assert a == pytest.approx(b, rel=1e-9)
    for name in (BEST, LAST):
        for k, v in weights(one, name).items():
            assert_close(weights(other, name)[k], v, k)
    states = [checkpoint.load(folder / LAST) for folder in (one, other)]
    assert states[0].generators == states[1].generators and states[0].counters["step"] == STEPS
    for k, v in states[0].carried.items():
        assert v.shape == (2, 3, 7)
        assert_close(states[1].carried[k], v, k)


def test_two_processes_are_one_run_and_one_of_them_speaks(straight, text, tmp_path):
    run = two("train", "--text", text, "--run", tmp_path / "run", "--steps", STEPS, *UNEVEN, "--json")
    assert run.returncode == 0, run.stderr
    for folder in straight.values():
        same_run(folder, tmp_path / "run")
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == sorted(p.name for p in straight["reference"].iterdir())
    assert run.stderr.count("over 2 processes") == run.stderr.count("finished: ") == run.stderr.count("step     40:") == 1
    assert json.loads(run.stdout)["steps"] == STEPS


def test_one_then_two_then_one_is_the_undisturbed_run(straight, text, tmp_path, monkeypatch):
    """Stopped twice: by SIGTERM with one process, then by SIGTERM to the second of two.  Each side then goes on alone."""
    folder, figures = tmp_path / "run", train.figures
    monkeypatch.setattr(train, "figures", lambda nats: (signal.raise_signal(signal.SIGTERM), figures(nats))[1])
    assert call("torch_impl", "train", "--text", text, "--run", folder, "--steps", STEPS, *UNEVEN) == 130
    monkeypatch.undo()
    assert checkpoint.load(folder / LAST).counters["step"] == 10
    run = two("stop", 15, "train", "--resume", "--run", folder, "--quiet", module="parity_tests.char_lm.processes_worker")
    assert run.stderr.count("stopped after step 24: saved in") == 1, run.stderr
    assert f"torchrun --nproc-per-node 2 -m -- torch_impl.char_lm train --resume --run {folder}\n" in run.stderr
    for backend in SIDES:
        shutil.copytree(folder, tmp_path / backend)
        assert call(backend, "train", "--resume", "--run", tmp_path / backend, "--quiet") == 0
        same_run(straight[backend], tmp_path / backend)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("fail", "error: somewhere: No space left on device\n"),
        pytest.param(
            "die",
            "error: one of the 2 processes ended without a word, so all end; go on from the last checkpoint with --resume\n",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_happens_to_one_process_ends_all_and_is_said_once(what, sentence, text, tmp_path):
    run = two(
        what,
        12,
        "train",
        "--text",
        text,
        "--run",
        tmp_path / "run",
        "--steps",
        STEPS,
        *UNEVEN,
        module="parity_tests.char_lm.processes_worker",
    )
    assert run.returncode != 0 and sentence in run.stderr and run.stderr.count("error: ") == 1, run.stderr
    assert checkpoint.load(tmp_path / "run" / LAST).counters["step"] == 10


@pytest.mark.slow
def test_two_processes_begin_with_the_weights_of_a_run(straight, text, tmp_path):
    """And go on for some seconds more: as many steps in both."""
    words = ["train", "--text", text, "--from", straight["reference"], "--steps", 20, "--batch", 3, "--window", 9, "--quiet"]
    words += ["--dtype", "float64", "--dropout", 0.2]
    assert call("torch_impl", *words, "--run", tmp_path / "one") == 0
    run = two(*words, "--run", tmp_path / "two")
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("the weights are those of") == 1
    for k, v in weights(tmp_path / "one").items():
        assert_close(weights(tmp_path / "two")[k], v, k)
    run = two("train", "--resume", "--run", tmp_path / "two", "--seconds", 1, "--quiet")
    assert run.returncode == 0, run.stderr
    assert checkpoint.load(tmp_path / "two" / LAST).counters["step"] >= 20 + train.TRIAL


@pytest.mark.slow
def test_a_mistake_is_said_once(text, tmp_path):
    run = two("train", "--text", text, "--run", tmp_path / "run", "--batch", 1)
    assert run.stderr.count("error: ") == 1
    assert "error: --batch 1 is too small for 2 processes: each needs a stream of its own\n" in run.stderr


def test_without_torchrun_there_is_one_process(monkeypatch):
    for name in ("RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    with char_lm.BACKEND.processes({"device": "cpu"}) as group:
        assert (group.rank, group.world, group.leader) == (0, 1, True)
        assert np.ndim(group.first(group.agreed(3))) == 0 and group.wrap(3) == 3
