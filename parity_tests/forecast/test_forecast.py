"""The application's numbers: nothing sees the future, baselines and metrics are what they say."""

import numpy as np
import pytest

from reference.forecast import windows
from reference.forecast.evaluation import baselines, metrics
from reference.forecast.train import prepare

from .runs import noisy, options, wave, write

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


def test_a_model_that_does_not_beat_the_baselines_is_said_to():
    true = np.random.default_rng(0).standard_normal((2, 50))
    forecasts = {"lstm direct": true + 0.3, "persistence": true + 1, "linear": true + np.array([[0.1], [0.5]])}
    steps = {n: metrics.figures(f, true, forecasts["persistence"], 1) for n, f in forecasts.items()}
    overall = {n: metrics.figures(f, true, forecasts["persistence"], 1, axis=None) for n, f in forecasts.items()}
    said = metrics.verdict("lstm direct", overall, steps)
    assert said.startswith("lstm direct beats every baseline") and said.endswith("better at step 1 ahead.")
    overall["lstm direct"] = overall["persistence"]
    assert metrics.verdict("lstm direct", overall, steps).startswith("lstm direct does NOT beat persistence and linear")
