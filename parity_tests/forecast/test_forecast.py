"""The application's numbers: nothing sees the future, baselines and metrics are what they say."""

import numpy as np
import pytest

from reference.forecast import windows
from reference.forecast.evaluation import baselines, metrics
from reference.forecast.evaluation.evaluate import evaluate, rolling
from reference.forecast.series import SeriesError
from reference.forecast.train import build, prepare

from .runs import SIDES, noisy, options, wave, write

# Windows, parts, scaling.


def cut_out(values, T, K, start, stop):
    origins = windows.origins(T, K, start, stop)
    return windows.Windows(values, origins, np.zeros(len(origins), int), T, K)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_no_window_sees_the_future(part):
    """By the rows themselves: values that are their row's number."""
    N, T, K = 50, 6, 4
    values = np.arange(N, dtype=float)[:, None]
    cut = windows.parts(N, T, K, 0.2, 0.2)
    start, stop = cut.rows(part)
    windowed = cut_out(values, T, K, start, stop)
    assert len(windowed.origins) == stop - K + 1 - max(start, T)
    for past, future, o in zip(windowed.past[..., 0], windowed.future[..., 0], windowed.origins, strict=True):
        np.testing.assert_array_equal(past, np.arange(o - T, o))
        np.testing.assert_array_equal(future, np.arange(o, o + K))
        assert start <= future.min() and future.max() < stop


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_what_comes_later_changes_nothing_that_a_forecast_is_made_of(part):
    """Scaling, training windows, every baseline and the model's input: rows from an origin on are replaced."""
    s = noisy()
    o = options("--window", 24, "--horizon", 6, "--season", 12)
    task = prepare(o, [s])
    origin = int(task.windows(part).origins[-1])
    changed = s.values.copy()
    changed[max(origin, task.parts[0].train) :] = 1e6
    other = prepare(o, [s._replace(values=changed)])
    assert all(np.array_equal(a, b) for a, b in zip(task.scaling[0], other.scaling[0], strict=True))
    np.testing.assert_array_equal(task.windows("train").past, other.windows("train").past)
    np.testing.assert_array_equal(task.windows("train").future, other.windows("train").future)
    if part != "train":
        np.testing.assert_array_equal(task.windows(part).past[-1], other.windows(part).past[-1])
        assert (task.windows(part).future[-1] != other.windows(part).future[-1]).all()
        for name, f in simple(task, part).items():
            if (name, part) != ("linear", "validation"):  # its ridge is chosen there
                np.testing.assert_array_equal(f[:, -1], simple(other, part)[name][:, -1], name)


def simple(task, part):
    return baselines.all_of(baselines.Linear(task.windows("train"), task.windows("validation")), task.windows(part), 12)


@pytest.mark.parametrize(
    ("rows", "season", "train", "fits"),
    [
        (15, 9, 9, True),  # two windows of 5 and 3 for training, one for validation, one for test
        (14, 8, 8, False),
        (16, 10, 10, True),  # as many rows for training as a season has
        (16, 11, 10, False),
    ],
)
def test_how_many_rows_are_needed(rows, season, train, fits):
    if fits:
        cut = windows.parts(rows, 5, 3, 3, 3, season)
        assert cut == (train, train + 3, rows)
        found = [len(windows.origins(5, 3, *cut.rows(part))) for part in ("train", "validation", "test")]
        assert found == [train - 7, 1, 1]
    else:
        what = "--season" if season > 10 else "--window or --horizon"
        said = f"need {max(9, season)} rows for training and 3 for validation and for test, there are {train}, 3 and 3; .*{what}$"
        with pytest.raises(SeriesError, match=said):
            windows.parts(rows, 5, 3, 3, 3, season)


@pytest.mark.parametrize(("validation", "test"), [(2, 3), (3, 2)])
def test_validation_and_test_part_need_a_horizon_each(validation, test):
    assert windows.parts(30, 5, 3, 3, 3) == (24, 27, 30)
    for season in (1, 25):  # of which there are as many rows for training
        with pytest.raises(SeriesError, match=f"there are 25, {validation} and {test}; try a smaller --window or --horizon"):
            windows.parts(30, 5, 3, validation, test, season)


