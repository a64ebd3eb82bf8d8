"""The forecaster as a model: both sides forecast alike, evaluation is free running, what it is given is checked."""

import numpy as np
import pytest

from reference.common import batches
from reference.common.batches import Windowed
from reference.models.forecaster import MODES

from ..helpers import assert_close, draw
from .cases import pair

PAST, FUTURE = np.asarray(draw(1, 6, 4, 2), float), np.asarray(draw(2, 3, 4, 2), float)
BATCH = Windowed(PAST, FUTURE)
each_mode = pytest.mark.parametrize("mode", MODES)


def both(mode, **kwargs):
    ours, theirs = pair("forecaster", 2, 3, 5, 2, mode=mode, cell="gru", **kwargs)
    return ours.eval(), theirs.eval()


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
