"""Numbers that were once wrong: full precision, bands, seasons, ridges, data that have changed, several series, any horizon."""

import csv
import json

import numpy as np
import pytest

from reference.forecast import windows
from reference.forecast.evaluation import baselines
from reference.forecast.evaluation.band import band, conformal, needed
from reference.forecast.evaluation.evaluate import evaluate
from reference.forecast.evaluation.metrics import quantile_loss
from reference.forecast.kept import open_run
from reference.forecast.train import ahead, fit, forecasts, prepare, whole

from .runs import SIDES, asked, both_sides, command, noisy, options, wave, write


def rows_of(file):
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))


def days(values, start="2024-01-01"):
    first = np.datetime64(start)
    return [(str(first + k), repr(float(v))) for k, v in enumerate(values)]


def small(file, run, *more, target="x"):
    sizes = ["--window", "8", "--horizon", "3", "--hidden", "4", "--epochs", "1", "--no-progress"]
    return ["train", "--csv", file, "--time", "time", "--target", target, *sizes, *more, "--run", run]


@both_sides
def test_a_counter_is_forecast_in_full_precision_and_shown_in_digits_that_say_something(backend, tmp_path, capsys):
    file, run = tmp_path / "own.csv", tmp_path / "run"
    write(file, days(1_000_000_000 + 20.25 * np.arange(80) + np.sin(np.arange(80))), ("time", "x"))
    assert command(backend, *small(file, run)) == 0
    capsys.readouterr()
    assert command(backend, "predict", "--run", run, "--no-plots") == 0
    values = [float(r["x"]) for r in rows_of(run / "forecast.csv")]
    shown = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("2024")]
    assert len(set(values)) == 3 and all(v != float(f"{v:.6g}") for v in values)
    assert all(1e9 < v < 1e9 + 4000 for v in values)
    assert shown == [f"{v:,.0f}" for v in values]


# Bands.


def test_a_conformal_band_by_hand():
    residuals = np.array([[3.0, -1, 4, -2, 0.5, 6, -5, 7, 8]])  # 9: the 8th smallest of the absolute values
    np.testing.assert_array_equal(conformal(residuals), [7])
    np.testing.assert_array_equal(conformal(residuals[:, :4]), [4])  # 4: ceil(5 * 0.8) = 4, the largest
    assert conformal(residuals[:, :3]) is None and needed(0.8) == 4


def test_a_band_holds_what_it_says_of_what_is_like_its_residuals():
    rng, inside = np.random.default_rng(0), []
    for _ in range(2000):
        drawn = rng.standard_t(3, (1, 10))
        inside.append(abs(drawn[0, 9]) <= conformal(drawn[:, :9])[0])
    assert 0.78 < np.mean(inside) < 0.83


def test_a_forecast_lies_in_the_middle_of_its_band(tmp_path):
    """Also of a model whose errors all have one sign: a series that grows, which it has not learned."""
    file, run = tmp_path / "own.csv", tmp_path / "run"
    write(file, days(np.arange(90) + np.sin(np.arange(90))), ("time", "x"))
    assert command("reference", *small(file, run)) == 0
    assert command("reference", "predict", "--run", run, "--no-plots") == 0
    for r in rows_of(run / "forecast.csv"):
        assert float(r["lower"]) < float(r["x"]) < float(r["upper"])
        assert float(r["x"]) - float(r["lower"]) == pytest.approx(float(r["upper"]) - float(r["x"]))


def test_too_few_windows_make_no_band_and_that_is_said(tmp_path, capsys):
    file, run = write(tmp_path / "own.csv", days(np.sin(np.arange(40.0))), ("time", "x")), tmp_path / "run"
    assert command("reference", *small(file, run, "--validation", "5")) == 0
    assert command("reference", "evaluate", "--run", run, "--no-plots") == 0
    assert "There is no band: 3 windows of the validation part are too few, one of 80% needs 4" in capsys.readouterr().out
    assert json.loads((run / "test.json").read_text())["covered"] is None
    assert command("reference", "predict", "--run", run) == 0
    assert all(r["lower"] == r["upper"] == "" for r in rows_of(run / "forecast.csv"))
    assert "3 windows of the validation part are too few" in capsys.readouterr().out


def test_a_band_says_from_what_it_is_made(tmp_path, capsys):
    file, run = write(tmp_path / "own.csv", wave()), tmp_path / "run"
    assert command("reference", *asked(file), "--run", run) == 0
    capsys.readouterr()
    assert command("reference", "predict", "--run", run, "--no-plots") == 0
    assert "the band of 80% is made from the errors of 22 windows of the validation part" in capsys.readouterr().out


# Seasons.


