"""The forecaster as a model: both sides forecast alike, evaluation is free running, what it is given is checked."""

import re

import numpy as np
import pytest

import reference
import torch_impl.models.forecaster
from reference.common import batches
from reference.common.batches import Windowed
from reference.models.forecaster import MODES

from ..helpers import array, assert_close, draw
from .cases import pair

PAST, FUTURE = np.asarray(draw(1, 6, 4, 2), float), np.asarray(draw(2, 3, 4, 2), float)
BATCH = Windowed(PAST, FUTURE)
each_mode = pytest.mark.parametrize("mode", MODES)


def both(mode, columns=2, **kwargs):
    ours, theirs = pair("forecaster", columns, 3, 5, 2, mode=mode, cell="gru", **kwargs)
    return ours.eval(), theirs.eval()


# Of four columns the last two are known ahead.
WIDE = Windowed(np.asarray(draw(3, 6, 4, 4), float), np.asarray(draw(4, 3, 4, 4), float))
KNOWN = WIDE.future[..., 2:]
LEVELS = (0.1, 0.5, 0.6)


def wide(mode, **kwargs):
    return both(mode, 4, known=2, **kwargs)


@each_mode
def test_both_sides_forecast_alike(mode):
    ours, theirs = both(mode)
    assert_close(theirs.forecast(PAST), ours.forecast(PAST), mode)
    assert_close(theirs.forced(BATCH), ours.forced(BATCH), mode)
    assert ours.forecast(PAST).shape == (3, 4)


@each_mode
def test_the_target_of_a_forecast_plays_no_part_in_it(mode):
    """Neither in the forecast nor, in evaluation mode, in what the loss compares with the truth."""
    ours, _ = both(mode)
    f = ours.forecast(PAST)
    for future in (FUTURE, FUTURE + 5):
        target = future[..., :1] if mode == "direct" else future
        outputs = ours._outputs(Windowed(PAST, future), None)[0]
        assert_close(outputs[..., 0], f, mode)
        assert ours.loss(Windowed(PAST, future)) == pytest.approx(((outputs - target) ** 2).mean(), rel=1e-12)


@pytest.mark.parametrize("mode", ["recursive", "encdec"])
def test_forced_steps_see_the_truth_before_them_and_no_later(mode):
    ours, _ = both(mode)
    f = ours.forced(BATCH)
    for k in range(3):
        moved = FUTURE.copy()
        moved[k] += 1
        changed = (ours.forced(Windowed(PAST, moved)) != f).any(1)
        assert changed.tolist() == [j > k for j in range(3)]
    assert_close(f[0], ours.forecast(PAST)[0], "the first step is the same")


@each_mode
def test_a_network_that_says_nothing_is_persistence(mode):
    ours, _ = both(mode)
    ours.load_state_dict({k: v * (not k.startswith("head")) for k, v in ours.state_dict().items()})
    np.testing.assert_array_equal(ours.forecast(PAST), np.repeat(PAST[-1:, :, 0], 3, axis=0))


@pytest.mark.parametrize(("mode", "quantiles"), [*((mode, ()) for mode in MODES), ("direct", LEVELS)])
def test_both_sides_know_ahead_alike(mode, quantiles):
    ours, theirs = wide(mode, quantiles=quantiles)
    f = ours.ahead(WIDE.past, KNOWN)
    assert f.shape == (3, 4, 3 if quantiles else 1 if mode == "direct" else 2)
    assert_close(theirs.ahead(WIDE.past, KNOWN), f, mode)
    assert_close(ours.forecast(WIDE.past, KNOWN), f[..., 1 if quantiles else 0], "the median, or the first column")
    assert_close(theirs.forecast(WIDE.past, KNOWN), ours.forecast(WIDE.past, KNOWN), mode)
    assert_close(theirs.forced(WIDE), ours.forced(WIDE), mode)
    assert (ours.known, ours.quantiles) == (theirs.known, theirs.quantiles) == (2, quantiles)


@each_mode
def test_only_what_is_known_of_the_future_is_read(mode):
    """In the forecast and, in evaluation mode, in the loss: its known columns, and nothing else of it."""
    ours, _ = wide(mode)
    f = ours.ahead(WIDE.past, KNOWN)
    moved = Windowed(WIDE.past, WIDE.future + np.array([5, 5, 0, 0]))
    for batch in (WIDE, moved):
        assert_close(ours._outputs(batch, None)[0], f, mode)
        assert ours.loss(batch) == pytest.approx(((f - batch.future[..., : f.shape[-1]]) ** 2).mean(), rel=1e-12)


def changed(model, past, known):
    """Which steps of the forecast are others than those of WIDE"""
    return (model.ahead(past, known) != model.ahead(WIDE.past, KNOWN)).any((1, 2)).tolist()


@each_mode
def test_a_step_reads_what_is_known_of_its_own_row(mode):
    """From that step on the forecast is another one; at once in all steps if direct."""
    ours, _ = wide(mode)
    for k in range(3):
        known = KNOWN.copy()
        known[k] += 1
        assert changed(ours, WIDE.past, known) == [mode == "direct" or j >= k for j in range(3)]


