"""The command for a machine with a GPU, where there is none: what is begun, for how long, what is stopped, what goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from . import command
from .command import SECONDS, STOPPED, End, main, share, stopped_in_time

NOT_THERE = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")


def pretend(ends=(), rows=()):
    """A ``start`` that runs nothing: it notes what it is given, writes a file, and ends as told, at last with 0."""
    begun, statuses = [], iter(ends)

    def start(words, seconds, log):
        begun.append((words, seconds))
        Path(words[words.index("--out") + 1]).write_text(json.dumps({"rows": list(rows)}), encoding="utf-8")
        return next(statuses, 0)

    return begun, start


def names(begun):
    return [Path(words[words.index("--out") + 1]).stem for words, _ in begun]


def run(tmp_path, *options, start, **how):
    return main(["--device", "cpu", "--out", str(tmp_path / "out"), *options], start, **how)


def test_the_order_is_that_of_worth_and_the_plan_is_that_of_eight_minutes(tmp_path):
    begun, start = pretend()
    assert run(tmp_path, start=start) == 0
    assert names(begun) == list(SECONDS) == ["machine", "parity", "low", "grid", "crossover", "cliffs", "deepbench"]
    assert sum(SECONDS.values()) == pytest.approx(480, rel=0.03)


def test_eight_files_at_most_come_back(tmp_path):
    _, start = pretend()
    run(tmp_path, start=start)
    assert len(list((tmp_path / "out").iterdir())) == 8


@pytest.mark.parametrize("seconds", [5.0, 60.0, 480.0, 900.0])
def test_shares_are_all_of_the_time_and_no_piece_is_without(seconds):
    left, shares = seconds, []
    for k in range(len(SECONDS)):
        shares.append(share(left, list(SECONDS)[k:]))
        left -= shares[-1]
    assert sum(shares) == pytest.approx(seconds)
    assert min(shares) > 0
    if seconds == 480:
        assert shares == pytest.approx(list(SECONDS.values()), rel=0.05)


def test_what_a_piece_leaves_over_the_later_ones_have(tmp_path):
    begun, start = pretend()
    run(tmp_path, "--minutes", "8", start=start)
    assert begun[-1][1] > 400  # none of the others took any time
    assert begun[0][1] == pytest.approx(SECONDS["machine"], rel=0.05)


def test_nothing_is_begun_when_the_time_is_over(tmp_path, capsys):
    begun, start = pretend()
    assert run(tmp_path, "--minutes", "1", start=start, begun=time.monotonic() - 60) == 1
    assert not begun
    assert "machine: not begun" in capsys.readouterr().out


def test_one_piece_that_fails_does_not_stop_the_others_and_is_said(tmp_path, capsys):
    begun, start = pretend([0, 1, STOPPED])
    assert run(tmp_path, start=start) == 1
    assert len(begun) == 7
    out = capsys.readouterr().out
    for text in ("machine: ended well", "parity: ended with status 1", "low: was stopped: it took too long", "$ python3 -m"):
        assert text in out
        assert text in (tmp_path / "out" / "log.txt").read_text()


def test_a_piece_whose_device_is_gone_is_begun_again_in_its_time(tmp_path):
    begun, start = pretend([0, 0, 0, command.GONE, 0])
    assert run(tmp_path, start=start) == 0
    assert names(begun).count("grid") == 2
    assert begun[4][1] <= begun[3][1]
    begun, start = pretend([command.GONE] * 99)
    assert run(tmp_path, "--rest", "--only", "grid", start=start) == 1
    assert len(begun) == 1 + command.AGAIN


def test_without_a_device_the_first_piece_says_so_and_nothing_else_is_begun(tmp_path):
    begun, start = pretend([command.NO_DEVICE] * 7)
    assert main(["--out", str(tmp_path / "out")], start) == 2
    assert names(begun) == ["machine"]


@NOT_THERE
def test_without_a_device_status_2_for_real(tmp_path, capsys):
    assert main(["--out", str(tmp_path / "out"), "--only", "grid", "--minutes", "5"]) == 2
    assert "torch sees no CUDA device" in capsys.readouterr().out


def test_dry_prints_the_commands_and_begins_nothing(tmp_path, capsys):
    begun, start = pretend()
    assert run(tmp_path, "--dry", start=start) == 0
    assert not begun
    assert not (tmp_path / "out").exists()
    assert capsys.readouterr().out.count("$ python3 -m benchmarks.gpu.") == 7


@pytest.mark.parametrize("minutes", ["-1", "0", "nan", "inf"])
def test_time_that_nothing_can_be_done_in_is_refused_before_anything_begins(minutes, tmp_path, capsys):
    with pytest.raises(SystemExit) as refused:
        run(tmp_path, "--minutes", minutes, start=lambda *a: pytest.fail("a piece was begun"))
    assert refused.value.code == 2
    assert "--minutes: must be above 0 and finite" in capsys.readouterr().err


def test_files_of_an_earlier_call_are_not_written_over(tmp_path, capsys):
    _, start = pretend()
    run(tmp_path, start=start)
    assert run(tmp_path, start=lambda *a: pytest.fail("a piece was begun")) == 2
    assert "--rest goes on with them" in capsys.readouterr().err


def test_the_rest_takes_over_files_from_a_folder_without_what_failed(tmp_path):
    rows = [{"status": s, "n": n} for n, s in enumerate(("ok", "error", "declined", "wrong", "crashed", "timeout", "skipped"))]
    _, start = pretend(rows=rows)
    run(tmp_path, "--only", "machine", "--only", "grid", start=start)
    (tmp_path / "first").mkdir()
    for file in (tmp_path / "out").glob("*.json"):
        (tmp_path / "first" / file.name).write_bytes(file.read_bytes())
        (tmp_path / "first" / file.name).chmod(0o444)
        file.unlink()
    found = {}

    def look(words, seconds, log):
        file = Path(words[words.index("--out") + 1])
        found[file.stem] = [row["n"] for row in json.loads(file.read_bytes())["rows"]] if file.exists() else None
        return 0

    assert run(tmp_path, "--rest", str(tmp_path / "first"), start=look) == 0
    assert found == dict.fromkeys(SECONDS) | {"machine": [0, 2], "grid": [0, 2]}
    assert len(json.loads((tmp_path / "first" / "grid.json").read_text())["rows"]) == len(rows)


@pytest.mark.parametrize("text", [None, "{", "[]", '{"rows": [1]}'])
def test_a_rest_of_nothing_is_refused(text, tmp_path, capsys):
    (tmp_path / "first").mkdir()
    if text:
        (tmp_path / "first" / "grid.json").write_text(text)
    assert run(tmp_path, "--rest", str(tmp_path / "first"), start=lambda *a: pytest.fail("a piece was begun")) == 2
    assert "an earlier call" in capsys.readouterr().err


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"])
print("pids", os.getpid(), child.pid, flush=True)
time.sleep(600)
"""


