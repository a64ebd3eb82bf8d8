"""The commands of both sides: the same results, runs that go on, and mistakes that are one sentence."""

import csv
import json
import re
import signal
import sys

import numpy as np
import pytest

from reference.common import schedules
from reference.common.checkpoint import load, save
from reference.common.run import BEST, LAST
from reference.forecast import windows
from reference.forecast.options import parser, settled
from reference.forecast.train import fit, prepare
from reference.models.classifier import Classifier

from .runs import SIDES, asked, both_sides, command, options, wave, write


@both_sides
def test_train_evaluate_predict_on_a_file(backend, tmp_path, capsys):
    run, file = tmp_path / "run", write(tmp_path / "own.csv", wave())
    assert command(backend, *asked(file), "--out", run) == 0
    assert command(backend, "evaluate", "--run", run) == 0
    said = capsys.readouterr().out
    assert "seasonal naive" in said and ("beats every baseline" in said or "does NOT beat" in said)
    evaluation = json.loads((run / "test.json").read_text())
    assert set(evaluation["overall"]) == {"gru direct", "persistence", "seasonal naive", "linear"}
    assert all(len(v) == 3 for v in evaluation["steps"]["linear"].values()) and 0 <= evaluation["covered"] <= 1
    assert all((run / f"test-{name}.png").read_bytes().startswith(b"\x89PNG") for name in ("windows", "errors"))
    assert command(backend, "predict", "--run", run) == 0
    head, *rows = list(csv.reader((run / "forecast.csv").read_text().splitlines()))
    assert head == ["time", "x", "lower", "upper"] and [r[0] for r in rows] == ["2013-05-01", "2013-06-01", "2013-07-01"]
    assert all(float(low) < float(high) for _, _, low, high in rows)


@pytest.mark.parametrize(("mode", "sampling"), [("direct", "none"), ("recursive", "linear"), ("encdec", "sigmoid")])
def test_both_sides_train_to_the_same_and_read_each_other(mode, sampling, tmp_path):
    """float64: the same checkpoint gives the same figures on both sides, and the same command the same checkpoint."""
    file, figures = write(tmp_path / "own.csv", wave()), {}
    for backend in SIDES:
        assert command(backend, *asked(file, "--mode", mode, "--sampling", sampling), "--out", tmp_path / backend) == 0
    for trained in SIDES:
        for backend in SIDES:
            assert command(backend, "evaluate", "--run", tmp_path / trained, "--no-plots") == 0
            figures[trained, backend] = json.loads((tmp_path / trained / "test.json").read_text())
    first = figures["reference", "reference"]
    for other in figures.values():
        for name, values in first["steps"].items():
            for k, v in values.items():
                np.testing.assert_allclose(other["steps"][name][k], v, rtol=1e-9, atol=1e-12, err_msg=f"{name} {k}")
        if mode != "direct":
            for k, v in first["accumulation"].items():
                np.testing.assert_allclose(other["accumulation"][k], v, rtol=1e-9)
    assert mode == "direct" or first["accumulation"]["free running"][0] == pytest.approx(
        first["accumulation"]["teacher forced"][0], rel=1e-12
    )


def test_a_run_that_was_stopped_goes_on_to_the_same(tmp_path, capsys):
    file = write(tmp_path / "own.csv", wave())
    asked_for = [str(a) for a in asked(file, "--mode", "encdec", "--sampling", "linear", "--epochs", "4")]
    o = settled(parser("reference", ("fast",)).parse_args(asked_for))
    fit(SIDES["reference"], prepare(o), tmp_path / "whole")
    fit(SIDES["reference"], prepare(o), tmp_path / "parts", steps=3)
    fit(SIDES["reference"], prepare(o), tmp_path / "parts", resume=True)
    one, two = (load(tmp_path / n / "last.safetensors").weights for n in ("whole", "parts"))
    assert all(np.array_equal(one[k], two[k]) for k in one)
    assert command("reference", *asked(file, "--mode", "direct", "--out", tmp_path / "parts", "--resume")) == 2
    assert "another value of --mode: 'encdec' there, 'direct' here; leave it out" in capsys.readouterr().err


