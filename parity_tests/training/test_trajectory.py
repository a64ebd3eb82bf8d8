"""Whole training runs agree, step by step, to what rounding makes unavoidable; and what is slightly wrong does not."""

import numpy as np
import pytest

import reference.common.batches

from ..judge.tolerance import BASELINE_FACTOR, FLOOR_EPS, judge_trajectory, trajectory_noise
from .trajectory import CELLS, FEW, OPTIMIZERS, RUNS, STEPS, TASKS, Task, follow, judged, truth

LANGUAGE = TASKS[0]
QUICK = [(LANGUAGE, cell, "Adam") for cell in CELLS] + [(LANGUAGE, "lstm", kind) for kind in OPTIMIZERS if kind != "Adam"]
ALL = [(task, cell, kind) for task in TASKS for cell in CELLS for kind in OPTIMIZERS]


def assert_ok(verdicts):
    assert verdicts and all(v.ok for v in verdicts), [v for v in verdicts if not v.ok]


@pytest.mark.parametrize(("task", "cell", "kind"), QUICK, ids=str)
def test_a_hundred_steps(task, cell, kind):
    """Losses, norms and parameters, by the loops themselves: dropout, clipping, schedule, state carried."""
    assert_ok(judged(task, cell, kind, follow(task, cell, kind, side="torch")))
    assert_ok(judged(task, cell, kind, follow(task, cell, kind, engine="fast")))


@pytest.mark.parametrize(
    ("task", "cell", "kind"),
    [(task, CELLS[n % 3], ("Adam", "AdamW", "RMSprop", "SGD")[n % 4]) for n, task in enumerate(TASKS[1:])],
    ids=str,
)
def test_thirty_steps_of_every_model(task, cell, kind):
    assert_ok(judged(task, cell, kind, follow(task, cell, kind, side="torch", steps=30), steps=30))


@pytest.mark.slow
@pytest.mark.parametrize(("task", "cell", "kind"), ALL, ids=str)
def test_a_hundred_steps_of_every_model_cell_and_optimiser(task, cell, kind):
    for seed in (0, 1):
        for candidate in ({"side": "torch"}, {"engine": "fast"}):
            assert_ok(judged(task, cell, kind, follow(task, cell, kind, seed=seed, **candidate), seed))


def test_the_runs_are_not_degenerate():
    """The model learns, some steps are clipped and some are not, and every parameter moves at each step."""
    known = truth(LANGUAGE, "lstm", "Adam")
    oracle, baselines = known.oracle, known.baselines(FEW)
    assert oracle["loss"][-10:].mean() < 0.85 * oracle["loss"][:10].mean()
    assert 5 < (oracle["norm"] > LANGUAGE.max_norm).sum() < STEPS - 5
    for k, v in oracle.items():
        assert len(v) == STEPS and (np.abs(np.diff(v, axis=0)).reshape(STEPS - 1, -1).max(1) > 0).all(), k
        assert any((b[k] != v).any() for b in baselines), k


SLIGHTLY_WRONG = {
    "learning rate off by 1e-11": ("Adam", {"lr": 0.02 * (1 + 1e-11)}),
    "epsilon 1 percent too large": ("Adam", {"eps": 1.01e-8}),
    "weight decay left out": ("Adam", {"weight_decay": 0.0}),
    "second beta off by 1e-9": ("AdamW", {"betas": (0.9, 0.999 + 1e-9)}),
    "momentum not Nesterov's": ("SGD", {"nesterov": False}),
    "learning rate does not decay": ("Adagrad", {"lr_decay": 0.0}),
    "alpha off by 1e-10": ("RMSprop", {"alpha": 0.9 + 1e-10}),
}


@pytest.mark.parametrize(("kind", "changed"), SLIGHTLY_WRONG.values(), ids=SLIGHTLY_WRONG)
def test_what_is_slightly_wrong_is_caught(kind, changed):
    """Each is an option that is a little different, in ten steps."""
    verdicts = judged(LANGUAGE, "gru", kind, follow(LANGUAGE, "gru", kind, steps=10, **changed), steps=10)
    assert any(not v.ok for v in verdicts)


def test_a_state_that_is_not_carried_and_a_clip_without_its_small_number_are_caught(monkeypatch):
    forgetful = Task(
        LANGUAGE.module, LANGUAGE.model, lambda seed: [b._replace(first=True) for b in LANGUAGE.batches(seed)], LANGUAGE.arguments
    )
    wrong = judged(LANGUAGE, "lstm", "SGD", follow(forgetful, "lstm", "SGD", steps=10), steps=10)
    assert next(v for v in wrong if v.tensor == "loss").step == 1  # the first window starts from zeros anyway
    assert_ok(judged(LANGUAGE, "rnn", "SGD", follow(LANGUAGE, "rnn", "SGD", steps=10, engine="fast"), steps=10))
    truth(LANGUAGE, "rnn", "SGD", 0, 10).baselines(RUNS)  # with the small number, before it is taken away
    monkeypatch.setattr("reference.training.clip.TINY", 0.0)
    wrong = judged(LANGUAGE, "rnn", "SGD", follow(LANGUAGE, "rnn", "SGD", steps=10), steps=10)
    assert any(not v.ok for v in wrong)


def test_float32_is_not_float64():
    assert not all(
        v.ok
        for v in judged(
            LANGUAGE, "lstm", "Adam", follow(LANGUAGE, "lstm", "Adam", steps=10, change=lambda v: v.astype(np.float32)), steps=10
        )
    )


def test_the_rule_is_the_rule():
    """Noise never falls; at the limit of its step a candidate is accepted, a little beyond it not."""
    oracle = np.array([[1.0, -2.0], [4.0, 0.5], [1.0, 1.0]], np.longdouble)
    baselines = [oracle + np.array([[1e-3], [5e-3], [2e-3]]), oracle - np.array([[3e-3], [1e-3], [1e-3]])]
    noise = trajectory_noise(baselines, oracle).astype(float)
    np.testing.assert_allclose(noise, [3e-3, 5e-3, 5e-3], rtol=1e-10)
    limits = BASELINE_FACTOR * noise + FLOOR_EPS * np.finfo(float).eps * np.array([2.0, 4.0, 1.0])
    for step in range(3):
        for factor, ok in ((0.999, True), (1.001, False)):
            candidate = oracle.copy()
            candidate[step, 1] += factor * limits[step]
            verdict = judge_trajectory("w", candidate, baselines, oracle, "float64")
            assert (verdict.ok, verdict.step) == (ok, None if ok else step)
            assert verdict.ratio == pytest.approx(factor, rel=1e-9)
    for bad in (np.nan, np.inf):
        candidate = oracle.copy()
        candidate[1] = bad
        assert judge_trajectory("w", candidate, baselines, oracle, "float64").step == 1
    assert judge_trajectory("w", oracle[:2], baselines, oracle, "float64").why == "shape"


def test_every_batch_of_a_task_is_there_for_both_sides():
    for task in TASKS:
        all_batches = task.batches(0)
        assert len(all_batches) == STEPS and str(task).startswith(task.module)
        assert type(all_batches[0]).__module__ == reference.common.batches.__name__
