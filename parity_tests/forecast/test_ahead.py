"""What is forecast: every window of the test part, any horizon, several series, with what is known, in quantiles, from levels."""

import json

import numpy as np
import pytest

from reference.forecast.evaluation.band import band
from reference.forecast.evaluation.evaluate import evaluate
from reference.forecast.evaluation.metrics import quantile_loss
from reference.forecast.train import ahead, fit, forecasts, prepare, whole

from .runs import SIDES, asked, both_sides, command, days, noisy, options, rows_of, small, wave, write


def test_every_forecast_of_the_test_part_is_written(tmp_path):
    file, run = write(tmp_path / "own.csv", wave()), tmp_path / "run"
    assert command("reference", *asked(file), "--run", run) == 0
    assert command("reference", "evaluate", "--run", run, "--no-plots") == 0
    rows, figures = rows_of(run / "test-forecasts.csv"), json.loads((run / "test.json").read_text())
    assert len(rows) == 3 * figures["windows"]
    for name in ("gru direct", "seasonal naive", "linear"):
        errors = np.array([float(r[name]) - float(r["truth"]) for r in rows])
        assert np.sqrt((errors**2).mean()) == pytest.approx(figures["overall"][name]["rmse"], rel=1e-12)
    assert rows[0]["origin"] < rows[0]["time"] and rows[2]["step"] == "3"
    inside = [float(r["lower"]) <= float(r["truth"]) <= float(r["upper"]) for r in rows]
    assert np.mean(inside) == pytest.approx(figures["covered"])


@both_sides
@pytest.mark.parametrize("mode", ["direct", "recursive", "encdec"])
def test_predict_any_horizon(backend, mode, tmp_path, capsys):
    """A longer forecast begins as a shorter one."""
    file, run = write(tmp_path / "own.csv", wave()), tmp_path / "run"
    words = [w for w in asked(file, "--mode", mode) if w not in ("--features", "y")]
    assert command(backend, *words, "--calendar", "--run", run) == 0
    found = {}
    for horizon in (1, 3, 8):
        assert command(backend, "predict", "--run", run, "--horizon", horizon, "--no-plots") == 0
        found[horizon] = rows_of(run / "forecast.csv")
        assert len(found[horizon]) == horizon
        assert all(float(r["lower"]) < float(r["upper"]) for r in found[horizon])
    assert [r["time"] for r in found[8]][:1] == ["2013-05-01"]
    for n in (1, 3):
        assert [float(r["x"]) for r in found[8][:n]] == pytest.approx([float(r["x"]) for r in found[n]], rel=1e-6)


@pytest.mark.parametrize(
    ("times", "after"),
    [
        (None, ["160", "161", "162"]),  # rows, the first is 0
        ([f"{7 + 0.25 * k}" for k in range(160)], ["47", "47.25", "47.5"]),
        ([f"{0.1 * k:.1f}" for k in range(160)], ["16", "16.1", "16.2"]),
        ([str(1_700_000_000_000 + 60_000 * k) for k in range(160)], ["1700009600000", "1700009660000", "1700009720000"]),
        ([str(2.5e5 + 0.001 * k) for k in range(160)], ["250000.16", "250000.161", "250000.162"]),
    ],
    ids=["rows", "quarters", "tenths", "milliseconds", "many digits"],
)
def test_the_times_of_a_forecast_go_on_by_the_steps_of_the_numbers(times, after, tmp_path):
    file, run = tmp_path / "own.csv", tmp_path / "run"
    write(file, [(t, x) for t, (_, x, _) in zip(times or "-" * 160, wave(), strict=True)], ("time", "x"))
    words = small(file, run)
    assert command("reference", *(words if times else [w for w in words if w not in ("--time", "time")])) == 0
    assert command("reference", "predict", "--run", run, "--no-plots") == 0
    assert [r["time"] for r in rows_of(run / "forecast.csv")] == after


def test_a_direct_model_with_features_does_not_go_beyond_its_horizon(tmp_path, capsys):
    file, run = write(tmp_path / "own.csv", wave()), tmp_path / "run"
    assert command("reference", *asked(file), "--run", run) == 0
    assert command("reference", "predict", "--run", run, "--horizon", "4") == 2
    assert "so it cannot go on to 6; train with --horizon 6, or with --mode recursive" in capsys.readouterr().err


def test_a_chained_forecast_by_hand():
    """The second block reads the first block's forecasts in place of rows."""
    s = noisy()
    s = s._replace(columns=("x",), values=s.values[:, :1])
    task = prepare(options("--window", 8, "--horizon", 3, "--hidden", 4, "--epochs", 1), [s])
    model, _ = fit(SIDES["reference"], task)
    past, none = task.rows[-8:, None], np.zeros((6, 1, 0))
    first = model.ahead(past, none[:3])
    second = model.ahead(np.concatenate([past[3:], first]), none[:3])
    assert whole(model, 4) == 6
    np.testing.assert_array_equal(ahead(model, past, none, 6), np.concatenate([first, second]))