@pytest.mark.parametrize(("season", "what"), [(9, "--window or --horizon"), (30, "--window or --horizon")])
def test_a_smaller_season_is_advised_only_where_it_would_do(season, what):
    """8 rows for training are too few for windows of 5 and 3, whatever the season."""
    with pytest.raises(SeriesError, match=f"try a smaller {what}$"):
        windows.parts(14, 5, 3, 3, 3, season)
    with pytest.raises(SeriesError, match=r"try a smaller --season$"):
        windows.parts(15, 5, 3, 3, 3, 10)


def with_column(mean, deviation):
    """noisy(), its second column so"""
    s = noisy()
    return s._replace(values=np.column_stack([s.values[:, 0], mean + deviation * np.where(np.arange(160) % 2, 1, -1)]))


@pytest.mark.parametrize(("mean", "deviation"), [(1.0, 2e-14), (-1.0, 2e-14), (1000.0, 2e-11), (1e-20, 1e-22), (0.0, 1e-100)])
def test_a_column_that_is_nearly_constant_is_read(mean, deviation):
    """One that moves by more than 1e-14 of its mean; below that, rounding moves it as much."""
    task = prepare(options("--window", 8, "--horizon", 3), [with_column(mean, deviation)])
    assert 0.5 < abs(task.rows[:, 1]).max() < 2


@pytest.mark.parametrize(("mean", "deviation"), [(1.0, 5e-15), (-1.0, 5e-15), (1000.0, 5e-12), (0.0, 0.0), (1e-20, 0.0)])
def test_a_column_that_only_rounding_moves_is_constant(mean, deviation):
    with pytest.raises(SeriesError, match="noisy: column 'y' is constant in the training part"):
        prepare(options("--window", 8, "--horizon", 3), [with_column(mean, deviation)])


def test_as_many_refits_as_the_part_has_blocks():
    """24 rows, blocks of 3: eight models, each for the windows of its block; neither none nor nine."""
    task = prepare(options("--window", 8, "--horizon", 3, "--hidden", 2, "--epochs", 1), [noisy()])
    assert len(rolling(SIDES["reference"], task, "test", 8).windows.origins) == 8
    assert len(rolling(SIDES["reference"], task, "test", 1).windows.origins) == 22
    for refits in (0, 9):
        said = f"--refits must be from 1 to 8, the blocks of a horizon that the test part holds, got {refits}"
        with pytest.raises(ValueError, match=said):
            rolling(SIDES["reference"], task, "test", refits)


