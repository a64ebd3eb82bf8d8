"""The loop: exact resume on both sides and across them, stopping, what is not finite, evaluation, the log."""

import os
import signal

import numpy as np
import pytest

import torch_impl.common.checkpoint
import torch_impl.models.language_model
import torch_impl.training.loop
import torch_impl.training.optim
from reference.common import batches, checkpoint, schedules
from reference.common.run import BEST, LAST, LOG, NonFiniteError, read_log
from reference.models.language_model import LanguageModel
from reference.training import loop as training
from reference.training import optim

from ..helpers import assert_close, assert_equal

V, E, H = 9, 4, 5
TOKENS = np.random.default_rng(0).integers(0, V, 200)
STEPS = 8  # of an epoch
SIDES = {
    "reference": (LanguageModel, optim, training, np.float64),
    "torch_impl": (torch_impl.models.language_model.LanguageModel, torch_impl.training.optim, torch_impl.training.loop, "float64"),
}
both_sides = pytest.mark.parametrize("side", SIDES)


def data(epoch):
    """Eight windows of three streams, which start at another place in each epoch."""
    return batches.windows(np.roll(TOKENS, -epoch)[:193], 3, 8)


def build(side, kind="Adam", seed=1, **options):
    make, optimizers, _, dtype = SIDES[side]
    model = make(V, E, H, 2, dtype=dtype, rng=np.random.default_rng(seed), **{"dropout": 0.3, **options})
    return model, getattr(optimizers, kind)(model, lr=0.02)


def run(side, model, optimizer, epochs=3, **options):
    schedule = schedules.sequential([schedules.warmup(0.02, 5), schedules.cosine(0.02, 20)], [5])
    return SIDES[side][2].train(
        model, optimizer, data, epochs=epochs, schedule=schedule, max_norm=0.25, validation=lambda: data(7), **options
    )


def weights(model):
    return {k: np.asarray(v) for k, v in model.state_dict().items()}


def assert_same(one, two, check=assert_equal):
    for k, v in weights(one).items():
        check(weights(two)[k], v, k)


@pytest.mark.parametrize("kind", ["SGD", "RMSprop", "Adagrad", "Adam", "AdamW"])
@pytest.mark.parametrize("stop", [1, 7, 8, 13, 16, 23])
@both_sides
def test_stopped_at_any_step_it_goes_on_bit_for_bit(side, stop, kind, tmp_path):
    """Dropout, schedule, clipping and carried state included; also at the last batch of an epoch and right after it."""
    straight = build(side, kind)
    expected = run(side, *straight)
    before = run(side, *build(side, kind), folder=tmp_path, steps=stop)
    assert before.stopped == "steps" and before.counters.step == stop
    resumed = build(side, kind, seed=99)
    after = run(side, *resumed, folder=tmp_path, resume=True)
    assert before.losses + after.losses == expected.losses
    assert before.norms + after.norms == expected.norms
    assert before.evaluations + after.evaluations == expected.evaluations
    assert_same(resumed[0], straight[0])
    assert after.counters == expected.counters and after.stopped == "finished"


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_begun_on_one_side_continued_on_the_other_and_back(cell, kind, tmp_path):
    """As if it had been one side all along, to rounding."""
    alone = build("reference", kind, cell=cell)
    expected = run("reference", *alone)
    for steps, side in ((5, "torch_impl"), (13, "reference"), (21, "torch_impl"), (None, "reference")):
        last = build(side, kind, seed=50, cell=cell) if steps != 5 else build(side, kind, cell=cell)
        result = run(side, *last, folder=tmp_path, resume=True, steps=steps)
    assert_close(np.array(result.losses), np.array(expected.losses[21:]))
    assert_same(last[0], alone[0], assert_close)


@both_sides
def test_the_log_tells_every_step_once_whatever_was_interrupted(side, tmp_path):
    result = run(side, *build(side), epochs=2, folder=tmp_path, save_every=5, steps=13)
    with (tmp_path / LOG).open("a") as file:
        file.write('{"step": 14, "epoch": 1, "loss": 7, "norm": 1, "clipped": false, "lr": 0.1, "time": 1}\n{"step": 15, "epo')
    again = run(side, *build(side), epochs=2, folder=tmp_path, resume=True)
    entries = read_log(tmp_path / LOG)
    steps = [e for e in entries if "loss" in e]
    assert [e["step"] for e in steps] == list(range(1, 17))
    assert [e["loss"] for e in steps] == result.losses + again.losses
    assert [e["validation"] for e in entries if "validation" in e] == result.evaluations + again.evaluations
    assert 0 < sum(e["clipped"] for e in steps) < 16 and all(e["clipped"] == (e["norm"] > 0.25) for e in steps)
    assert steps[0]["lr"] == pytest.approx(0.02 / 3) and steps[5]["lr"] == 0.02
    run(side, *build(side), epochs=1, folder=tmp_path)
    assert len([e for e in read_log(tmp_path / LOG) if "loss" in e]) == 8