@both_sides
@pytest.mark.parametrize("asked_to_stop", [signal.SIGINT, signal.SIGTERM])
def test_what_is_said_after_ctrl_c_goes_on_to_the_same_end(backend, asked_to_stop, tmp_path, monkeypatch, capsys):
    file, loss = write(tmp_path / "own.csv", wave()), windows.Windows.batch

    def batch(self, which):
        if len(which) < 16 and not (tmp_path / "seen").exists():  # the last batch of the first pass
            (tmp_path / "seen").touch()
            signal.raise_signal(asked_to_stop)
        return loss(self, which)

    assert command(backend, *asked(file, "--batch", 16), "--out", tmp_path / "straight") == 0
    monkeypatch.setattr(windows.Windows, "batch", batch)
    assert command(backend, *asked(file, "--batch", 16), "--out", tmp_path / "run") == 130
    monkeypatch.undo()
    how = f"to go on, run: python -m {backend}.forecast train --resume --run {tmp_path / 'run'}\n"
    assert how in capsys.readouterr().err
    assert load(tmp_path / "run" / LAST).counters["epoch"] == 0
    assert command(backend, "train", "--resume", "--out", tmp_path / "run", "--no-progress") == 0
    one, two = (load(tmp_path / n / LAST).weights for n in ("straight", "run"))
    assert all(np.array_equal(one[k], two[k]) for k in one)


@both_sides
def test_a_run_that_is_prolonged_goes_on(backend, tmp_path, monkeypatch, capsys):
    """At the same rates, as one that had as many passes from the start."""
    monkeypatch.setattr(schedules, "cosine", lambda rate, *_: lambda step: rate)
    file = write(tmp_path / "own.csv", wave())
    for name, epochs in (("once", [5]), ("twice", [2, 5])):
        for k, n in enumerate(epochs):
            more = ["train", "--resume", "--no-progress"] if k else asked(file)
            assert command(backend, *more, "--epochs", n, "--out", tmp_path / name) == 0
    one, two = (load(tmp_path / n / LAST) for n in ("once", "twice"))
    assert one.counters == two.counters and one.counters["epoch"] == 5
    assert all(np.array_equal(one.weights[k], two.weights[k]) for k in one.weights)
    assert load(tmp_path / "twice" / LAST).config["epochs"] == 5
    assert command(backend, "train", "--resume", "--out", tmp_path / "twice", "--epochs", 3) == 2
    assert "has done 5 passes; --epochs is how many in all, so it must be more, not 3" in capsys.readouterr().err


def test_what_cannot_go_on_is_refused(tmp_path, capsys):
    file, run = write(tmp_path / "own.csv", wave()), tmp_path / "run"
    assert command("reference", "train", "--resume", "--out", run) == 2
    assert f"there is no run in {run} to go on with: it has no last.safetensors" in capsys.readouterr().err
    assert command("reference", *asked(file), "--out", run) == 0
    assert command("reference", *asked(file), "--out", run) == 2
    assert "go on with it by --resume, drop it by --overwrite" in capsys.readouterr().err
    assert command("reference", *asked(file), "--out", run, "--overwrite", "--hidden", 4) == 0
    write(file, wave(seed=1))
    assert command("reference", "train", "--resume", "--out", run) == 2
    assert "160 rows of own differ, the first is row 1, 2000-01-01: 'x' was 0.025146 and is" in capsys.readouterr().err


