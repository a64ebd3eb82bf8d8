"""``python -m benchmarks run`` as its users type it: files, refusals, strangers, interruptions, a kill at any moment."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ..__main__ import main
from . import command, machine, results, roofline
from .measure import measure

ROOT = Path(__file__).parent.parent.parent
FAST = ["--impl", "numpy", "--impl", "torch.library"]
TINY = ["run", "--preset", "smoke", *FAST, "--cell", "gru"]
STRANGER = """
from parity_tests.judge.implementations import BUILTIN

def load(spec, weights):
    return Layer(spec, weights)

class Layer:
    def __init__(self, spec, weights):
        self.layer = BUILTIN["numpy"].load(spec, weights)

    def forward(self, x, state, lengths=None):
        y, state_n = self.layer.forward(x, state, lengths)
        return FORWARD, state_n

    def backward(self, dy, dstate):
        return self.layer.backward(dy, dstate)
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The machine's limits are not measured here, and this process's memory is left alone."""

    def measure(device, dtypes):
        return {"gemm_gflops": dict.fromkeys(dtypes, 50.0), "copy_gbs": 10.0, "shape": "1024x1024x1024"}

    monkeypatch.setattr(roofline, "measure", measure)
    monkeypatch.setattr(machine, "limit_memory", lambda: None)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "out" / "r.json"


def stranger(tmp_path, monkeypatch, name, forward="y"):
    (tmp_path / f"{name}.py").write_text(STRANGER.replace("FORWARD", forward))
    monkeypatch.syspath_prepend(tmp_path)
    return name


def said(capsys):
    """(output, errors), each on one line"""
    return tuple(" ".join(text.split()) for text in capsys.readouterr())


def test_a_run_writes_a_valid_file(file, capsys):
    assert main([*TINY, "--out", str(file)]) == 0
    result = results.read(file)
    assert (result["preset"], len(result["rows"])) == ("smoke", 4)
    assert result["command"] == "python -m benchmarks run --preset smoke --impl numpy --impl torch.library --cell gru"
    for row in result["rows"]:
        assert row["status"] == "ok"
        assert row["parity"] <= 1
        assert row["seconds"]["q1"] <= row["seconds"]["median"] <= row["seconds"]["q3"]
        assert row["peak_bytes"] > 0
        assert row["kernel"] == {"numpy": "NumPy", "torch.library": "native"}[row["implementation"]]
    out, err = said(capsys)
    assert "gru T3 B2 H5 float32 cpu train: numpy" in out
    assert "4 ok; 4 rows" in out
    assert err == ""


def test_phases_cells_and_dtypes_can_be_chosen(file):
    options = [
        "--phase",
        "forward",
        "--dtype",
        "float64",
        "--dtype",
        "float32",
        "--impl",
        "numpy",
        "--cell",
        "rnn",
        "--cell",
        "gru",
    ]
    assert main(["run", "--preset", "smoke", *options, "--out", str(file)]) == 0
    rows = results.read(file)["rows"]
    assert [(r["case"]["cell"], r["case"]["dtype"]) for r in rows] == [
        ("rnn", "float64"),
        ("gru", "float64"),
        ("rnn", "float32"),
        ("gru", "float32"),
    ]
    assert {r["phase"] for r in rows} == {"forward"}


def test_by_default_all_that_can_take_part_do_and_who_was_named_has_a_row(file):
    assert main(["run", "--preset", "smoke", "--cell", "rnn", "--phase", "forward", "--out", str(file)]) == 0
    names = [row["implementation"] for row in results.read(file)["rows"]]
    assert {"numpy", "torch.loop", "torch.library"} <= set(names)
    assert "torch.graphed" not in names
    assert "torch.compiled" not in names
    assert main([*TINY, "--impl", "torch.graphed", "--resume", "--out", str(file.with_name("b.json"))]) == 0
    assert "declined" in [row["status"] for row in results.read(file.with_name("b.json"))["rows"]]


def test_a_packed_file_is_written_and_resumed(tmp_path):
    file = tmp_path / "r.json.gz"
    assert main([*TINY, "--phase", "train", "--out", str(file)]) == 0
    assert main([*TINY, "--resume", "--out", str(file)]) == 0
    assert len(results.read(file)["rows"]) == 4


def test_a_file_is_not_replaced_unless_told(file, capsys):
    assert main([*TINY, "--out", str(file)]) == 0
    before = file.read_bytes()
    assert main([*TINY, "--out", str(file)]) == 2
    assert "is there already: --resume goes on with it, --overwrite replaces it" in said(capsys)[1]
    assert file.read_bytes() == before
    assert main([*TINY, "--overwrite", "--out", str(file)]) == 0
    assert file.read_bytes() != before


def test_resume_measures_what_is_missing_only(file, capsys):
    assert main([*TINY, "--phase", "train", "--out", str(file)]) == 0
    first = results.read(file)
    assert main([*TINY, "--impl", "torch.loop", "--resume", "--out", str(file)]) == 0
    second = results.read(file)
    assert second["rows"][:2] == first["rows"]
    assert len({results.identity(row) for row in second["rows"]}) == len(second["rows"]) == 6
    assert second["command"].startswith(first["command"] + " && python -m benchmarks run --preset smoke")
    capsys.readouterr()
    assert main([*TINY, "--resume", "--out", str(file)]) == 0
    assert "nothing was left to measure; 6 rows" in said(capsys)[0]
    assert results.read(file)["rows"] == second["rows"]


def test_resume_refuses_another_preset_another_machine_and_a_broken_file(file, capsys):
    assert main([*TINY, "--out", str(file)]) == 0
    result = results.read(file)
    for change, message in (
        ({"preset": "grid"}, "is of preset 'grid', and cannot be resumed as 'smoke'"),
        (
            {"machine": result["machine"] | {"processor": "Z80"}},
            "was measured elsewhere, and cannot be resumed here: machine, processor: 'Z80' there",
        ),
        ({"environment": result["environment"] | {"torch": "1.0"}}, "environment, torch: '1.0' there"),
        ({"version": 7}, "has version 7"),
    ):
        results.write(file, result | change)
        assert main([*TINY, "--resume", "--out", str(file)]) == 2
        assert message in said(capsys)[1]
    file.write_text("{")
    assert main([*TINY, "--resume", "--out", str(file)]) == 2
    assert "is broken: no JSON" in said(capsys)[1]


def test_nothing_is_begun_that_would_end_too_late(tmp_path, monkeypatch, capsys):
    """By the longest configuration so far: each takes ten seconds of a clock that only the work moves."""
    now = [0.0]
    monkeypatch.setattr(command, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def ten_seconds(config, phase, implementations, setting):
        now[0] += 10
        return measure(config, phase, implementations, setting)

    monkeypatch.setattr(command, "measure", ten_seconds)
    assert command.main(["--preset", "smoke", *FAST, "--out", str(tmp_path / "a.json")], command.How(until=35.0)) == 0
    assert now == [30.0]
    assert "the time is used up: " in said(capsys)[0]


def test_a_gpu_whose_clock_has_changed_is_still_the_same():
    gpu = {"name": "G", "driver": "1", "memory_gb": 80.0, "power_limit_w": 700.0, "clock_mhz": 1000.0}
    one = {"machine": {"gpu": gpu}, "environment": {}}
    assert machine.difference(one, {"machine": {"gpu": gpu | {"clock_mhz": 345.0}}, "environment": {}}) is None
    assert "driver" in machine.difference(one, {"machine": {"gpu": gpu | {"driver": "2"}}, "environment": {}})
    little, much, same = ({"machine": {"memory_gb": gb}, "environment": {}} for gb in (64.0, 128.0, 64.3))
    assert machine.difference(little, same) is None
    assert "memory_gb" in machine.difference(little, much)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--impl", "no_such_adapter"], "no module is named 'no_such_adapter'"),
        (["--dtype", "tf32"], "only a CUDA device has TF32"),
        *([] if torch.cuda.is_available() else [(["--device", "cuda"], "torch sees no CUDA device")]),
    ],
)
def test_what_is_not_there_is_status_2_and_one_line(file, options, message, capsys):
    assert main(["run", "--preset", "smoke", *options, "--out", str(file)]) == 2
    err = said(capsys)[1]
    assert message in err
    assert "Traceback" not in err
    assert not file.exists()


@pytest.mark.parametrize("arguments", [["--preset", "no"], [], ["--preset", "smoke", "--dtype", "int8"]])
def test_options_that_do_not_exist(arguments, capsys):
    with pytest.raises(SystemExit) as e:
        main(["run", *arguments])
    assert e.value.code == 2


@pytest.mark.parametrize("seconds", ["-1", "nan"])
def test_a_budget_that_is_no_time_is_refused(seconds, capsys):
    with pytest.raises(SystemExit) as e:
        main(["run", "--preset", "smoke", "--budget", seconds])
    assert e.value.code == 2
    assert "--budget: must be 0 or more" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_status_2(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main([*TINY, "--out", str(tmp_path / "file" / "r.json")]) == 2
    assert "error:" in said(capsys)[1]


def test_a_stranger_is_timed_with_the_command_that_judges_it(tmp_path, monkeypatch, file):
    name = stranger(tmp_path, monkeypatch, "bench_stranger_right")
    assert main([*TINY, "--impl", name, "--out", str(file)]) == 0
    rows = [row for row in results.read(file)["rows"] if row["implementation"] == name]
    assert [row["status"] for row in rows] == ["ok", "ok"]
    assert all(row["kernel"] is None and row["seconds"] for row in rows)


def test_a_wrong_stranger_is_not_timed_and_status_1(tmp_path, monkeypatch, file, capsys):
    name = stranger(tmp_path, monkeypatch, "bench_stranger_wrong", "y * 1.01")
    assert main([*TINY, "--impl", name, "--out", str(file)]) == 1
    rows = {(r["implementation"], r["phase"]): r for r in results.read(file)["rows"]}
    assert rows[name, "train"]["status"] == "wrong"
    assert rows[name, "train"]["seconds"] is None
    assert rows[name, "train"]["parity"] > 1
    assert rows["numpy", "train"]["status"] == "ok"
    assert f"{name} wrong: small case, y" in said(capsys)[0]


def test_a_budget_ends_it_and_resume_goes_on(file, capsys):
    assert main([*TINY, "--budget", "0", "--out", str(file)]) == 1
    assert "is used up: 2 of 2 configurations are left; --resume goes on" in said(capsys)[0]
    assert results.read(file)["rows"] == []
    assert main([*TINY, "--resume", "--out", str(file)]) == 0
    assert len(results.read(file)["rows"]) == 4


def test_an_interruption_is_said_and_loses_nothing(tmp_path, monkeypatch, file, capsys):
    from . import command as run

    real, calls = run.measure, []

    def interrupted(*args):
        if calls:
            raise KeyboardInterrupt
        calls.append(args)
        return real(*args)

    monkeypatch.setattr(run, "measure", interrupted)
    assert main([*TINY, "--out", str(file)]) == 130
    assert "interrupted; --resume goes on with" in said(capsys)[1]
    assert len(results.read(file)["rows"]) == 2


def test_killed_at_any_moment_nothing_is_lost_and_nothing_is_measured_twice(file):
    """kill -9, several times, soon after another group was written; then on to the end."""
    command = [sys.executable, "-m", "benchmarks", "run", "--preset", "smoke", *FAST, "--resume", "--out", str(file)]
    rng, kept, ends = random.Random(0), [], []

    def rows():
        if not file.exists():
            return []
        written = results.read(file)["rows"]
        assert written[: len(kept)] == kept
        return written

    for _ in range(3):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(rows()) <= len(kept) and process.poll() is None:
            time.sleep(0.02)
        time.sleep(rng.random() / 4)
        process.kill()
        ends.append(process.wait())
        kept = rows()
    killed = 1 if sys.platform == "win32" else -signal.SIGKILL
    assert set(ends) <= {killed, 0}
    assert ends[0] == killed
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == 0
    written = rows()
    assert len(written) == len({results.identity(row) for row in written}) == 3 * 2 * 2
    assert all(row["status"] == "ok" for row in written)
    assert [p.name for p in file.parent.iterdir()] == [file.name]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not enforce this limit")
def test_memory_that_is_not_there_is_an_error_of_the_one_who_asks():
    code = """