def several_rows(n=100):
    rng, rows = np.random.default_rng(0), []
    for name, size, start in (("a", 1.0, 0.0), ("b", 1000.0, 5e4)):
        x = start + size * (np.sin(2 * np.pi * np.arange(n) / 7) + 0.1 * rng.standard_normal(n))
        rows += [(name, *row) for row in days(x)]
    return rows


@both_sides
def test_several_series_are_scaled_and_judged_each_by_itself(backend, tmp_path, capsys):
    file, run = write(tmp_path / "own.csv", several_rows(), ("which", "time", "x")), tmp_path / "run"
    assert command(backend, *small(file, run, "--id", "which", "--epochs", "20")) == 0
    assert "2 series: a (100 rows), b (100 rows)" in capsys.readouterr().out
    assert command(backend, "evaluate", "--run", run, "--no-plots") == 0
    figures = json.loads((run / "test.json").read_text())
    a, b = figures["series"]["a"], figures["series"]["b"]
    assert 100 < b["persistence"]["rmse"] / a["persistence"]["rmse"] < 10_000
    assert figures["overall"]["persistence"]["mase"] == pytest.approx((a["persistence"]["mase"] + b["persistence"]["mase"]) / 2)
    assert command(backend, "predict", "--run", run, "--no-plots") == 0
    rows = rows_of(run / "forecast.csv")
    assert [r["series"] for r in rows] == ["a"] * 3 + ["b"] * 3
    assert all(abs(float(r["x"])) < 5 for r in rows[:3]) and all(4e4 < float(r["x"]) < 6e4 for r in rows[3:])


def test_a_series_that_is_alone_is_forecast_as_in_the_panel(tmp_path, capsys):
    file, run = write(tmp_path / "own.csv", several_rows(), ("which", "time", "x")), tmp_path / "run"
    assert command("reference", *small(file, run, "--id", "which")) == 0
    assert command("reference", "predict", "--run", run, "--no-plots") == 0
    both = rows_of(run / "forecast.csv")
    alone = write(tmp_path / "b.csv", several_rows()[100 + 80 :], ("which", "time", "x"))
    assert command("reference", "predict", "--run", run, "--csv", alone, "--no-plots") == 0
    assert rows_of(run / "forecast.csv") == both[3:]
    strange = write(tmp_path / "c.csv", [("c", *r[1:]) for r in several_rows()[:20]], ("which", "time", "x"))
    assert command("reference", "predict", "--run", run, "--csv", strange) == 2
    assert "series 'c' was not in the training" in capsys.readouterr().err


@both_sides
@pytest.mark.parametrize("mode", ["direct", "recursive"])
def test_what_is_known_ahead_is_given_and_not_forecast(backend, mode, tmp_path, capsys):
    """A target that follows what is known on the same day, which no past says."""
    rng = np.random.default_rng(1)
    promo = rng.integers(0, 2, 165)
    rows = [(t, repr(float(10 + 5 * p)), str(p)) for (t, _), p in zip(days(np.zeros(165)), promo, strict=True)]
    rows[160:] = [(t, "", p) for t, _, p in rows[160:]]
    file, run = write(tmp_path / "own.csv", rows, ("time", "x", "promo")), tmp_path / "run"
    words = small(file, run, "--known", "promo", "--mode", mode, "--epochs", "150", "--hidden", "12", "--lr", "0.02")
    assert command(backend, *words) == 0
    assert command(backend, "predict", "--run", run, "--no-plots") == 0
    said = [float(r["x"]) for r in rows_of(run / "forecast.csv")]
    assert said == pytest.approx(10 + 5 * promo[160:163], abs=1.0)
    write(file, rows[:161], ("time", "x", "promo"))
    capsys.readouterr()
    assert command(backend, "predict", "--run", run, "--no-plots") == 2
    assert (
        "must be known for the 3 rows that are forecast, and the file has 1 rows after the last value of 'x'"
        in capsys.readouterr().err
    )


@both_sides
def test_quantiles_are_trained_by_their_loss_and_make_the_band(backend, tmp_path, capsys):
    file, run = write(tmp_path / "own.csv", wave(600)), tmp_path / "run"
    assert command(backend, *asked(file), "--quantiles", "0.1,0.5,0.9", "--epochs", "40", "--run", run) == 0
    assert command(backend, "evaluate", "--run", run, "--no-plots") == 0
    figures, rows = json.loads((run / "test.json").read_text()), rows_of(run / "test-forecasts.csv")
    said = np.array([[float(r[f"quantile {q}"]) for q in ("0.1", "0.5", "0.9")] for r in rows])
    truth = np.array([float(r["truth"]) for r in rows])
    assert (np.diff(said, axis=1) >= 0).all() and 0.5 < figures["covered"] < 1
    assert figures["quantile_loss"] == pytest.approx(quantile_loss(said, truth, np.array([0.1, 0.5, 0.9])))
    assert [float(r["gru direct, quantiles"]) for r in rows] == pytest.approx(said[:, 1])
    assert command(backend, "predict", "--run", run, "--no-plots") == 0
    for r in rows_of(run / "forecast.csv"):
        assert r["lower"] == r["quantile 0.1"] and r["upper"] == r["quantile 0.9"] and r["x"] == r["quantile 0.5"]
    with pytest.raises(SystemExit):
        command(backend, *asked(file), "--quantiles", "0.9,0.5")
    assert command(backend, *asked(file), "--quantiles", "0.1,0.5", "--mode", "recursive", "--run", tmp_path / "no") == 2


