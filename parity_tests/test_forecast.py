"""The application: nothing sees the future, baselines and metrics are what they say, both sides give the same, errors."""

import csv
import json
import re
import signal
import sys

import numpy as np
import pytest

from notes import forecast_results
from reference import schedules
from reference.checkpoint import load, save
from reference.classifier import Classifier
from reference.forecast import baselines, metrics, series, windows
from reference.forecast.__main__ import SIDE
from reference.forecast.command import main
from reference.forecast.fitting import fit, prepare, truth
from reference.forecast.options import parser, settled
from reference.forecast.series import SeriesError
from reference.runlog import BEST, LAST
from torch_impl.forecast import SIDE as TORCH

SIDES = {"reference": SIDE, "torch_impl": TORCH}
both_sides = pytest.mark.parametrize("side", SIDES)


def wave(rows=160, seed=0):
    """A noisy wave of period 12, and another that runs ahead of it: time, x, y"""
    rng = np.random.default_rng(seed)
    t = np.arange(rows)
    x, y = (np.sin(2 * np.pi * (t + s) / 12) + 0.2 * rng.standard_normal(rows) for s in (0, 3))
    return [(str(np.datetime64("2000-01", "M") + k), f"{a:.6f}", f"{b:.6f}") for k, a, b in zip(t, x, y, strict=True)]


def noisy():
    """The same as a Series"""
    rows = wave()
    return series.Series("noisy", np.arange(len(rows)), ("x", "y"), np.array([r[1:] for r in rows], float), 12)


def write(path, rows, header=("time", "x", "y")):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def options(*arguments):
    return settled(parser("reference").parse_args(["train", *map(str, arguments)]))


def asked(file, *more):
    return ["train", "--csv", file, "--time", "time", "--target", "x", "--features", "y", "--window", "8", "--horizon", "3",
            "--season", "12", "--hidden", "6", "--epochs", "2", "--dtype", "float64", "--no-progress", *more]


def command(side, *arguments):
    return main(SIDES[side], [str(a) for a in arguments])


# Windows, parts, scaling.


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_no_window_sees_the_future(part):
    """By the rows themselves: values that are their row's number."""
    N, T, K = 50, 6, 4
    values = np.arange(N, dtype=float)[:, None]
    cut = windows.parts(N, T, K, 0.2, 0.2)
    start, stop = cut.rows(part)
    found = windows.windows(values, T, K, start, stop)
    assert len(found.origins) == stop - K + 1 - max(start, T)
    for past, future, o in zip(found.past[..., 0], found.future[..., 0], found.origins, strict=True):
        np.testing.assert_array_equal(past, np.arange(o - T, o))
        np.testing.assert_array_equal(future, np.arange(o, o + K))
        assert start <= future.min() and future.max() < stop


def test_windows_are_views():
    values = np.zeros((30, 2))
    found = windows.windows(values, 5, 2, 0, 30)
    assert np.shares_memory(found.past, values) and np.shares_memory(found.future, values)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_what_comes_later_changes_nothing_that_a_forecast_is_made_of(part):
    """Scaling, training windows, every baseline and the model's input: rows from an origin on are replaced."""
    s = noisy()
    o = options("--window", 24, "--horizon", 6, "--season", 12)
    task = prepare(o, s)
    origin = int(task.windows(part).origins[-1])
    changed = s.values.copy()
    changed[max(origin, task.parts.train):] = 1e6
    other = prepare(o, s._replace(values=changed))
    assert all(np.array_equal(a, b) for a, b in zip(task.scaling, other.scaling, strict=True))
    np.testing.assert_array_equal(task.windows("train").past, other.windows("train").past)
    np.testing.assert_array_equal(task.windows("train").future, other.windows("train").future)
    if part != "train":
        np.testing.assert_array_equal(task.windows(part).past[-1], other.windows(part).past[-1])
        assert (task.windows(part).future[-1] != other.windows(part).future[-1]).all()
        for name, f in baselines.all_of(task.values, task.windows("train"), task.windows(part), 12).items():
            g = baselines.all_of(other.values, other.windows("train"), other.windows(part), 12)[name]
            np.testing.assert_array_equal(f[:, -1], g[:, -1], name)


