"""A run's folder: one run lives in it, one process at a time writes there; the list of runs; the log for TensorBoard."""

import json
import os
import shlex
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reference.common.checks import UsageError
from reference.common.output import as_json
from reference.common.run import LAST, LOG, Application, claimed, listing, read_log
from reference.common.run.files import LOCK
from reference.common.run.listing import runs

from ..char_lm.runs import spawn
from .applications import APPLICATIONS, Small

every_application = pytest.mark.parametrize("name", APPLICATIONS)
MINE = Application("mine", ("result.*",))


@every_application
def test_a_folder_with_anything_of_a_run_is_not_written_into_unasked(name, tmp_path, capsys):
    small, run = Small.on(name, tmp_path / "data"), tmp_path / "run"
    for left in ("best.safetensors", "log.jsonl", "config.json"):
        run.mkdir()
        (run / left).write_text(json.dumps({"application": name}))
        assert small.train(run) == 2
        assert f"{run} holds a run already ({left})" in capsys.readouterr().err
        assert [f.name for f in run.iterdir()] == [left]
        (run / left).unlink()
        run.rmdir()


@every_application
@pytest.mark.parametrize("left", ["config.json", "test.json"])
def test_other_peoples_files_are_never_dropped(name, left, tmp_path, capsys):
    """A model of another library, or a folder of data: names that a run has too."""
    small, run = Small.on(name, tmp_path / "data"), tmp_path / "run"
    run.mkdir()
    for file in (left, "model.safetensors"):
        (run / file).write_text("{}")
    for more in ((), ("--overwrite",)):
        assert small.train(run, *more) == 2
        assert f"{run} holds a {left} and no run: delete it, or name another folder" in capsys.readouterr().err
    (run / left).unlink()
    assert small.train(run) == 0 and small.train(run, "--overwrite") == 0
    assert (run / "model.safetensors").read_text() == "{}"


@every_application
def test_a_run_of_another_application_is_never_dropped(name, tmp_path, capsys):
    other = next(n for n in APPLICATIONS if n != name)
    run = tmp_path / "run"
    assert Small.on(other, tmp_path / "data").train(run) == 0
    before = {f.name: f.read_bytes() for f in run.iterdir() if f.is_file()}
    small = Small.on(name, tmp_path / "more")
    for more in ((), ("--overwrite",)):
        assert small.train(run, *more) == 2
        assert f"{run} holds a run of {other}, not of {name}: name another folder by --run" in capsys.readouterr().err
    assert {f.name: f.read_bytes() for f in run.iterdir() if f.is_file()} == before


@every_application
def test_overwrite_drops_all_that_the_old_run_left_and_nothing_else(name, tmp_path, capsys):
    small, run = Small.on(name, tmp_path / "data"), tmp_path / "run"
    assert small.train(run) == 0
    assert small.call("evaluate", "--run", run, *(["--no-plots"] if name == "forecast" else [])) == 0
    (run / "mine.txt").write_text("kept")
    if name == "forecast":
        assert small.call("predict", "--run", run) == 0
        left = ("test.md", "test.json", "test-forecasts.csv", "forecast.csv", "forecast.png")
    else:
        left = ("test.json",)
    assert all((run / n).exists() for n in left)
    assert small.train(run, "--overwrite") == 0
    assert not any((run / n).exists() for n in left) and (run / "mine.txt").read_text() == "kept"


@every_application
def test_a_mistake_under_overwrite_leaves_the_old_run(name, tmp_path, capsys):
    small, run = Small.on(name, tmp_path / "data"), tmp_path / "run"
    assert small.train(run) == 0
    before = (run / LAST).read_bytes()
    small.data.write_text("")
    assert small.train(run, "--overwrite") == 2
    assert (run / LAST).read_bytes() == before and not (run / LOCK).exists()


@every_application
def test_what_could_not_begin_leaves_no_folder(name, tmp_path, capsys):
    small, run = Small.on(name, tmp_path / "data"), tmp_path / "run"
    small.data.unlink()
    assert small.train(run) == 2
    assert not run.exists()