def test_the_season_is_guessed_from_the_frequency(tmp_path, capsys):
    """Else seasonal naive is persistence, and MASE flatters."""
    file, run = write(tmp_path / "own.csv", wave()), tmp_path / "run"
    words = [w for w in asked(file) if w not in ("--season", "12")]
    assert command("reference", *words, "--run", run) == 0
    assert "season 12 (from the frequency, every month, at day 1)" in capsys.readouterr().out
    assert command("reference", "evaluate", "--run", run, "--no-plots") == 0
    overall = json.loads((run / "test.json").read_text())["overall"]
    assert overall["seasonal naive"]["rmse"] < 0.7 * overall["persistence"]["rmse"]


def test_a_season_that_is_too_long_says_so(tmp_path, capsys):
    file = write(tmp_path / "own.csv", wave())
    assert command("reference", *asked(file), "--season", "130", "--run", tmp_path / "run") == 2
    assert "try a smaller --season" in capsys.readouterr().err


# The linear baseline.


def test_the_linear_baseline_is_hard_to_beat_also_where_it_has_more_weights_than_windows():
    """50 windows for 55 weights, of a series without a pattern: by plain least squares it would be several times as wrong."""
    rng = np.random.default_rng(3)
    values = np.column_stack([np.cumsum(rng.standard_normal(200)), rng.standard_normal((200, 4))])
    cut = [windows.origins(11, 1, *rows) for rows in ((0, 61), (61, 90), (90, 200))]
    train, held, test = (windows.Windows(values, o, np.zeros(len(o), int), 11, 1) for o in cut)
    assert len(train.origins) == 50
    linear = baselines.Linear(train, held)
    truth, naive = test.future[..., 0].T, baselines.persistence(test)

    def rmse(f):
        return np.sqrt(((f - truth) ** 2).mean())

    design = np.column_stack([np.ones(50), train.past.reshape(50, -1)])
    plain = np.linalg.lstsq(design, train.future[..., 0], rcond=None)[0]
    assert rmse(np.column_stack([np.ones(len(test.origins)), linear.design(test)]) @ plain.T.T[:, 0]) > 2 * rmse(naive)
    assert linear.ridge > 0 and rmse(linear(test)) < 1.1 * rmse(naive)


# Data that have changed.


@both_sides
@pytest.mark.parametrize("row", [3, 130, 155], ids=["train", "validation", "test"])
def test_changed_data_are_noticed_in_every_part(backend, row, tmp_path, capsys):
    file, run = write(tmp_path / "own.csv", wave()), tmp_path / "run"
    assert command(backend, *asked(file), "--run", run) == 0
    changed = wave()
    changed[row] = (changed[row][0], "-500", changed[row][2])
    write(file, changed)
    for words in (["evaluate", "--run", run], ["predict", "--run", run], ["train", "--resume", "--run", run]):
        capsys.readouterr()
        assert command(backend, *words) == 2
        error = capsys.readouterr().err
        assert f"1 rows of own differ, the first is row {row + 1}, {changed[row][0]}-01: 'x' was " in error and "is -500" in error


def test_rows_that_are_gone_are_noticed(tmp_path, capsys):
    file, run = write(tmp_path / "own.csv", wave()), tmp_path / "run"
    assert command("reference", *asked(file), "--run", run) == 0
    write(file, wave()[:-2])
    assert command("reference", "evaluate", "--run", run) == 2
    assert "own has 158 rows and had 160" in capsys.readouterr().err


def test_a_run_goes_on_when_rows_were_added(tmp_path):
    file = write(tmp_path / "own.csv", wave())
    for name, more in (("whole", ["--epochs", 2]), ("parts", ["--epochs", 1])):
        assert command("reference", *asked(file), *more, "--run", tmp_path / name) == 0
    write(file, [*wave(), ("2013-05", "0.1", "0.2")])
    assert command("reference", "train", "--resume", "--epochs", 2, "--no-progress", "--run", tmp_path / "parts") == 0
    task, _, new = open_run(SIDES["reference"], tmp_path / "parts")
    assert new == 1 and task.parts[0].end == 161 and task.options["series"]["parts"][0][:2] == [112, 136]


def in_berlin(count):
    """Hours from 2024-03-25T00:00+01:00 on, of which the 145th begins summer time"""
    utc = np.datetime64("2024-03-24T23:00") + np.arange(count) * np.timedelta64(1, "h")
    hours = [1 + (t >= np.datetime64("2024-03-31T01:00")) for t in utc]
    return [f"{t + np.timedelta64(h, 'h')}:00+0{h}:00" for t, h in zip(utc, hours, strict=True)]


