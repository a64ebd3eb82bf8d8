"""Threads and processes: layers of their own, one layer for all, forks and processes that begin anew: what one alone computes."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

import reference

from ..helpers import draw, leaves
from . import forks
from .work import ENGINES, KINDS, everything, layer

THREADS = 8
ROOT = Path(__file__).parents[2]
each_engine = pytest.mark.parametrize("engine", ENGINES)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join([kind[0], *map(str, kind[1].values())]))


@pytest.fixture(autouse=True)
def busy():
    """Threads take turns a thousand times as often as they would."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


def at_once(jobs):
    """What each gives, each in a thread of its own, all of which begin at the same time, twice over"""
    ready = Barrier(len(jobs))

    def run(job):
        ready.wait(60)
        return [job() for _ in range(2)]

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def check(alone, jobs):
    for expected, found in zip(alone, at_once(jobs), strict=True):
        assert found == [expected] * 2


@each_engine
@each_kind
def test_eight_threads_with_a_layer_each(engine, kind):
    layers = [layer(engine, *kind) for _ in range(THREADS)]
    alone = [everything(module, seed) for seed, module in enumerate(layers)]
    assert len(set(map(tuple, alone))) == THREADS
    check(alone, [lambda m=module, s=seed: everything(m, s) for seed, module in enumerate(layers)])


@each_engine
@each_kind
def test_eight_threads_with_one_layer(engine, kind):
    """``vjp`` and ``infer`` keep nothing in the object."""
    shared = layer(engine, *kind)
    alone = [everything(shared, seed) for seed in range(THREADS)]
    check(alone, [lambda s=seed: everything(shared, s) for seed in range(THREADS)])


def numbers(seed, *shape):
    return draw(seed, *shape, dtype="float32")


MODULES = {
    "linear": (reference.Linear(4, 3), lambda seed: (numbers(seed, 5, 4),)),
    "embedding": (reference.Embedding(9, 3), lambda seed: (np.random.default_rng(seed).integers(0, 9, (5, 4)),)),
    "attention": (reference.Attention(4, 6), lambda seed: (numbers(seed, 5, 2, 4), numbers(seed, 7, 2, 6))),
    "cell": (reference.LSTMCell(4, 5), lambda seed: (numbers(seed, 3, 4),)),
}


@pytest.mark.parametrize("name", MODULES)
def test_eight_threads_with_one_module(name):
    module, inputs = MODULES[name]

    def work(seed):
        *out, pull = module.vjp(*inputs(seed))
        return [v.tobytes() for v in leaves([*out, *leaves(list(pulled(pull, out)))])]

    def pulled(pull, out):
        found = pull(*out)
        grads, *rest = found if isinstance(found, tuple) else (found,)
        return [*grads.values(), *rest]

    check([work(seed) for seed in range(THREADS)], [lambda s=seed: work(s) for seed in range(THREADS)])


def test_a_process_that_is_forked_after_use_or_begins_anew_computes_the_same():
    """As with multiprocessing: each way that this system has, after all engines have been used."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "parity_tests.doors.work"]
    ran = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert {"before", "spawn", "after"} <= found.keys() and len(set(found["before"])) == len(ENGINES)
    assert all(digests == found["before"] for digests in found.values()), found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_with_one_thread_of_openblas_a_fork_goes_well_whatever_else_is_computed():
    """With more it may hang, in NumPy alone: what was counted is kept, and shown in notes/compiled.md."""
    assert forks.trial(1, 2, "fork") == "went well"
    head, rows = forks.kept()
    assert head == ["threads of OpenBLAS", "threads that multiply", *forks.OUTCOMES]
    assert {row[0] for row in rows if row[2] < 20} == {"2"} and len(rows) == 12
