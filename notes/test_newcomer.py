"""The path of notes/index.md, walked: break one line of reference/cells/gru.py in a copy, and the reports name its equation."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from .labels import NOTES, ROOT

PAGE = (NOTES / "index.md").read_text(encoding="utf-8")
LINE, BROKEN = "dh * (h_prev - n)", "dh * h_prev"


def block(mark):
    """The lines of the text block after a mark of the page, without the indentation of the list."""
    match = re.search(rf"<!-- {mark} -->\n   ```text\n(.*?)\n   ```", PAGE, re.DOTALL)
    assert match, mark
    return [line.removeprefix("   ") for line in match[1].splitlines()]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of what the commands need."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("reference", "torch_impl", "parity_tests", "notes"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def run(folder, command):
    """(exit status, lines of the output) of a command of the page"""
    assert command in PAGE
    process = subprocess.run(
        [sys.executable, *command.split()[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "120"},
    )
    return process.returncode, process.stdout.splitlines()


COMMANDS = {
    "parity report": "python -m parity_tests --impl torch.library --cases gru-T5B4I3H6 --dtype float64",
    "trace": "python -m notes.trace gru --T 3 --H 2 --seed 0",
}


@pytest.mark.slow
@pytest.mark.parametrize(("mark", "command"), COMMANDS.items())
def test_the_reports_say_what_the_page_says(copy, mark, command):
    file = copy / "reference" / "cells" / "gru.py"
    code = file.read_text(encoding="utf-8")
    assert code.count(LINE) == 1
    assert run(copy, command)[0] == 0
    file.write_text(code.replace(LINE, BROKEN), encoding="utf-8")
    status, lines = run(copy, command)
    file.write_text(code, encoding="utf-8")
    assert status == 1
    assert [line for line in block(mark) if line not in lines] == []
    if mark == "trace":
        assert next(line for line in lines if "✗" in line) == block(mark)[2]
    else:
        assert any("gru-T5B4I3H6" in line and line.rstrip().endswith("6 of 8") for line in lines), lines


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "broken", "named"),
    [
        ("dq = da_n * r if reset_after else da_n", "dq = da_n", "dq at t = 4 of T = 5, equation G3*"),
        ("h @ p.W_hh[: 2 * H].T + p.b_hh[: 2 * H])", "h @ p.W_hh[: 2 * H].T)", "G1"),
    ],
)
def test_other_breaks_name_other_equations(copy, line, broken, named):
    file = copy / "reference" / "cells" / "gru.py"
    code = file.read_text(encoding="utf-8")
    assert code.count(line) == 1
    file.write_text(code.replace(line, broken), encoding="utf-8")
    status, lines = run(copy, COMMANDS["parity report"])
    file.write_text(code, encoding="utf-8")
    assert status == 1
    assert any(named in line for line in lines if "gru.py:" in line), lines
