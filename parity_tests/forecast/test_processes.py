"""A forecast over two processes is the run of one; what goes wrong is one sentence, the last that is said."""

import os
import subprocess
import sys

import pytest

from reference.common.run import LAST, LOG, read_log

from ..char_lm.runs import ROOT, weights
from ..helpers import assert_close
from .runs import asked, command, wave, write


def two(*arguments):
    more = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "torch_impl.forecast", *map(str, arguments), "--processes", "2"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300, env=os.environ | more)


def test_two_processes_are_one_run_and_one_of_them_speaks(tmp_path):
    words = asked(write(tmp_path / "own.csv", wave()), "--batch", 15)
    assert command("torch_impl", *words, "--run", tmp_path / "one") == 0
    run = two(*words, "--run", tmp_path / "two")
    assert run.returncode == 0, run.stderr
    for k, v in weights(tmp_path / "one").items():
        assert_close(weights(tmp_path / "two")[k], v, k)
    logs = [[{k: v for k, v in e.items() if k != "time"} for e in read_log(tmp_path / n / LOG)] for n in ("one", "two")]
    for a, b in zip(*logs, strict=True):
        assert a == pytest.approx(b, rel=1e-9)
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == sorted(p.name for p in (tmp_path / "two").iterdir())
    assert run.stdout.count("on the validation part:") == run.stdout.count("own: 160 rows") == 1
    assert (tmp_path / "two" / LAST).exists()


def test_what_goes_wrong_is_the_last_that_is_said(tmp_path):
    run = two(*asked(tmp_path / "gone.csv"), "--run", tmp_path / "run")
    assert run.returncode == 2
    errors = run.stderr.splitlines()
    assert errors[-1].startswith("error: ") and "gone.csv cannot be read: No such file" in errors[-1]
    assert run.stderr.count("error: ") == 1 and "Traceback" not in run.stderr


def test_numpy_trains_in_one(tmp_path, capsys):
    assert command("reference", *asked(write(tmp_path / "own.csv", wave())), "--processes", 2) == 2
    assert capsys.readouterr().err == "error: --processes 2 is for the other side, python -m torch_impl.forecast\n"