def test_scaling_goes_back():
    task = prepare(options("--window", 24), [noisy()])
    windowed = task.windows("test")
    np.testing.assert_allclose(task.truth(windowed)[2], task.series[0].values[windowed.origins + 2, 0], atol=1e-12)
    np.testing.assert_allclose(task.rows[: task.parts[0].train].mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(task.rows[: task.parts[0].train].std(0), 1)


def test_a_short_file_is_passed_over_more_often(tmp_path):
    """112 training rows, 105 windows, 2 batches a pass: 400 passes for 800 steps; a number that is given is kept."""
    own = "--csv", write(tmp_path / "own.csv", wave()), "--target", "x", "--window", 5, "--horizon", 3
    assert prepare(options(*own)).options["epochs"] == 400
    assert prepare(options(*own, "--epochs", 7)).options["epochs"] == 7
    assert options()["epochs"] == 25


# Baselines and metrics.


@pytest.mark.parametrize("season", [1, 3, 7])
def test_baselines_by_hand(season):
    values = np.random.default_rng(0).standard_normal((40, 2))
    windowed = cut_out(values, 8, 5, 10, 40)
    persistent, seasonal = baselines.persistence(windowed), baselines.seasonal(windowed, season)
    for w, o in enumerate(windowed.origins):
        for k in range(5):
            back = o + k
            while back >= o:
                back -= season
            assert persistent[k, w] == values[o - 1, 0] and seasonal[k, w] == values[back, 0]


def test_the_linear_baseline_finds_a_linear_law():
    rng = np.random.default_rng(0)
    x = np.zeros((300, 2))
    x[:, 1] = rng.standard_normal(300)
    for t in range(2, 300):
        x[t, 0] = 0.5 * x[t - 1, 0] - 0.3 * x[t - 2, 0] + 2 * x[t - 1, 1] + 1
    train, held, test = (cut_out(x, 4, 1, *rows) for rows in ((0, 150), (150, 200), (200, 300)))
    np.testing.assert_allclose(baselines.Linear(train, held)(test)[0], test.future[:, 0, 0], atol=1e-10)


def test_metrics_by_hand():
    true, said, naive = np.array([[1.0, 2, 6]]), np.array([[1.0, 4, 5]]), np.array([[0.0, 0, 0]])
    f = metrics.figures(said, true, naive, scale=metrics.naive_scale(np.array([0.0, 1, 3, 4, 4]), 2))
    assert f.mae == pytest.approx([1]) and f.rmse == pytest.approx([np.sqrt(5 / 3)])
    assert f.mase == pytest.approx([1 / (7 / 3)])  # |3-0|, |4-1|, |4-3|
    assert f.skill == pytest.approx([1 - 5 / 41]) and f.r2 == pytest.approx([1 - 5 / 14])
    perfect = metrics.figures(true, true, naive, 1.0, axis=None)
    assert (perfect.skill, perfect.r2, perfect.mae) == (1, 1, 0)


def test_the_scale_of_mase_by_hand():
    """Of the target, in its units, one season apart, on the training rows alone; the second column is ten times as large."""
    s = noisy()
    s = s._replace(values=s.values * [1, 10])
    task = prepare(options("--window", 8, "--horizon", 3, "--hidden", 4), [s])
    e = evaluate(task, build(SIDES["reference"], task.options), "test")
    x, train = s.values[:, 0].tolist(), 112
    assert task.parts[0].train == train
    steps = [abs(x[t] - x[t - 12]) for t in range(12, train)]
    errors = [abs(x[o + k] - x[o - 1]) for o in range(136, 158) for k in range(3)]
    expected = np.mean(errors) / np.mean(steps)
    assert e.overall["persistence"].mase == pytest.approx(expected, rel=1e-12)
    others = [abs(x[t] - x[t - m]) for m in (1, 12) for t in range(m, 160)]
    assert abs(np.mean(others) / np.mean(steps) - 1) > 0.02  # what it is not would show


def test_a_series_that_repeats_exactly_or_not_once_has_no_scale():
    assert np.isnan(metrics.naive_scale(np.array([1.0, 2, 1, 2, 1]), 2))
    assert np.isnan(metrics.naive_scale(np.array([1.0, 2, 4]), 3))
    assert metrics.naive_scale(np.array([1.0, 2, 4]), 2) == 3


def test_a_model_that_does_not_beat_the_baselines_is_said_to():
    true = np.random.default_rng(0).standard_normal((2, 50))
    forecasts = {"lstm direct": true + 0.3, "persistence": true + 1, "linear": true + np.array([[0.1], [0.5]])}
    steps = {n: metrics.figures(f, true, forecasts["persistence"], 1) for n, f in forecasts.items()}
    overall = {n: metrics.figures(f, true, forecasts["persistence"], 1, axis=None) for n, f in forecasts.items()}
    said = metrics.verdict("lstm direct", overall, steps)
    assert said.startswith("lstm direct beats every baseline") and said.endswith("better at step 1 ahead.")
    overall["lstm direct"] = overall["persistence"]
    assert metrics.verdict("lstm direct", overall, steps).startswith("lstm direct does NOT beat persistence and linear")