class Interrupting:
    """Batches, the k-th of which comes with Ctrl-C."""

    def __init__(self, k, times=1):
        self.k, self.times = k, times

    def __call__(self, epoch):
        for n, batch in enumerate(data(epoch)):
            if (epoch, n) == (1, self.k):
                for _ in range(self.times):
                    os.kill(os.getpid(), signal.SIGINT)
            yield batch


@both_sides
def test_ctrl_c_finishes_the_step_saves_and_says_how_to_go_on(side, tmp_path, capsys):
    expected = run(side, *build(side))
    train, before = SIDES[side][2].train, signal.getsignal(signal.SIGINT)
    options = {"epochs": 3, "schedule": schedules.constant(0.02), "folder": tmp_path}
    result = train(*build(side), Interrupting(2), **options, how="run: again --resume")
    assert (result.stopped, result.counters.step) == ("interrupted", STEPS + 3)
    assert "stopped after step 11: saved in" in (said := capsys.readouterr().err.replace("\n", "")), said
    assert "to go on, run: again --resume" in said
    assert signal.getsignal(signal.SIGINT) is before
    after = train(*build(side, seed=4), data, **options, resume=True)
    straight = train(*build(side), data, epochs=3, schedule=schedules.constant(0.02))
    assert result.losses + after.losses == straight.losses != expected.losses


@both_sides
def test_without_a_folder_ctrl_c_is_no_end_of_training(side):
    """Whoever trains and then measures must not go on with half a training; the step is finished all the same."""
    model, optimizer = build(side)
    with pytest.raises(KeyboardInterrupt):
        SIDES[side][2].train(model, optimizer, Interrupting(2), epochs=3)
    first, other = build(side)
    SIDES[side][2].train(first, other, data, epochs=2, steps=STEPS + 3)
    assert_same(model, first)


@both_sides
def test_a_second_ctrl_c_stops_at_once(side):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        SIDES[side][2].train(*build(side), Interrupting(2, times=2), epochs=3)
    assert signal.getsignal(signal.SIGINT) is before


@both_sides
def test_early_stopping_keeps_the_best(side, tmp_path):
    """A learning rate that is too large makes it worse; a run that has stopped so stays stopped."""
    train, options = SIDES[side][2].train, {"epochs": 50, "patience": 2, "validation": lambda: data(7), "folder": tmp_path}
    model, optimizer = build(side, "SGD", dropout=0.0)
    losses = []

    def schedule(n):
        return 0.1 if n < 2 * STEPS else 5.0

    result = train(model, optimizer, data, schedule=schedule, **options)
    losses = result.evaluations
    assert result.stopped == "patience" and len(losses) == 1 + int(np.argmin(losses)) + 2
    files = checkpoint if side == "reference" else torch_impl.common.checkpoint
    best, _ = build(side, "SGD", seed=8, dropout=0.0)
    files.restore(files.load(tmp_path / BEST), best)
    assert SIDES[side][2].evaluate(best, data(7)) == min(losses) == files.load(tmp_path / BEST).counters["best"]
    again = train(*build(side, "SGD", dropout=0.0), data, resume=True, **options)
    assert (again.stopped, again.losses) == ("patience", [])


@both_sides
def test_a_gradient_that_is_not_finite_stops_the_run_and_names_the_parameter(side, tmp_path):
    """Step 12: an inf in one weight makes the loss NaN; a NaN in one gradient alone is found there."""
    model, optimizer = build(side)
    loss, calls = model.loss, []

    def poisoned(batch):
        calls.append(1)
        if len(calls) == 12:
            if side == "reference":
                with np.errstate(all="ignore"):
                    value = loss(batch)
                pull = model._pullback
                model._pullback = lambda: {k: v * np.nan if k == "head.bias" else v for k, v in pull().items()}
                return value
            model.head.bias.register_hook(lambda g: g * float("nan"))
        return loss(batch)

    model.loss = poisoned
    with pytest.raises(
        NonFiniteError,
        match=r"step 12: the gradient of head.bias is not finite; the last good "
        r"checkpoint is .*last.safetensors",
    ):
        SIDES[side][2].train(model, optimizer, data, epochs=3, folder=tmp_path, save_every=5)
    assert checkpoint.load(tmp_path / LAST).counters["step"] == 10


@both_sides
def test_a_loss_that_is_not_finite_stops_the_run(side, tmp_path):
    model, optimizer = build(side)
    poisoned = {k: v.copy() for k, v in weights(model).items()}
    poisoned["head.bias"][3] = np.inf
    model.load_state_dict(
        poisoned if side == "reference" else {k: torch_impl.training.loop.torch.tensor(v) for k, v in poisoned.items()}
    )
    with np.errstate(invalid="ignore"), pytest.raises(NonFiniteError, match="step 1: the loss is nan"):
        SIDES[side][2].train(model, optimizer, data, epochs=1, folder=tmp_path)
    assert not (tmp_path / LAST).exists()