def test_scaling_goes_back():
    task = prepare(options("--window", 24), noisy())
    found = task.windows("test")
    np.testing.assert_allclose(truth(found, task.scaling)[2], task.series.values[found.origins + 2, 0], atol=1e-12)
    np.testing.assert_allclose(task.values[: task.parts.train].mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(task.values[: task.parts.train].std(0), 1)


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
    found = windows.windows(values, 8, 5, 10, 40)
    persistent, seasonal = baselines.persistence(found), baselines.seasonal(values, found, season)
    for w, o in enumerate(found.origins):
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
    train, test = windows.windows(x, 4, 1, 0, 200), windows.windows(x, 4, 1, 200, 300)
    np.testing.assert_allclose(baselines.Linear(train).forecast(test)[0], test.future[:, 0, 0], atol=1e-10)


def test_metrics_by_hand():
    true, said, naive = np.array([[1.0, 2, 6]]), np.array([[1.0, 4, 5]]), np.array([[0.0, 0, 0]])
    f = metrics.figures(said, true, naive, scale=metrics.naive_scale(np.array([0.0, 1, 3, 4, 4]), 2))
    assert f.mae == pytest.approx([1]) and f.rmse == pytest.approx([np.sqrt(5 / 3)])
    assert f.mase == pytest.approx([1 / (7 / 3)])                      # |3-0|, |4-1|, |4-3|
    assert f.skill == pytest.approx([1 - 5 / 41]) and f.r2 == pytest.approx([1 - 5 / 14])
    perfect = metrics.figures(true, true, naive, 1.0, axis=None)
    assert (perfect.skill, perfect.r2, perfect.mae) == (1, 1, 0)


def test_a_model_that_does_not_beat_the_baselines_is_said_to():
    true = np.random.default_rng(0).standard_normal((2, 50))
    made = {"lstm direct": true + 0.3, "persistence": true + 1, "linear": true + np.array([[0.1], [0.5]])}
    steps = {n: metrics.figures(f, true, made["persistence"], 1) for n, f in made.items()}
    overall = {n: metrics.figures(f, true, made["persistence"], 1, axis=None) for n, f in made.items()}
    said = metrics.verdict("lstm direct", overall, steps)
    assert said.startswith("lstm direct beats every baseline") and said.endswith("better at step 1 ahead.")
    overall["lstm direct"] = overall["persistence"]
    assert metrics.verdict("lstm direct", overall, steps).startswith("lstm direct does NOT beat persistence and linear")


# Files of one's own.


def mended(tmp_path, change, **more):
    rows = wave(40)
    change(rows)
    return series.from_csv(write(tmp_path / "own.csv", rows), "time", "x", ["y"], **more)


def nothing(rows):
    pass


def test_a_file_is_read(tmp_path):
    s = mended(tmp_path, nothing, season=12)
    assert (s.name, s.columns, s.season, s.notes) == ("own", ("x", "y"), 12, ())
    np.testing.assert_array_equal(s.values[3], [float(v) for v in wave(40)[3][1:]])
    assert series.shown(series.following(s.times, 3)[2]) == "2003-07-01"


def test_rows_out_of_order_are_sorted_and_said_to_be(tmp_path):
    s = mended(tmp_path, lambda rows: rows.reverse())
    np.testing.assert_array_equal(s.values, mended(tmp_path, nothing).values)
    assert s.notes == ("the rows were not in the order of 'time': they were sorted",)


def test_missing_values_take_the_value_before_them_where_asked(tmp_path):
    def holes(rows):
        for k in (5, 6, 20):
            rows[k] = (rows[k][0], ("", "NA", "nan")[k % 3], rows[k][2])

    s, whole = mended(tmp_path, holes, missing="previous"), mended(tmp_path, nothing)
    np.testing.assert_array_equal(s.values[[5, 6, 20], 0], whole.values[[4, 4, 19], 0])
    assert s.notes == ("column 'x': 3 missing values took the value before them",)
    with pytest.raises(SeriesError, match=r"3 missing values, the first in row 6.*--missing previous"):
        mended(tmp_path, holes)


def put(k, *row):
    return lambda rows: rows.__setitem__(k, row)


@pytest.mark.parametrize(("change", "said"), [
    (put(7, "2000-07", "1", "2"), "2000-07-01 comes twice in 'time'"),
    (lambda rows: rows.pop(7), "steps of 'time' are not even"),
    (put(7, "2000-08", "five", "2"), "column 'x', row 8: 'five' is no number"),
    (put(7, "2000-08", "inf", "2"), "row 8: 'inf' is not finite"),
    (put(7, "August", "1", "2"), "row 8: 'August' is neither a number nor a date"),
    (put(7, "", "1", "2"), "row 8: the time is missing"),
    (put(7, "2000-08", "1"), "line 9: 2 values for 3 columns"),
    (lambda rows: rows.clear(), "needs a header line and rows of data"),
])
def test_what_is_wrong_with_a_file_is_said(tmp_path, change, said):
    with pytest.raises(SeriesError, match=said):
        mended(tmp_path, change)


def test_a_gap_at_the_start_has_nothing_before_it(tmp_path):
    with pytest.raises(SeriesError, match="the first value is missing"):
        mended(tmp_path, put(0, "2000-01", "", "1"), missing="previous")


# The series that ship in packages.


def test_sunspots_and_weather_are_whole():
    pytest.importorskip("statsmodels", reason="extra 'data' is not installed")
    pytest.importorskip("vega_datasets", reason="extra 'data' is not installed")
    sun, weather = series.sunspots(), series.weather()
    assert sun.values.shape == (3126, 1) and series.shown(sun.times[-1]) == "2009-06-01" and sun.season == 132
    assert weather.values.shape == (1461, 6) and weather.columns[0] == "temp_max"
    assert np.isfinite(weather.values).all() and (np.diff(weather.times) == np.timedelta64(1, "D")).all()
    np.testing.assert_array_equal(weather.values[0, :4], [12.8, 5.0, 0.0, 4.7])
    np.testing.assert_allclose((weather.values[:, 4:] ** 2).sum(1), 1)
    assert series.shown(series.following(sun.times, 1)[0]) == "2009-07-01"
    assert series.shown(series.following(weather.times, 1)[0]) == "2016-01-01"


# The commands.


@both_sides
def test_train_evaluate_predict_on_a_file(side, tmp_path, capsys):
    run, file = tmp_path / "run", write(tmp_path / "own.csv", wave())
    assert command(side, *asked(file), "--out", run) == 0
    assert command(side, "evaluate", "--run", run) == 0
    said = capsys.readouterr().out
    assert "seasonal naive" in said and ("beats every baseline" in said or "does NOT beat" in said)
    made = json.loads((run / "test.json").read_text())
    assert set(made["overall"]) == {"gru direct", "persistence", "seasonal naive", "linear"}
    assert all(len(v) == 3 for v in made["steps"]["linear"].values()) and 0 <= made["covered"] <= 1
    assert all((run / f"test-{name}.png").read_bytes().startswith(b"\x89PNG") for name in ("windows", "errors"))
    assert command(side, "predict", "--run", run) == 0
    head, *rows = list(csv.reader((run / "forecast.csv").read_text().splitlines()))
    assert head == ["time", "x", "lower", "upper"] and [r[0] for r in rows] == ["2013-05-01", "2013-06-01", "2013-07-01"]
    assert all(float(low) < float(high) for _, _, low, high in rows)


@pytest.mark.parametrize(("mode", "sampling"), [("direct", "none"), ("recursive", "linear"), ("encdec", "sigmoid")])
def test_both_sides_train_to_the_same_and_read_each_other(mode, sampling, tmp_path):
    """float64: the same checkpoint gives the same figures on both sides, and the same command the same checkpoint."""
    file, figures = write(tmp_path / "own.csv", wave()), {}
    for side in SIDES:
        assert command(side, *asked(file, "--mode", mode, "--sampling", sampling), "--out", tmp_path / side) == 0
    for trained in SIDES:
        for side in SIDES:
            assert command(side, "evaluate", "--run", tmp_path / trained, "--no-plots") == 0
            figures[trained, side] = json.loads((tmp_path / trained / "test.json").read_text())
    first = figures["reference", "reference"]
    for found in figures.values():
        for name, values in first["steps"].items():
            for k, v in values.items():
                np.testing.assert_allclose(found["steps"][name][k], v, rtol=1e-9, atol=1e-12, err_msg=f"{name} {k}")
        if mode != "direct":
            for k, v in first["accumulation"].items():
                np.testing.assert_allclose(found["accumulation"][k], v, rtol=1e-9)
    assert mode == "direct" or first["accumulation"]["free running"][0] == pytest.approx(
        first["accumulation"]["teacher forced"][0], rel=1e-12)


def test_a_run_that_was_stopped_goes_on_to_the_same(tmp_path, capsys):
    file = write(tmp_path / "own.csv", wave())
    asked_for = [str(a) for a in asked(file, "--mode", "encdec", "--sampling", "linear", "--epochs", "4")]
    o = settled(parser("reference").parse_args(asked_for))
    fit(SIDE, prepare(o), tmp_path / "whole")
    fit(SIDE, prepare(o), tmp_path / "parts", steps=3)
    fit(SIDE, prepare(o), tmp_path / "parts", resume=True)
    one, two = (load(tmp_path / n / "last.safetensors").weights for n in ("whole", "parts"))
    assert all(np.array_equal(one[k], two[k]) for k in one)
    assert command("reference", *asked(file, "--mode", "direct", "--out", tmp_path / "parts", "--resume")) == 2
    assert "another value of --mode: 'encdec' there, 'direct' here; leave it out" in capsys.readouterr().err


@both_sides
@pytest.mark.parametrize("asked_to_stop", [signal.SIGINT, signal.SIGTERM])
def test_what_is_said_after_ctrl_c_goes_on_to_the_same_end(side, asked_to_stop, tmp_path, monkeypatch, capsys):
    file, loss = write(tmp_path / "own.csv", wave()), windows.Windows.batch

    def batch(self, which):
        if len(which) < 16 and not (tmp_path / "seen").exists():  # the last batch of the first pass
            (tmp_path / "seen").touch()
            signal.raise_signal(asked_to_stop)
        return loss(self, which)

    assert command(side, *asked(file, "--batch", 16), "--out", tmp_path / "straight") == 0
    monkeypatch.setattr(windows.Windows, "batch", batch)
    assert command(side, *asked(file, "--batch", 16), "--out", tmp_path / "run") == 130
    monkeypatch.undo()
    how = f"to go on, run: python -m {side}.forecast train --resume --out {tmp_path / 'run'}\n"
    assert how in capsys.readouterr().err
    assert load(tmp_path / "run" / LAST).counters["epoch"] == 0
    assert command(side, "train", "--resume", "--out", tmp_path / "run", "--no-progress") == 0
    one, two = (load(tmp_path / n / LAST).weights for n in ("straight", "run"))
    assert all(np.array_equal(one[k], two[k]) for k in one)


@both_sides
def test_a_run_that_is_prolonged_goes_on(side, tmp_path, monkeypatch, capsys):
    """At the same rates, as one that had as many passes from the start."""
    monkeypatch.setattr(schedules, "cosine", lambda rate, *_: lambda step: rate)
    file = write(tmp_path / "own.csv", wave())
    for name, epochs in (("once", [5]), ("twice", [2, 5])):
        for k, n in enumerate(epochs):
            more = ["train", "--resume", "--no-progress"] if k else asked(file)
            assert command(side, *more, "--epochs", n, "--out", tmp_path / name) == 0
    one, two = (load(tmp_path / n / LAST) for n in ("once", "twice"))
    assert one.counters == two.counters and one.counters["epoch"] == 5
    assert all(np.array_equal(one.weights[k], two.weights[k]) for k in one.weights)
    assert load(tmp_path / "twice" / LAST).config["epochs"] == 5
    assert command(side, "train", "--resume", "--out", tmp_path / "twice", "--epochs", 3) == 2
    assert "has done 5 passes; --epochs is how many in all, so it must be more, not 3" in capsys.readouterr().err


def test_what_cannot_go_on_is_refused(tmp_path, capsys):
    file, run = write(tmp_path / "own.csv", wave()), tmp_path / "run"
    assert command("reference", "train", "--resume", "--out", run) == 2
    assert f"there is no run in {run} to go on with: it has no last.safetensors" in capsys.readouterr().err
    assert command("reference", *asked(file), "--out", run) == 0
    assert command("reference", *asked(file), "--out", run) == 2
    assert "holds a run already: go on with --resume, drop it with --overwrite" in capsys.readouterr().err
    assert command("reference", *asked(file), "--out", run, "--overwrite", "--hidden", 4) == 0
    write(file, wave(seed=1))
    assert command("reference", "train", "--resume", "--out", run) == 2
    assert "the data of the run in" in capsys.readouterr().err


@both_sides
def test_checkpoints_that_are_not_whole_or_not_ours_are_refused(side, tmp_path, capsys):
    run = tmp_path / "run"
    assert command(side, *asked(write(tmp_path / "own.csv", wave())), "--out", run) == 0
    good = (run / BEST).read_bytes()
    flipped = bytearray(good)
    flipped[-100] ^= 1
    save(tmp_path / "other", Classifier(5, 3, 4, 2))
    for content, sentence in ((good[: len(good) // 2], "truncated"), (b"", "is no checkpoint"),
                              (bytes(flipped), "damaged or"), (b"\x80\x04K\x01.", "is no checkpoint"),
                              (good.replace(b"horizon", b"horizoM"), "damaged or"),
                              ((tmp_path / "other").read_bytes(), "is of another application")):
        for name, *arguments in ((BEST, "evaluate", "--run", run), (BEST, "predict", "--run", run),
                                 (LAST, "train", "--resume", "--out", run)):
            (run / name).write_bytes(content)
            capsys.readouterr()
            assert command(side, *arguments) == 2
            error = capsys.readouterr().err
            assert error.startswith("error: ") and error.count("\n") == 1 and sentence in error, error


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
@both_sides
def test_a_full_disk_is_one_sentence_and_the_last_checkpoint_stays(side, tmp_path, capsys):
    """Some file is on a device that is always full."""
    run, file = tmp_path / "run", write(tmp_path / "own.csv", wave())
    assert command(side, *asked(file), "--out", run) == 0
    before = (run / LAST).read_bytes()
    for name, arguments in {f"{LAST}.tmp": ["train", "--resume", "--out", run, "--epochs", 3, "--no-progress"],
                            "test.md": ["evaluate", "--run", run], "forecast.csv": ["predict", "--run", run]}.items():
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to("/dev/full")
        capsys.readouterr()
        assert command(side, *arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"error: {run}") and error.endswith("No space left on device\n"), error
        assert error.count("\n") == 1
        assert (run / LAST).read_bytes() == before
        (run / name).unlink(missing_ok=True)


@both_sides
def test_a_folder_that_cannot_be_made_is_one_sentence(side, tmp_path, capsys):
    file = write(tmp_path / "own.csv", wave())
    assert command(side, *asked(file), "--out", file / "below") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "Not a directory" in error and error.count("\n") == 1


@both_sides
def test_the_device_is_an_option(side, tmp_path, capsys):
    file = write(tmp_path / "own.csv", wave())
    assert command(side, *asked(file), "--out", tmp_path / "run", "--device", "abacus") == 2
    assert capsys.readouterr().err.startswith("error: --device abacus ")
    if side == "reference":
        assert command(side, *asked(file), "--out", tmp_path / "run", "--compile") == 2
        assert "--compile is for the other side, python -m torch_impl.forecast" in capsys.readouterr().err


def test_any_dates_have_a_calendar(tmp_path, capsys):
    file = write(tmp_path / "own.csv", wave())
    o = options("--csv", file, "--time", "time", "--target", "x", "--calendar")
    s = prepare(o).series
    assert s.columns == ("x", "sin of year", "cos of year")
    turn = 2 * np.pi * 31 / 366  # the first of February of 2000
    np.testing.assert_allclose(s.values[1, 1:], [np.sin(turn), np.cos(turn)], atol=1e-15)
    assert command("reference", *asked(file, "--calendar", "--out", tmp_path / "run")) == 0
    assert command("reference", "predict", "--run", tmp_path / "run", "--no-plots") == 0
    assert command("reference", "train", "--csv", file, "--target", "x", "--calendar", "--out", tmp_path / "none") == 2
    assert "--calendar needs dates, and the rows of own have none" in capsys.readouterr().err


def test_rolling_origin_fits_anew_before_each_block(tmp_path):
    run, file = tmp_path / "run", write(tmp_path / "own.csv", wave())
    assert command("reference", *asked(file), "--out", run) == 0
    assert command("reference", "evaluate", "--run", run, "--refits", 2, "--no-plots") == 0
    once = json.loads((run / "test-2-refits.json").read_text())
    assert command("reference", "evaluate", "--run", run, "--no-plots") == 0
    fixed = json.loads((run / "test.json").read_text())
    assert once["windows"] == fixed["windows"] - 2  # a window does not reach over the end of a block
    assert once["overall"]["linear"] != fixed["overall"]["linear"]


def test_predict_goes_on_from_a_file_that_has_grown(tmp_path, capsys):
    run, file = tmp_path / "run", write(tmp_path / "own.csv", wave())
    assert command("reference", *asked(file), "--out", run) == 0
    longer = write(tmp_path / "longer.csv", wave() + [(f"2013-{m:02d}", "0.1", "0.2") for m in (5, 6)])
    assert command("reference", "predict", "--run", run, "--csv", longer, "--no-plots") == 0
    assert next(csv.reader((run / "forecast.csv").read_text().splitlines()[1:]))[0] == "2013-07-01"
    write(file, [*wave(), ("2013-05", "0.1", "0.2")])
    assert command("reference", "evaluate", "--run", run, "--no-plots") == 2
    assert "own has 161 rows, 160 in training" in capsys.readouterr().err
    other = write(tmp_path / "other.csv", wave(seed=1))
    assert command("reference", "predict", "--run", run, "--csv", other) == 2
    assert "does not begin with the 160 rows" in capsys.readouterr().err


@both_sides
@pytest.mark.parametrize(("arguments", "said"), [
    (["--target", "x"], "give it with --csv"),
    (["--csv", "own.csv"], "--csv needs --target"),
    (["--csv", "gone.csv", "--target", "x"], "gone.csv cannot be read: No such file"),
    (["--csv", "own.csv", "--target", "z"], "has no column 'z'; it has 'time', 'x', 'y'"),
    (["--csv", "own.csv", "--target", "x", "--window", "200"], "160 rows are too few"),
    (["--csv", "flat.csv", "--target", "x"], "column 'x' is constant in the training part.*there is nothing"),
    (["--csv", "flat.csv", "--target", "y", "--features", "x"], "column 'x' is constant.*leave it out"),
    (["--csv", "own.csv", "--target", "x", "--horizon", "0"], "--horizon must be at least 1, got 0"),
    (["--csv", "own.csv", "--target", "x", "--test", "0.9"], "--validation and --test must be shares"),
    (["--csv", "own.csv", "--target", "x", "--lr", "-1"], "--lr must be above 0"),
    (["--sampling", "linear"], "--sampling is for the modes recursive and encdec"),
])
def test_mistakes_are_one_sentence_and_status_2(side, arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "own.csv", wave())
    write(tmp_path / "flat.csv", [(t, "1", y) for t, _, y in wave()])
    assert command(side, "train", "--out", "run", *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and len(error.splitlines()) == 1
    assert re.search(said, error), error


@both_sides
def test_a_folder_without_a_run_and_one_with_one(side, tmp_path, capsys):
    assert command(side, "evaluate", "--run", tmp_path) == 2
    assert "holds no best.safetensors: train a model there first" in capsys.readouterr().err
    (tmp_path / "best.safetensors").write_bytes(b"{}")
    assert command(side, "predict", "--run", tmp_path) == 2
    assert "is no checkpoint of this project" in capsys.readouterr().err
    (tmp_path / "last.safetensors").write_bytes(b"{}")
    assert command(side, "train", "--out", tmp_path) == 2
    assert "holds a run already" in capsys.readouterr().err


@pytest.mark.parametrize("series_name", ["sunspots", "weather"])
def test_the_note_shows_the_tables_of_the_measured_files(series_name):
    file = forecast_results.NOTES / "results" / f"forecast-{series_name}.json"
    made = forecast_results.section(series_name, json.loads(file.read_text(encoding="utf-8")))
    text = (forecast_results.NOTES / "forecast.md").read_text(encoding="utf-8")
    assert f"<!-- results of {series_name} -->\n{made}\n<!-- end of {series_name} -->" in text