def test_one_quantile_makes_no_band(tmp_path, capsys):
    file, run = write(tmp_path / "own.csv", wave()), tmp_path / "run"
    assert command("reference", *asked(file), "--quantiles", "0.5", "--run", run) == 0
    assert command("reference", "evaluate", "--run", run, "--no-plots") == 0
    assert "There is no band: it lies between two quantiles, and the model forecasts one." in capsys.readouterr().out
    assert command("reference", "predict", "--run", run, "--no-plots") == 0
    assert all(r["lower"] == r["upper"] == "" and r["x"] == r["quantile 0.5"] for r in rows_of(run / "forecast.csv"))


@pytest.mark.parametrize("name", ["lower", "series", "time"])
def test_a_target_that_has_the_name_of_another_column_of_the_forecast(name, tmp_path, capsys):
    file, run = write(tmp_path / "own.csv", wave(), ("when", name, "y")), tmp_path / "run"
    words = ["train", "--csv", file, "--time", "when", "--target", name, "--window", "8", "--horizon", "3", "--epochs", "1"]
    assert command("reference", *words, "--no-progress", "--run", run) == 0
    capsys.readouterr()
    assert command("reference", "predict", "--run", run, "--no-plots", "--json") == 0
    rows, [said] = rows_of(run / "forecast.csv"), json.loads(capsys.readouterr().out)["forecast"]
    assert said["time"] == [r["time"] for r in rows] == ["2013-05-01", "2013-06-01", "2013-07-01"]
    for r, v, low in zip(rows, said["forecast"], said["lower"], strict=True):
        assert float(r["forecast"]) == v > float(r["lower"]) == low


@pytest.mark.parametrize("form", [lambda x: f"{x}e-20", lambda x: str(10**15 + round(1000 * float(x)))], ids=["tiny", "far off"])
def test_numbers_of_a_tiny_spread_are_not_constant(form, tmp_path, capsys):
    file, run = write(tmp_path / "own.csv", [(t, form(x), y) for t, x, y in wave()]), tmp_path / "run"
    assert command("reference", *asked(file), "--run", run) == 0
    capsys.readouterr()
    assert command("reference", "predict", "--run", run, "--no-plots") == 0
    shown = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("2013")]
    assert [float(v.replace(",", "")) for v in shown] == pytest.approx(
        [float(r["x"]) for r in rows_of(run / "forecast.csv")], rel=1e-5
    )


def test_a_week_of_business_days_goes_on_after_the_weekend(tmp_path, capsys):
    rows = [(t, v) for t, v in days(np.sin(np.arange(200.0))) if np.is_busday(np.datetime64(t))]  # to Thursday, 2024-07-18
    file, run = write(tmp_path / "own.csv", rows, ("time", "x")), tmp_path / "run"
    assert command("reference", *small(file, run), "--window", "4") == 0
    recent = write(tmp_path / "recent.csv", rows[-4:], ("time", "x"))
    assert command("reference", "predict", "--run", run, "--csv", recent, "--no-plots") == 0
    assert [r["time"] for r in rows_of(run / "forecast.csv")] == ["2024-07-19", "2024-07-22", "2024-07-23"]


def test_numbers_too_large_to_square_are_one_sentence(tmp_path, capsys):
    file = write(tmp_path / "own.csv", [(t, f"{x}e200", y) for t, x, y in wave()])
    assert command("reference", *asked(file), "--run", tmp_path / "run") == 2
    assert "own: the numbers of column 'x' are too large to square" in capsys.readouterr().err


def test_quantile_loss_by_hand():
    said, truth = np.array([[[1.0, 2, 5]]]), np.array([[4.0]])
    assert quantile_loss(said, truth, np.array([0.1, 0.5, 0.9])) == pytest.approx((0.1 * 3 + 0.5 * 2 + 0.1 * 1) / 3)


def test_a_series_that_grows_is_forecast_where_levels_are_taken_off(tmp_path):
    """Beyond all that the training has seen, where a network that reads values says what it knows."""
    t = np.arange(200.0)
    s = noisy()._replace(times=t, columns=("x",), values=(t + 2 * np.sin(t))[:, None])
    words = "--window", 8, "--horizon", 3, "--hidden", 8, "--epochs", 60, "--lr", 0.01
    rmse = {}
    for level in (False, True):
        task = prepare(options(*words, *(["--level"] if level else [])), [s])
        model, _ = fit(SIDES["reference"], task)
        e = evaluate(task, model, "test")
        rmse[level] = e.overall["gru direct"].rmse
        said, _ = forecasts(task, model, task.windows("test"))
        np.testing.assert_array_equal(said, e.forecasts["gru direct"])
        assert band(task, model).windows == 28
    assert rmse[True] < 0.7 * rmse[False]