@both_sides
def test_weights_that_are_not_finite_are_not_saved(side, tmp_path):
    """An infinite step after a finite gradient: the next checkpoint is refused, the one before stays."""
    with np.errstate(all="ignore"), pytest.raises(NonFiniteError, match=r"step 5: .* is not finite, so no checkpoint"):
        SIDES[side][2].train(
            *build(side, "SGD"), data, epochs=1, folder=tmp_path, save_every=1, schedule=lambda n: 0.1 if n < 4 else float("inf")
        )
    assert checkpoint.load(tmp_path / LAST).counters["step"] == 4


@both_sides
def test_evaluation_is_a_mean_over_tokens_and_changes_nothing(side):
    """Windows of different lengths count by their tokens; state, mode and generator are as before."""
    _, _, loop, _ = SIDES[side]
    model, _ = build(side)
    long = batches.windows(TOKENS[:46], 3, 15)
    parts = batches.windows(TOKENS[:46], 3, 4)
    model.loss(parts[0])
    carried, before = model.carried, model.rng.bit_generator.state
    assert loop.evaluate(model, parts) == pytest.approx(loop.evaluate(model, long), rel=1e-14)
    assert model.carried is carried and model.training and model.rng.bit_generator.state == before
    with pytest.raises(ValueError, match="there is no batch to evaluate"):
        loop.evaluate(model, [])


@both_sides
def test_clipping_by_value_comes_after_clipping_by_norm(side):
    model, optimizer = build(side, "SGD", dropout=0.0)
    start = weights(model)
    start = {k: v.copy() for k, v in start.items()}
    SIDES[side][2].train(model, optimizer, data, epochs=1, steps=1, max_norm=1e-3, clip_value=1e-5)
    moved = max(np.abs(weights(model)[k] - v).max() for k, v in start.items())
    assert moved == pytest.approx(0.02 * 1e-5, rel=1e-6)


@both_sides
def test_a_run_without_a_folder_leaves_nothing_and_progress_goes_to_stderr(side, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    result = run(side, *build(side), epochs=1, progress=True)
    assert result.counters.step == STEPS and not list(tmp_path.iterdir())
    assert capsys.readouterr().out == ""


@both_sides
def test_resuming_with_another_model_is_refused(side, tmp_path):
    run(side, *build(side), epochs=1, folder=tmp_path)
    with pytest.raises(checkpoint.CheckpointError, match="is of another LanguageModel"):
        run(side, *build(side, cell="gru"), folder=tmp_path, resume=True)


@both_sides
def test_resuming_with_another_vocabulary_is_refused(side, tmp_path):
    words = [str(k) for k in range(V)]
    run(side, *build(side), epochs=1, folder=tmp_path, vocabulary=words)
    with pytest.raises(checkpoint.CheckpointError, match="its vocabulary is another: entry 0 is '0' there, 'x' here"):
        run(side, *build(side), folder=tmp_path, resume=True, vocabulary=["x", *words[1:]])


@both_sides
@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"max_norm": -1.0}, ValueError, "max_norm must be 0 or more, got -1.0"),
        ({"max_norm": float("nan")}, ValueError, "max_norm must be 0 or more, got nan"),
        ({"norm_type": 0}, ValueError, "norm_type must be a number above 0, got 0"),
        ({"clip_value": -1.0}, ValueError, "clip_value must be 0 or more, got -1.0"),
        ({"epochs": -1}, ValueError, "epochs must not be below zero, got -1"),
        ({"epochs": 1.5}, TypeError, "epochs must be an int, got float"),
        ({"steps": -1}, ValueError, "steps must not be below zero, got -1"),
        ({"save_every": 0, "folder": "unused"}, ValueError, "save_every must be greater than zero, got 0"),
        ({"patience": -1, "validation": list}, ValueError, "patience must be greater than zero, got -1"),
        ({"save_every": 5}, ValueError, "save_every needs a folder"),
        ({"resume": True}, ValueError, "resume needs a folder"),
        ({"patience": 2}, ValueError, "patience needs validation"),
    ],
    ids=str,
)
def test_options_out_of_range_are_refused_before_the_first_step(side, wrong, error, message):
    """A negative max_norm would turn every gradient round, and train uphill without a word."""
    model, optimizer = build(side)
    start = {k: v.copy() for k, v in weights(model).items()}
    with pytest.raises(error, match=message):
        SIDES[side][2].train(model, optimizer, data, **{"epochs": 1} | wrong)
    assert all((weights(model)[k] == v).all() for k, v in start.items())


@both_sides
def test_a_pass_without_a_batch_is_not_a_pass(side, tmp_path):
    with pytest.raises(ValueError, match=r"batches\(0\) must give at least one batch, got none"):
        SIDES[side][2].train(*build(side), lambda epoch: [], epochs=1, folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_both_sides_tell_the_same_story(tmp_path):
    """The same log but for the roundings and the time."""
    results = {side: run(side, *build(side), folder=tmp_path / side) for side in SIDES}
    one, two = (read_log(tmp_path / side / LOG) for side in SIDES)
    assert [list(e) for e in one] == [list(e) for e in two]
    for a, b in zip(one, two, strict=True):
        for key in a.keys() - {"time"}:
            assert a[key] == pytest.approx(b[key], rel=1e-12), key
    assert results["reference"].counters == results["torch_impl"].counters._replace(best=results["reference"].counters.best)
