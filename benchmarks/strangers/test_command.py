"""Who is timed where, and what is said if that fails; nothing is installed or timed here."""

import sys
from pathlib import Path

import pytest

from parity_tests.judge.strangers import STRANGERS
from parity_tests.strangers.running import environments

from ..__main__ import main as benchmarks
from .command import ROOT, TIMED, main, started


@pytest.fixture
def made(monkeypatch):
    """Environments that are only asked for: who asked, and where."""
    asked = []

    def environment(needs, place):
        asked.append((needs, place))
        return Path("/environment") / needs[0] / "bin" / "python"

    monkeypatch.setattr(environments, "environment", environment)
    return asked


def test_each_is_timed_beside_the_library_by_the_interpreter_of_its_environment(made):
    runs = []

    def start(words, threads):
        runs.append((words, threads))
        return 0

    more = ["--threads", "1", "--budget", "60", "--environments", "/there"]
    assert main(["jax.scan", "openvino", "--machine", "box", *more], start) == 0
    assert made == [(STRANGERS[name].needs, Path("/there")) for name in ("jax.scan", "openvino")]
    (words, threads), _ = runs
    assert words[0] == "/environment/jax==0.10.2/bin/python"
    assert " ".join(words[1:]) == (
        "-m benchmarks run --preset grid --impl torch.library --impl jax.scan --threads 1 --budget 60 "
        "--resume --out benchmarks/results/box/box-jax.scan.json.gz"
    )
    assert threads == 1


def test_a_run_imports_this_checkout_and_is_told_its_threads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = "import os, sys, benchmarks; sys.exit(10 * int(os.environ['BPTT_STRANGER_THREADS']) + len(benchmarks.__path__))"
    assert started([sys.executable, "-c", code], 3) == 31
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    code = "import os; raise SystemExit(7 * (os.environ.setdefault('XLA_FLAGS', 'slow') == ''))"
    assert started([sys.executable, "-c", code], 1) == 7  # what the adapter would ask for is not what is timed
    code = f"import os, sys; sys.exit(os.environ['PYTHONPATH'].split(os.pathsep)[0] != {str(ROOT)!r})"
    assert started([sys.executable, "-c", code], 1) == 0


def test_one_that_fails_does_not_stop_the_others(made, monkeypatch, capsys):
    def environment(needs, place):
        if "openvino" in needs[-1]:
            raise environments.InstallError("pip cannot install openvino")
        return Path("python")

    monkeypatch.setattr(environments, "environment", environment)
    runs = []
    start = lambda words, threads: runs.append(words) or len(runs) == 1  # noqa: E731
    assert main(["openvino", "jax.scan", "keras.jax", "--machine", "box"], start) == 1
    out = capsys.readouterr().out
    assert "openvino: pip cannot install openvino" in out
    assert "jax.scan: ended with status" in out
    assert len(runs) == 2


def test_dry_prints_the_commands_of_all_by_default_and_makes_nothing(made, capsys):
    assert main(["--machine", "box", "--dry", "--out", "there"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(TIMED)
    assert all(f"--impl {name} " in line and f"there/box-{name}.json.gz" in line for name, line in zip(TIMED, lines, strict=True))
    assert made == []


def test_who_is_not_there_is_one_sentence_and_status_2(capsys):
    assert benchmarks(["strangers", "nobody", "--machine", "box"]) == 2
    assert "no adapter is named 'nobody'" in capsys.readouterr().err
    assert set(TIMED) <= STRANGERS.keys()