def test_a_run_goes_on_when_summer_time_begins(tmp_path, capsys):
    """The rows of the training are what they were, and what was at noon then is at noon now."""
    x = np.sin(np.arange(200.0))
    rows = [(t, repr(float(v))) for t, v in zip(in_berlin(200), x, strict=True)]
    file, run = write(tmp_path / "own.csv", rows[:120], ("time", "x")), tmp_path / "run"
    assert command("reference", *small(file, run)) == 0
    write(file, rows, ("time", "x"))
    assert command("reference", "evaluate", "--run", run, "--no-plots") == 0
    assert "80 rows are new since the training" in capsys.readouterr().out
    for more in ([], ["--csv", write(tmp_path / "recent.csv", rows[-20:], ("time", "x"))]):
        assert command("reference", "predict", "--run", run, "--no-plots", *more) == 0
        assert rows_of(run / "forecast.csv")[0]["time"] == "2024-04-02T08:00+01:00" and rows[-1][0] == "2024-04-02T08:00:00+02:00"


def test_a_part_of_the_year_does_not_blow_up_the_calendar(tmp_path):
    """Five days say nothing of the year: a month ahead the forecast is about where the series has always been."""
    file, run = write(tmp_path / "own.csv", wave()), tmp_path / "run"
    hours = np.datetime64("2024-01-01T00") + np.arange(160)
    write(file, [(str(t) + ":00", x) for t, (_, x, _) in zip(hours, wave(), strict=True)], ("time", "x"))
    assert command("reference", *small(file, run), "--calendar", "--season", "12") == 0
    task, _, _ = open_run(SIDES["reference"], run)
    [scale] = task.scaling
    year = scale.forth(np.array([0, 0, -1.0, 0, 0, 0, 0]))[2]  # the cosine half a year later
    assert task.series[0].columns[2] == "cos of year" and -4 < year < -3.9


# Forecasts of the test part, of any horizon, of several series, with what is known.


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


# Bad words.


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('time,x\n2020-01-01,"1\n' + "2020-01-02,2\n" * 20_000, "cannot be cut into columns: EOF inside string"),
        ("time,x\n2020-01-01,1\n2020-01-02,2,3\n", "cannot be cut into columns: Expected 2 fields in line 3, saw 3"),
        (
            "time,x\n01/02/2020,1\n02/03/2020,2\n",
            "can be read in two ways; name its form by --date-format: '%d/%m/%Y' (day/month/year)",
        ),
        ("time,x\n2020-01-01,1\0\n", "has zero bytes, so it is no text"),
        ("time,x\n2020-01-01T10:00+01:00,1\n2020-01-01T11:00,2\n", "some times have an offset from UTC and some have none: row 2"),
        ("time,value, value\n2020,1,2\n", "two columns of one name: 'value'"),
        ("time,x,\n2020-01-01,1,7\n", "column 3 has values and no name in the header line"),
        ("time,x\n2020-01-01,1\n", "1 values of 'x' are too few to forecast anything"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(content, said, tmp_path, capsys):
    file = tmp_path / "own.csv"
    file.write_text(content, encoding="utf-8")
    target = "value" if "value" in content.partition("\n")[0] else "x"
    assert command("reference", *small(file, tmp_path / "run", target=target)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and said in error, error


def test_other_bad_words(tmp_path, capsys):
    file, run = write(tmp_path / "own.csv", wave()), tmp_path / "run"
    (tmp_path / "latin.csv").write_bytes("time,Wärme\n2020,1\n".encode("cp1252"))
    assert command("reference", *small(tmp_path / "latin.csv", run, target="Wärme")) == 2
    assert "is not utf-8: byte 0xe4 at position 6; name its encoding by --encoding" in capsys.readouterr().err
    assert command("reference", *asked(file), "--run", run) == 0
    with pytest.raises(SystemExit):
        command("reference", "evaluate", "--run", run, "--refits", "-3")
    assert "argument --refits: must be 0 or more, got -3" in capsys.readouterr().err
    assert command("reference", "evaluate", "--run", run, "--refits", "30") == 2
    assert "--refits must be from 1 to 8, the blocks of a horizon that the test part holds, got 30" in capsys.readouterr().err


def test_figures_that_are_not_finite_are_null(tmp_path):
    """A test part that is constant has no variance, and a perfect persistence no skill beside it."""
    x = np.sin(np.arange(100.0))
    x[-25:] = 0.5
    file, run = write(tmp_path / "own.csv", days(x), ("time", "x")), tmp_path / "run"
    assert command("reference", *small(file, run)) == 0
    assert command("reference", "evaluate", "--run", run, "--no-plots") == 0
    figures = json.loads((run / "test.json").read_text(), parse_constant=pytest.fail)
    assert figures["overall"]["persistence"]["r2"] is None