@every_application
def test_two_trainings_in_one_folder(name, tmp_path, capsys):
    small, run = Small.on(name, tmp_path / "data"), tmp_path / "run"
    process = spawn("reference", *small.words(run, steps=100_000), application=name)
    try:
        until(lambda: len(read_log(run / LOG)) > 3, process)
        for more in (("--resume",), ("--overwrite",)):
            words = ["train", "--run", run, "--resume"] if "--resume" in more else small.words(run, *more)
            assert small.call(*words) == 2
            error = capsys.readouterr().err
            assert f"{run} is in use by process {process.pid} on " in error and error.count("\n") == 1, error
    finally:
        process.kill()
        process.communicate()
    assert (run / LOCK).exists() and listing.state(run) != "in use"
    assert small.train(run, "--overwrite") == 0  # a lock whose process is gone does not hold


def until(true, process, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


def test_a_lock_without_a_number_is_nobodys(tmp_path):
    """A process was killed after it had made the file and before it wrote its number there."""
    run = tmp_path / "run"
    run.mkdir()
    (run / LOCK).touch()
    with claimed(run, MINE):
        assert (run / LOCK).read_text().startswith(f"{os.getpid()}\n")
    assert not (run / LOCK).exists()


def test_a_lock_from_another_machine_is_believed(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / LOCK).write_text("7\nelsewhere\n")
    with (
        pytest.raises(UsageError, match=r"in use by process 7 on elsewhere \(if that is gone, delete .*run.lock\)"),
        claimed(run, MINE),
    ):
        pass


@every_application
def test_the_list_of_runs(name, tmp_path, capsys):
    small = Small.on(name, tmp_path / "data")
    assert small.train(tmp_path / "runs" / "a") == 0
    assert small.call("evaluate", "--run", tmp_path / "runs" / "a", *(["--no-plots"] if name == "forecast" else [])) == 0
    capsys.readouterr()
    assert small.call("runs", tmp_path / "runs", "--json") == 0
    [entry] = json.loads(capsys.readouterr().out)
    assert (entry["application"], entry["state"], entry["steps"]) == (name, "trained", 20)
    assert entry["validation"] == pytest.approx(
        min(e["validation"] for e in read_log(tmp_path / "runs" / "a" / LOG) if "validation" in e)
    )
    assert entry["figures"]["test"]
    assert small.call("runs", tmp_path / "runs") == 0
    assert str(tmp_path / "runs" / "a")[:20] in capsys.readouterr().out
    assert small.call("runs", tmp_path / "nothing") == 2


def test_what_cannot_be_read_hides_no_run(tmp_path):
    good = {"step": 3, "epoch": 0, "loss": 1.0, "norm": 0.5, "clipped": False, "lr": 0.1, "time": 5.0}
    for k, damage in enumerate((b"", b"[]\n", b"null\n", b'{"step": "x"}\n', b"\xff\xfe\n", b"\0\0\n", b'{"step": 4')):
        run = tmp_path / str(k)
        run.mkdir()
        (run / "config.json").write_text('{"application": "mine"}')
        (run / LOG).write_bytes(json.dumps(good).encode() + b"\n" + damage)
        assert read_log(run / LOG) == [good]
    (tmp_path / "odd" / "config.json").mkdir(parents=True)
    assert [e["steps"] for e in runs(tmp_path)] == [3] * 7


@every_application
def test_answers_are_json_and_nothing_else(name, tmp_path, capsys):
    small, run = Small.on(name, tmp_path / "data"), tmp_path / "run"
    verbs = {"char_lm": ("evaluate", "generate"), "forecast": ("evaluate", "predict")}[name]
    for words in (small.words(run), *([verb, "--run", str(run)] for verb in verbs)):
        assert small.call(*words, "--json") == 0
        answer = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
        assert answer


def test_answers_are_json_whatever_a_name_is():
    lines = as_json({"run": Path("d\udce9"), "text": "é\U0001f600"})
    assert "é" in lines and json.loads(lines.encode()) == {"run": "d\udce9", "text": "é\U0001f600"}


@every_application
def test_the_log_for_tensorboard(name, tmp_path, capsys):
    pytest.importorskip("tensorboardX", reason="extra 'tensorboard' is not installed")
    small, run = Small.on(name, tmp_path / "data"), tmp_path / "run"
    assert small.train(run, "--tensorboard") == 0
    log = read_log(run / LOG)
    assert scalars(run) == {
        (tag, e["step"]): pytest.approx(e[key], rel=1e-6)
        for e in log
        for key, tag in (
            ("loss", "loss/training"),
            ("validation", "loss/validation"),
            ("norm", "gradients/norm"),
            ("lr", "learning_rate"),
        )
        if key in e
    }


def scalars(run):
    from tensorboardX.proto.event_pb2 import Event

    [file] = (run / "tensorboard").glob("events.*")
    found, data = {}, file.read_bytes()
    while data:  # length, its checksum, the event, its checksum
        n = struct.unpack("<Q", data[:8])[0]
        event = Event.FromString(data[12 : 12 + n])
        found |= {(v.tag, event.step): v.simple_value for v in event.summary.value}
        data = data[16 + n :]
    return found


# What is printed never ends the work.


def piped(name, tmp_path, words, reader, **environment):
    """The command with its output into a pipe that ``reader`` reads -> its exit status and what it said on the error stream"""
    line = [sys.executable, "-m", f"reference.{name}", *words]
    from ..char_lm.runs import ROOT

    env = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)} | environment
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=env)
    read = reader(process.stdout)
    process.stdout.close()
    said = process.stderr.read().decode(environment.get("PYTHONIOENCODING", "utf-8"))
    process.stderr.close()
    return process.wait(), read, said