import numpy as np, torch
from benchmarks.run.machine import limit_memory
from reference.common.command import is_out_of_memory
limit_memory(3 * 10**9)
for ask in (lambda: np.ones(10**10, np.uint8), lambda: torch.ones(10**10, dtype=torch.uint8)):
    try:
        ask()
    except Exception as e:
        assert is_out_of_memory(e), e
    else:
        raise SystemExit("it had the memory")
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_machine_and_environment_are_as_the_schema_says():
    result = results.new("smoke", "", machine.machine(), machine.environment())
    results.validate(json.loads(json.dumps(result)), "this machine")
    assert result["machine"]["cores"] <= (os.cpu_count() or 1)
    assert "off in all others" in result["environment"]["tf32"]


def test_nvidia_smi_is_read_if_it_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.smi("") == {}
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho '580.1, 700.00, [N/A]'\n")
    tool.chmod(0o755)
    facts = machine.smi("GPU-1")
    assert facts == {"driver": "580.1", "power_limit_w": "700.00", "clock_mhz": "[N/A]"}
    assert machine.number(facts["power_limit_w"]) == 700
    assert machine.number(facts["clock_mhz"]) is None


def test_others_are_noticed_when_they_take_what_is_needed(monkeypatch):
    def watch(own, busy):
        return machine.others((0.0, 0.0, 0.0), (2.0, own, busy))

    monkeypatch.setattr(machine, "cores", lambda: 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert watch(own=3.0, busy=3.0) == 0
    assert watch(own=2.0, busy=4.0) == pytest.approx(1.0)
    assert watch(own=2.0, busy=0.0) == 0
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert watch(own=4.0, busy=14.0) == 0
    assert watch(own=2.0, busy=16.0) == pytest.approx(1.0)


def test_limits_are_the_best_of_each_way():
    class Clock:
        now = 0.0

        def __call__(self):
            self.now += 0.001
            return self.now

    assert roofline.best(lambda: None, "cpu", Clock()) == pytest.approx(0.001)
    assert len(roofline.products("cpu", "float32", 8)) == 2
    assert len(roofline.products("cpu", "bfloat16", 8)) == 1


def test_the_roofline_is_the_nearer_limit():
    known = {"gemm_gflops": {"float32": 100.0}, "copy_gbs": 10.0}
    assert roofline.fraction_of_limit(10**9, 10**6, 0.02, "float32", known) == (pytest.approx(0.5), "compute")
    assert roofline.fraction_of_limit(10**6, 10**9, 0.2, "float32", known) == (pytest.approx(0.5), "memory")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["dance"], 2, "there is no command 'dance'"),
        ([], 2, "a command is needed"),
        (["--help"], 0, "run | report | compare | claims | strangers | gpu | list"),
    ],
)
def test_commands(arguments, status, message, capsys):
    assert main(arguments) == status
    assert message in " ".join(said(capsys))


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        (["run", "--preset", "smoke"], "psutil"),
        (["report", "a.json"], "pandas"),
        (["compare", "a.json", "b.json"], "pandas"),
        (["gpu", "--dry"], "psutil"),
        (["list"], "torch"),
    ],
)
def test_a_package_that_is_missing_is_one_sentence_and_status_2(command, missing):
    code = f"""
import sys
sys.modules[{missing!r}] = None
from benchmarks.__main__ import main
sys.exit(main({command!r}))
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"error: {missing} is needed and not installed; the extra 'bench' brings what is missing: ")
    assert ended.stderr.count("\n") == 1


def test_joules_are_in_a_row_where_something_counts_and_rounds_in_any(file, monkeypatch):
    class Counter:
        """A joule for each reading of it."""

        name, count = "a counter", 0

        def read(self):
            self.count += 1
            return (self.count,)

        def joules(self, before, after):
            return after[0] - before[0]

    monkeypatch.setattr("benchmarks.run.energy.reading.SECONDS", 0.0)
    for counter, known in ((Counter(), [0.5] * 4), (None, [None] * 4)):
        monkeypatch.setattr(command, "counter_of", lambda device, counter=counter: counter)
        assert main([*TINY, "--overwrite", "--out", str(file)]) == 0
        rows = results.read(file)["rows"]
        assert [row["joules"] for row in rows] == known
        assert all(sum(row["rounds"]) == len(row["seconds"]["samples"]) for row in rows)


needs_two = pytest.mark.skipif(machine.cores() < 2, reason="one processor is all there is")


@needs_two
def test_one_thread_is_one_processor_for_everybody_and_is_recorded(file):
    """In a process of its own, since every thread of it is bound."""
    command = [sys.executable, "-m", "benchmarks", *TINY, "--threads", "1", "--out", str(file)]
    env = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    assert subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True).returncode == 0
    result = results.read(file)
    assert result["machine"]["cores"] == machine.cores()
    assert result["environment"]["torch_threads"] == 1
    assert {b["threads"] for b in result["environment"]["blas"]} == {1}
    assert result["command"].endswith("--threads 1")


@needs_two
def test_threads_are_given_back():
    before = machine.allowed(), torch.get_num_threads()
    with machine.threads(1):
        assert (machine.cores(), torch.get_num_threads()) == (1, 1)
        assert {b["threads"] for b in machine.blas()} == {1}
    assert before == (machine.allowed(), torch.get_num_threads())


@pytest.mark.parametrize("count", [0, 10_000])
def test_threads_that_are_not_there(file, count, capsys):
    assert main([*TINY, "--threads", str(count), "--out", str(file)]) == 2
    assert "--threads must be from 1 to" in said(capsys)[1]
    assert not file.exists()


def test_a_stranger_says_what_it_is_and_a_file_has_one_of_it(tmp_path, monkeypatch, file, capsys):
    name = stranger(tmp_path, monkeypatch, "bench_stranger_about")
    path = tmp_path / f"{name}.py"
    path.write_text(path.read_text() + 'about = lambda: "mine 1.0,\\n2 threads"\n')
    assert main([*TINY, "--impl", name, "--phase", "train", "--out", str(file)]) == 0
    assert results.read(file)["environment"]["strangers"] == {name: "mine 1.0, 2 threads"}
    monkeypatch.setattr(sys.modules[name], "about", lambda: "mine 1.1, 2 threads")
    assert main([*TINY, "--impl", name, "--resume", "--out", str(file)]) == 2
    assert "was 'mine 1.0, 2 threads' in this file, and is 'mine 1.1, 2 threads' here" in said(capsys)[1]


def test_what_infers_is_timed_as_inference(tmp_path, monkeypatch, file):
    name = stranger(tmp_path, monkeypatch, "bench_stranger_infers", "y + 1")
    path = tmp_path / f"{name}.py"
    path.write_text(
        path.read_text() + "\n    def infer(self, x, state, lengths=None):\n        return self.layer.forward(x, state, lengths)\n"
    )
    assert main([*TINY, "--impl", name, "--out", str(file)]) == 1
    status = {r["phase"]: r["status"] for r in results.read(file)["rows"] if r["implementation"] == name}
    assert status == {"forward": "ok", "train": "wrong"}
