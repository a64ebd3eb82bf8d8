"""Numbers that were once wrong: full precision, bands, seasons, ridges, data that have changed."""

import json

import numpy as np
import pytest

from reference.forecast import windows
from reference.forecast.evaluation import baselines
from reference.forecast.evaluation.band import conformal, needed
from reference.forecast.kept import open_run

from .runs import SIDES, asked, both_sides, command, days, rows_of, small, wave, write


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