def test_a_piece_that_ignores_being_asked_is_killed_with_its_children(tmp_path, capsys):
    with (tmp_path / "log.txt").open("a") as log:
        begin = time.monotonic()
        assert stopped_in_time([sys.executable, "-c", STUBBORN], 4.0, log) == STOPPED
        took = time.monotonic() - begin
    assert took < 30  # of 600
    pids = [int(pid) for pid in capsys.readouterr().out.split("pids ")[1].split()]
    assert len(pids) == 2
    assert ended(pids)


def test_pieces_that_hang_do_not_make_the_whole_longer(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "command", lambda *a: [sys.executable, "-c", STUBBORN])
    begin = time.monotonic()
    assert main(["--device", "cpu", "--out", str(tmp_path / "out"), "--minutes", "0.12", "--only", "grid", "--only", "cliffs"]) == 1
    assert time.monotonic() - begin < 30  # of 1200
    assert capsys.readouterr().out.count("was stopped: it took too long") == 2


def alive(pid):
    """Whether a process runs; one that has ended and was not waited for does not."""
    with suppress(OSError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    return False


def ended(pids):
    """Whether none of them runs, within the moment that a signal takes"""
    for _ in range(100):
        if any(map(alive, pids)):
            time.sleep(0.05)
    return not any(map(alive, pids))


def test_a_piece_that_ends_leaves_nothing_running(tmp_path, capsys):
    left = "import subprocess, sys; print('pids', subprocess.Popen(['sleep', '600']).pid); sys.exit(3)"
    with (tmp_path / "log.txt").open("a") as log:
        assert stopped_in_time([sys.executable, "-c", left], 60.0, log) == 3
    (pid,) = (int(pid) for pid in capsys.readouterr().out.split("pids ")[1].split())
    assert ended([pid])


def test_the_log_has_all_that_a_piece_says_and_the_screen_its_end(tmp_path, capsys):
    log_file = tmp_path / "log.txt"
    with log_file.open("a") as log:
        command.say(log, "before")
        text = "import sys; print(*range(100), sep='\\n'); sys.stderr.write('an error')"
        assert stopped_in_time([sys.executable, "-c", text], 60, log) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "before"
    assert len(out) == 1 + command.TAIL
    assert log_file.read_text().split() == ["before", *map(str, range(100)), "an", "error"]


def test_no_piece_needs_torch_to_be_begun():
    """So that what hangs in torch or CUDA hangs in a piece, which is stopped."""
    code = "import sys, benchmarks.gpu.command; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0


def test_a_piece_is_ended_where_there_are_no_groups_of_processes(monkeypatch):
    killed = []
    monkeypatch.delattr(os, "killpg", raising=False)
    monkeypatch.delattr(signal, "SIGKILL", raising=False)
    command.ended(SimpleNamespace(pid=1, kill=lambda: killed.append(1)), politely=False)
    assert killed == [1]


def test_an_end_is_a_sentence():
    assert str(End("grid", 0, 1.4)) == "grid: ended well, 1 s"
    assert signal.SIGKILL.name in str(End("grid", -9, 1.0))
