"""Two processes have the gradient of one, in PyTorch and in NumPy, however unevenly a batch is divided."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import reference.training.loop
from reference.common import batches
from reference.training import optim
from torch_impl.training import data_parallel

from ..helpers import assert_close, assert_equal
from .parallel_worker import TASKS, model, some

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What two processes under torchrun have."""
    path = tmp_path_factory.mktemp("parallel") / "results.npz"
    words = shlex.split("-m torch.distributed.run --standalone --nproc-per-node 2 -m parity_tests.training.parallel_worker")
    command, one_thread = [sys.executable, *words, str(path)], {"OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300, env=os.environ | one_thread)
    assert run.returncode == 0, run.stderr
    return np.load(path)


@pytest.mark.parametrize("name", TASKS)
def test_the_gradient_of_two_processes_is_that_of_one(name, results):
    """Of the whole batch: by one torch process, and by NumPy."""
    ours, theirs = model("reference", name, np.float64), model("torch_impl", name, "float64")
    for k, batch in enumerate(some(name)):
        ours_loss, loss = ours.loss(batch), theirs.loss(batch)
        ours.backward()
        theirs.zero_grad()
        loss.backward()
        assert_close(results[f"{name} {k} loss"], loss)
        assert_close(results[f"{name} {k} loss"], np.array(ours_loss))
        for n, p in theirs.named_parameters():
            assert_close(results[f"{name} {k} {n}"], p.grad, n)
            assert_close(results[f"{name} {k} {n}"], ours.grads[n], n)


@pytest.mark.parametrize("name", TASKS)
def test_the_loop_runs_on_two_processes_as_in_numpy_on_one(name, results):
    ours = model("reference", name, np.float64)
    run = reference.training.loop.train(ours, optim.SGD(ours, lr=0.1), lambda epoch: some(name), epochs=2, max_norm=0.5)
    assert_close(results[f"{name} losses"], np.array(run.losses))
    for n, p in ours.params.items():
        assert_close(results[f"{name} trained {n}"], p, n)
    assert_close(results[f"{name} evaluated"], np.array(reference.training.loop.evaluate(ours, some(name))))


def test_two_processes_stopped_and_taken_up_go_on_bit_for_bit(results):
    """Each with the dropout masks and the carried state of its own streams, from one checkpoint."""
    names = [k.removeprefix("straight ") for k in results.files if k.startswith("straight ")]
    assert names
    for n in names:
        assert_equal(results[f"resumed {n}"], results[f"straight {n}"], n)
    assert any((results[f"stopped {n}"] != results[f"straight {n}"]).any() for n in names)


@pytest.mark.parametrize("name", TASKS)
def test_shares_are_the_batch(name):
    """Together they have its sequences and its targets; an empty share counts nothing."""
    for batch in some(name):
        B = batches.sequences(batch)
        parts = [batches.share(batch, rank, 2) for rank in range(2)]
        assert sum(n for _, n in parts) == batches.count(batch)
        assert [n > 0 for _, n in parts] == [True, B > 1]
        again = batches.select(batch, np.arange(B))
        for a, b in zip(again, batch, strict=True):
            if a is not None and not isinstance(a, bool):
                for x, y in zip(a if isinstance(a, tuple) else [a], b if isinstance(b, tuple) else [b], strict=True):
                    assert_equal(x, y)


def test_the_parts_of_a_mean_weighted_by_their_counts_are_the_whole():
    """In NumPy alone: the arithmetic that DataParallel relies on."""
    for name in TASKS:
        ours = model("reference", name, np.float64)
        batch = some(name)[0]
        whole, pull = ours.vjp(batch)
        summed, loss = dict.fromkeys(ours.params, 0), 0.0
        for rank in range(3):
            part, n = batches.share(batch, rank, 3)
            l, pull_part = ours.vjp(part)
            loss += n / batches.count(batch) * l
            summed = {k: summed[k] + n / batches.count(batch) * g for k, g in pull_part().items()}
        assert_close(np.array(loss), np.array(whole))
        for k, g in pull().items():
            assert_close(summed[k], g, k)


def test_masks_of_a_window_are_divided_with_it():
    task = TASKS["language_model"]
    ours = task.build("reference", "lstm", 0, dtype=np.float64)
    batch = task.batches(0)[0]
    masks = sys.modules["reference.models.language_model"].draw_masks(np.random.default_rng(0), (5, 3, 5), 6, 2, 0.2)
    batch = batch._replace(masks=masks)
    parts = [batches.share(batch, rank, 3) for rank in range(3)]
    assert_close(np.array(sum(n * ours.vjp(p)[0] for p, n in parts) / batches.count(batch)), np.array(ours.vjp(batch)[0]))


def test_what_is_wrong_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="rank must be from 0 to below 2, got 2"):
        batches.share(some("classifier")[0], 2, 2)
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(RuntimeError, match="is started by torchrun"), data_parallel.group():
        pass