@each_mode
def test_the_past_is_read_with_what_is_known_of_the_row_after(mode):
    """So of the first row it plays no part, and of the last one it does; if direct each row has its own."""
    ours, _ = wide(mode)
    for t in (0, 5):
        past = WIDE.past.copy()
        past[t, :, 2:] += 1
        assert changed(ours, past, KNOWN) == [mode == "direct" or t == 5] * 3


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("mode", ["recursive", "encdec"])
def test_a_longer_forecast_goes_on_from_a_shorter_one(mode, side):
    model, known = wide(mode)[side], np.asarray(draw(5, 7, 4, 2), float)
    far = model.ahead(WIDE.past, known, 7)
    assert far.shape == (7, 4, 2)
    for K in (1, 3, 6):
        assert_close(model.ahead(WIDE.past, known[:K], K), far[:K])
    if mode == "recursive":  # what was forecast is then as good as seen
        seen = np.concatenate([WIDE.past, np.concatenate([far[:2], known[:2]], -1)])
        assert_close(model.ahead(seen, known[2:], 5), far[2:])
    assert_close(model.forecast(WIDE.past, known, 7), far[..., 0])


@pytest.mark.parametrize("side", [0, 1])
def test_quantiles_do_not_cross_and_the_middle_one_is_the_forecast(side):
    model = both("direct", quantiles=LEVELS)[side]
    f, learned = model.ahead(PAST), array(model.outputs(BATCH) if side else model._outputs(BATCH, None)[0])
    assert (np.diff(learned) < 0).any(), "they cross before they are sorted"
    assert (np.diff(f) >= 0).all()
    np.testing.assert_array_equal(f, np.sort(learned))
    np.testing.assert_array_equal(model.forecast(PAST), f[..., 1])
    np.testing.assert_array_equal(model.forced(BATCH), f[..., 1])


def test_the_loss_of_quantiles_is_the_mean_of_each_ones():
    ours, _ = both("direct", quantiles=LEVELS)
    f, y = ours._outputs(BATCH, None)[0], FUTURE[..., 0]
    each = [np.maximum(q * (y - x), (q - 1) * (y - x)).mean() for q, x in zip(LEVELS, np.moveaxis(f, -1, 0), strict=True)]
    assert ours.loss(BATCH) == pytest.approx(np.mean(each), rel=1e-12)


@pytest.mark.parametrize("side", [0, 1])
def test_what_a_forecast_lacks_is_said(side):
    model = wide("recursive")[side]
    for known in (None, KNOWN[:2], KNOWN[..., :1], KNOWN[:, :1]):
        given = re.escape("none" if known is None else str(known.shape))
        with pytest.raises(RuntimeError, match=rf"known must be \(3, 4, 2\), the known columns of the steps ahead, got {given}"):
            model.ahead(WIDE.past, known)
    with pytest.raises(RuntimeError, match=r"known must be \(5, 4, 2\)"):
        model.forecast(WIDE.past, KNOWN, 5)
    with pytest.raises(RuntimeError, match=r"known must be \(3, 4, 0\), .*, got \(3, 4, 2\)"):
        both("direct")[side].forecast(PAST, KNOWN)
    for past in (WIDE.past[0], WIDE.past[:1], WIDE.past[..., :2]):
        with pytest.raises(RuntimeError, match=r"past must be \(T, B, 4\) with T at least 2"):
            model.ahead(past, KNOWN)
    with pytest.raises(ValueError, match=r"horizon must be 3, got 5: a direct model forecasts the steps that it was made for"):
        both("direct")[side].ahead(PAST, horizon=5)
    with pytest.raises(ValueError, match=r"horizon must be greater than zero, got 0"):
        model.ahead(WIDE.past, KNOWN, 0)


@pytest.mark.parametrize("package", [reference, torch_impl.models.forecaster], ids=["reference", "torch_impl"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"known": 2}, "known must be below columns, 2, since the first is the target, got 2"),
        ({"known": -1}, "known must not be below zero, got -1"),
        ({"quantiles": (0.1, 0.9)}, "quantiles must hold 0.5, the median, got"),
        ({"quantiles": (0.9, 0.5, 0.1)}, "quantiles must rise from above 0 to below 1, got"),
        ({"quantiles": (0.0, 0.5)}, "quantiles must rise from above 0 to below 1, got"),
        ({"quantiles": 0.5}, "quantiles must rise from above 0 to below 1, got"),
        ({"quantiles": (0.5,), "mode": "recursive"}, "quantiles need mode 'direct', got 'recursive': a step that reads the median"),
        ({"quantiles": (0.5,), "mode": "encdec"}, "quantiles need mode 'direct', got 'encdec'"),
    ],
    ids=str,
)
def test_options_that_do_not_fit_are_refused(options, said, package):
    with pytest.raises(ValueError, match=said):
        package.Forecaster(2, 3, 5, **options)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    ("batch", "said"),
    [
        (Windowed(PAST[:1], FUTURE), "past must be"),
        (Windowed(PAST[..., :1], FUTURE), "past must be"),
        (Windowed(PAST, FUTURE[:2]), "future must be"),
        (Windowed(PAST, FUTURE[:, :1]), "future must be"),
    ],
)
def test_what_does_not_fit_is_refused(batch, said, side):
    with pytest.raises(RuntimeError, match=said):
        both("direct")[side].loss(batch)


def test_the_shares_of_several_processes_are_the_batch():
    ours, _ = both("direct")
    parts = [batches.share(BATCH, rank, 3) for rank in range(3)]
    assert [part.past.shape[1] for part, _ in parts] == [2, 1, 1]
    weighted = sum(n * ours.loss(part) for part, n in parts) / batches.count(BATCH)
    assert weighted == pytest.approx(ours.loss(BATCH), rel=1e-12)


@pytest.mark.parametrize("side", [0, 1])
def test_an_unknown_mode_is_refused(side):
    with pytest.raises(ValueError, match="mode must be one of direct, recursive, encdec, got 'both'"):
        both("both")[side]