@every_application
def test_a_closed_pipe_ends_no_training(name, tmp_path):
    small, run = Small.on(name, tmp_path / "data"), tmp_path / "run"
    status, _, said = piped(name, tmp_path, small.words(run), lambda pipe: pipe.readline())
    assert (status, said) == (0, "")
    assert max(e["step"] for e in read_log(run / LOG)) == 20 and (run / "best.safetensors").exists()


def test_a_closed_pipe_ends_no_evaluation(tmp_path):
    small, run = Small.on("forecast", tmp_path / "data"), tmp_path / "run"
    assert small.train(run) == 0
    status, _, said = piped("forecast", tmp_path, ["evaluate", "--run", str(run)], lambda pipe: None)
    assert (status, said) == (0, "")
    assert {f.name for f in run.glob("test*")} >= {"test.md", "test.json", "test-forecasts.csv", "test-errors.png"}


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_without_a_character_ends_no_training(encoding, tmp_path):
    small, run = Small.on("char_lm", tmp_path / "data"), tmp_path / "run"
    small.data.write_text(small.data.read_text().replace("e", "→"), encoding="utf-8")
    status, read, said = piped("char_lm", tmp_path, small.words(run), lambda pipe: pipe.read(), PYTHONIOENCODING=encoding)
    assert (status, said) == (0, "") and b"\\u2192" in read
    generate = ["generate", "--run", str(run), "--length", "50"]
    status, read, said = piped("char_lm", tmp_path, generate, lambda pipe: pipe.read(), PYTHONIOENCODING=encoding)
    assert (status, said) == (0, "")
    status, read, said = piped("char_lm", tmp_path, [*generate, "--json"], lambda pipe: pipe.read(), PYTHONIOENCODING=encoding)
    assert status == 0 and "→" in json.loads(read.decode("ascii"))["text"]


@every_application
@pytest.mark.skipif(sys.platform == "win32", reason="the shell's >&- is not Windows'")
def test_streams_that_were_closed_before_end_no_training(name, tmp_path):
    small, run = Small.on(name, tmp_path / "data"), tmp_path / "run"
    from ..char_lm.runs import ROOT

    line = shlex.join([sys.executable, "-m", f"reference.{name}", *small.words(run)])
    assert subprocess.run(["sh", "-c", f"{line} >&- 2>&-"], cwd=ROOT, check=False).returncode == 0
    assert max(e["step"] for e in read_log(run / LOG)) == 20 and (run / "best.safetensors").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_under_the_output_is_said_at_the_end(tmp_path):
    small, run = Small.on("forecast", tmp_path / "data"), tmp_path / "run"
    from ..char_lm.runs import ROOT

    with Path("/dev/full").open("w", encoding="utf-8") as full:
        words = [sys.executable, "-m", "reference.forecast", *small.words(run)]
        ended = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False)
    assert (ended.returncode, ended.stderr) == (2, "error: what was printed is not whole: No space left on device\n")
    assert (run / "best.safetensors").exists()
