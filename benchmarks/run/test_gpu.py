"""The commands for a machine with a GPU, where there is none: that they can be given, in order, and what ends how."""

import json
from pathlib import Path

import pytest
import torch

from parity_tests.judge.tolerance import NO_ERROR

from ..what.precision import in_force
from . import gpu, low_precision
from .command import arguments as run_arguments


def test_every_command_is_one_that_the_programs_take():
    from parity_tests.judge.command import arguments as parity_arguments

    pieces = gpu.pieces("cuda", Path("out"))
    assert [p.name for p in pieces] == ["parity", "low", "grid", "deepbench", "cliffs", "crossover"]
    assert sum(p.share for p in pieces) == pytest.approx(1)
    for piece in pieces:
        program, *words = piece.words
        if program == "benchmarks":
            args = run_arguments().parse_args(words[1:])
            assert args.resume
            assert "tf32" in args.dtype or piece.name == "crossover"
        else:
            parser = {"parity_tests": parity_arguments, "benchmarks.run.low_precision": low_precision.arguments}[program]()
            assert parser.parse_args(words).device == "cuda"


def test_pieces_run_in_order_share_the_time_and_do_not_stop_each_other(capsys):
    begun, ends = [], iter([0, 1, gpu.STOPPED, 0, 0, 0])

    def start(command, seconds):
        begun.append((command, seconds))
        return next(ends)

    assert gpu.main(["--device", "cpu", "--minutes", "10"], start) == 1
    assert len(begun) == 6
    assert sum(seconds - gpu.GRACE for _, seconds in begun) == pytest.approx(600)
    grid = begun[2][0]
    assert grid[grid.index("--budget") + 1] == "180"
    assert "tf32" not in grid
    out = capsys.readouterr().out
    for text in ("parity: ended well", "low: ended with status 1", "grid: was stopped: it took too long", "$ python3 -m"):
        assert text in out


def test_one_piece_has_all_the_time(capsys):
    begun = []
    assert gpu.main(["--device", "cpu", "--minutes", "2", "--only", "cliffs"], lambda *a: begun.append(a) or 0) == 0
    ((command, _),) = begun
    assert command[-2:] == ["--budget", "120"]


@pytest.mark.parametrize("minutes", ["-1", "0", "nan", "inf"])
def test_time_that_nothing_can_be_done_in_is_refused_before_anything_begins(minutes, capsys):
    with pytest.raises(SystemExit) as refused:
        gpu.main(["--device", "cpu", "--minutes", minutes], lambda *a: pytest.fail("a piece was begun"))
    assert refused.value.code == 2
    assert "--minutes: must be above 0 and finite" in capsys.readouterr().err


def test_a_piece_that_hangs_is_stopped():
    import sys

    assert gpu.stopped_in_time([sys.executable, "-c", "import time; time.sleep(60)"], 0.2) == gpu.STOPPED
    assert gpu.stopped_in_time([sys.executable, "-c", "raise SystemExit(3)"], 60) == 3


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
@pytest.mark.parametrize("main", [gpu.main, low_precision.main])
def test_without_a_device_one_sentence_and_status_2(main, capsys):
    assert main([]) == 2
    assert "torch sees no CUDA device" in " ".join(capsys.readouterr().err.split())


def test_narrow_precisions_are_judged_on_the_cpu_too(tmp_path, monkeypatch, capsys):
    real = low_precision.configs
    monkeypatch.setattr(low_precision, "configs", lambda *a: real(*a)[:5])
    file = tmp_path / "low.json"
    assert low_precision.main(["--device", "cpu", "--impl", "torch.library", "--impl", "torch.graphed", "--out", str(file)]) == 0
    lines = json.loads(file.read_text())
    assert {x["dtype"] for x in lines} == {"bfloat16", "float16"}
    by_name = {n: {x["status"] for x in lines if x["implementation"] == n} for n in ("torch.library", "torch.graphed")}
    assert by_name == {"torch.library": {"ok"}, "torch.graphed": {"declined"}}
    assert "✓" in capsys.readouterr().out


def test_what_is_wrong_in_a_narrow_precision_is_said(monkeypatch, capsys):
    real = low_precision.configs
    monkeypatch.setattr(low_precision, "configs", lambda *a: real(*a)[:1])
    monkeypatch.setattr(low_precision.check, "limits", lambda *a: NO_ERROR)
    low_precision.check.truth_of.cache_clear()
    assert low_precision.main(["--device", "cpu", "--dtype", "bfloat16", "--impl", "torch.loop"]) == 1
    low_precision.check.truth_of.cache_clear()
    assert "torch.loop wrong: rnn T9" in " ".join(capsys.readouterr().out.split())


def test_tf32_is_on_while_it_is_judged_and_off_for_the_others(monkeypatch):
    """On a device that is not there: what the flags are when a line is made."""
    seen = {}
    monkeypatch.setattr(low_precision, "line", lambda i, config, phase: seen.setdefault(config.dtype, flags()))

    def flags():
        return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32

    with in_force("float32"):
        list(low_precision.judged([None], ["tf32", "bfloat16"], "cuda"))
    assert seen == {"tf32": (True, True), "bfloat16": (False, False)}