@both_sides
def test_checkpoints_that_are_not_whole_or_not_ours_are_refused(backend, tmp_path, capsys):
    run = tmp_path / "run"
    assert command(backend, *asked(write(tmp_path / "own.csv", wave())), "--out", run) == 0
    good = (run / BEST).read_bytes()
    flipped = bytearray(good)
    flipped[-100] ^= 1
    save(tmp_path / "other", Classifier(5, 3, 4, 2))
    for content, sentence in (
        (good[: len(good) // 2], "truncated"),
        (b"", "is no checkpoint"),
        (bytes(flipped), "damaged or"),
        (b"\x80\x04K\x01.", "is no checkpoint"),
        (good.replace(b"horizon", b"horizoM"), "damaged or"),
        ((tmp_path / "other").read_bytes(), "is of another application"),
    ):
        for name, *arguments in (
            (BEST, "evaluate", "--run", run),
            (BEST, "predict", "--run", run),
            (LAST, "train", "--resume", "--out", run),
        ):
            (run / name).write_bytes(content)
            capsys.readouterr()
            assert command(backend, *arguments) == 2
            error = capsys.readouterr().err
            assert error.startswith("error: ") and error.count("\n") == 1 and sentence in error, error


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
@both_sides
def test_a_full_disk_is_one_sentence_and_the_last_checkpoint_stays(backend, tmp_path, capsys):
    """Some file is on a device that is always full."""
    run, file = tmp_path / "run", write(tmp_path / "own.csv", wave())
    assert command(backend, *asked(file), "--out", run) == 0
    before = (run / LAST).read_bytes()
    for name, arguments in {
        f"{LAST}.tmp": ["train", "--resume", "--out", run, "--epochs", 3, "--no-progress"],
        "test.md": ["evaluate", "--run", run],
        "forecast.csv": ["predict", "--run", run],
    }.items():
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to("/dev/full")
        capsys.readouterr()
        assert command(backend, *arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"error: {run}") and error.endswith("No space left on device\n"), error
        assert error.count("\n") == 1
        assert (run / LAST).read_bytes() == before
        (run / name).unlink(missing_ok=True)


@both_sides
def test_a_folder_that_cannot_be_made_is_one_sentence(backend, tmp_path, capsys):
    file = write(tmp_path / "own.csv", wave())
    assert command(backend, *asked(file), "--out", file / "below") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "Not a directory" in error and error.count("\n") == 1


@both_sides
def test_the_device_is_an_option(backend, tmp_path, capsys):
    file = write(tmp_path / "own.csv", wave())
    assert command(backend, *asked(file), "--out", tmp_path / "run", "--device", "abacus") == 2
    assert capsys.readouterr().err.startswith("error: --device abacus ")
    if backend == "reference":
        assert command(backend, *asked(file), "--out", tmp_path / "run", "--compile") == 2
        assert "--compile is for the other side, python -m torch_impl.forecast" in capsys.readouterr().err


def test_any_dates_have_a_calendar(tmp_path, capsys):
    file = write(tmp_path / "own.csv", wave())
    o = options("--csv", file, "--time", "time", "--target", "x", "--calendar")
    [s] = prepare(o).series
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
    assert command("reference", "predict", "--run", run, "--out", run / "mine.png") == 2
    assert "is where the plot goes; name a .csv file" in capsys.readouterr().err and not (run / "mine.png").exists()
    write(file, [*wave(), ("2013-05", "0.1", "0.2")])
    assert command("reference", "evaluate", "--run", run, "--no-plots") == 0
    assert "1 rows are new since the training; they belong to the test part" in capsys.readouterr().out
    assert command("reference", "predict", "--run", run, "--csv", longer, "--no-plots") == 0
    whole = (run / "forecast.csv").read_text()
    recent = write(tmp_path / "recent.csv", [*wave()[-6:], *(("2013-05", "0.1", "0.2"), ("2013-06", "0.1", "0.2"))])
    assert command("reference", "predict", "--run", run, "--csv", recent, "--no-plots") == 0
    assert (run / "forecast.csv").read_text() == whole
    for rows, said in (
        (wave()[-7:], "own has 7 rows, and the model reads 8"),
        (wave()[::2], "its rows come every 2 months, at day 1, those of the training"),
    ):
        assert command("reference", "predict", "--run", run, "--csv", write(tmp_path / "own2.csv", rows)) == 2
        assert said.replace("own", "own2") in capsys.readouterr().err


@both_sides
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
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
        (["--csv", "own.csv", "--target", "x", "--data", "weather"], "--data and --csv are two series"),
        (["--fill", "previous"], "--fill: for a file of your own; give it with --csv"),
        (["--seed", "-1"], "--seed must be at least 0, got -1"),
        (["--patience", "0"], "--patience must be at least 1, got 0"),
        (["--dropout", "1.5", "--layers", "2"], "--dropout must be from 0 to 1, got 1.5"),
        (["--dropout", "0.5"], "--dropout is between the layers, so it needs --layers"),
        (["--sampling", "linear"], "--sampling is for the modes recursive and encdec"),
    ],
)
def test_mistakes_are_one_sentence_and_status_2(backend, arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "own.csv", wave())
    write(tmp_path / "flat.csv", [(t, "1", y) for t, _, y in wave()])
    assert command(backend, "train", "--out", "run", *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and len(error.splitlines()) == 1
    assert re.search(said, error), error


@both_sides
def test_a_run_is_not_gone_on_with_and_dropped(backend, capsys):
    with pytest.raises(SystemExit) as e:
        command(backend, "train", "--resume", "--overwrite")
    assert e.value.code == 2 and "not allowed with argument --resume" in capsys.readouterr().err


@both_sides
def test_a_folder_without_a_run_and_one_with_one(backend, tmp_path, capsys):
    assert command(backend, "evaluate", "--run", tmp_path) == 2
    assert "holds no best.safetensors: train a model there first" in capsys.readouterr().err
    (tmp_path / "best.safetensors").write_bytes(b"{}")
    assert command(backend, "predict", "--run", tmp_path) == 2
    assert "is no checkpoint of this project" in capsys.readouterr().err
    (tmp_path / "last.safetensors").write_bytes(b"{}")
    assert command(backend, "train", "--out", tmp_path) == 2
    assert "holds a run already" in capsys.readouterr().err
