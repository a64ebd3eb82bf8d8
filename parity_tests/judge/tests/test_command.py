"""``python -m parity_tests`` and pytest's ``--impl``, as a stranger would use them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from .. import terminal
from ..command import main

ROOT = Path(__file__).parent.parent.parent.parent
ADAPTER = """
import numpy as np

import reference

def load(spec, weights):
    return Layer(spec, weights)

def declines(spec):
    if spec.cell != "gru" or not spec.reset_after or spec.num_layers > 1:
        return "only one layer of a torch GRU"

class Layer:
    def __init__(self, spec, weights):
        self.spec = spec
        self.gru = reference.GRU(spec.input_size, spec.hidden_size, bias=spec.bias, bidirectional=spec.bidirectional,
                                 batch_first=spec.batch_first, dtype=spec.dtype)
        self.gru.load_state_dict(weights)

    def forward(self, x, state, lengths=None):
        self.lengths, self.T = lengths, x.shape[self.spec.batch_first]
        if lengths is not None:
            x = reference.pack_padded_sequence(x, lengths, self.spec.batch_first, enforce_sorted=False)
        y, h = self.gru(x, None if state is None else state[0])
        if lengths is not None:
            self.packed = y
            y, _ = reference.pad_packed_sequence(y, self.spec.batch_first, total_length=self.T)
        return FORWARD

    def backward(self, dy, dstate):
        if self.lengths is not None:
            dy = reference.pad_packed_sequence_backward(dy, self.packed, self.spec.batch_first)
        dx, dh = self.gru.backward(dy, dstate[0])
        if self.lengths is not None:
            dx = reference.pack_padded_sequence_backward(dx, self.T, self.spec.batch_first)
        return dx, (dh,), self.gru.grads
"""


@pytest.fixture
def adapter(tmp_path, monkeypatch):
    """Write a module into an empty folder that is the current one; returns its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def write(name: str, forward: str) -> str:
        (tmp_path / f"{name}.py").write_text(ADAPTER.replace("FORWARD", forward))
        return name

    return write


def test_a_right_stranger_passes_with_status_0(adapter, capsys):
    assert main(["--impl", adapter("right_adapter", "y, (h,)")]) == 0
    out = capsys.readouterr().out
    assert "0 wrong, 0 errors" in out
    assert "declined: only one layer of a torch GRU" in out


def test_a_wrong_stranger_fails_with_status_1_and_is_told_where(adapter, capsys):
    """The reverse direction's final state is wrong, so only bidirectional cases fail, and the report says so."""
    assert main(["--impl", adapter("wrong_adapter", "y, (h - 0.5 * h * (np.arange(len(h)) == 1)[:, None, None],)")]) == 1
    out = capsys.readouterr().out
    assert "h_n" in out
    assert "bidirectional = True" in out


def test_what_cannot_be_loaded_is_status_2_and_one_line(capsys):
    assert main(["--impl", "no_such_adapter"]) == 2
    err = capsys.readouterr().err
    assert "no module is named 'no_such_adapter'" in " ".join(err.split())
    assert "Traceback" not in err


def test_an_adapter_with_a_syntax_error_is_status_2(adapter, capsys):
    assert main(["--impl", adapter("broken_adapter", "y, (h,")]) == 2
    assert "broken_adapter cannot be imported: SyntaxError" in capsys.readouterr().err


def test_nothing_compared_is_not_a_success(adapter, capsys):
    assert main(["--impl", adapter("picky_adapter", "y, (h,)"), "--cases", "lstm-*"]) == 1
    assert "nothing was compared" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cases", "nothing*"], "no case is named 'nothing*'"),
        (["--report", "table.pdf"], "must end in one of .json, .md, .html"),
        *([] if torch.cuda.is_available() else [(["--device", "cuda"], "--device cuda: torch cannot use it here")]),
    ],
)
def test_what_is_not_there_is_status_2(arguments, message, capsys):
    assert main(arguments) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_report_that_cannot_be_written_is_status_2(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["--impl", "numpy", "--cases", "*size1*", "--report", str(tmp_path / "file" / "a.md")]) == 2
    assert "the report cannot be written" in " ".join(capsys.readouterr().err.split())


def test_reports_are_written_and_self_contained(adapter, tmp_path, capsys):
    name = adapter("reported_adapter", "y + (y * 0 + 1e-3 if self.spec.batch_first else 0), (h,)")
    files = [tmp_path / "out" / f"r{suffix}" for suffix in (".json", ".md", ".html")]
    some = ["--cases", "gru-T5B4I3H6*", "--exclude", "*crossed*"]
    assert main(["--impl", name, "--impl", "numpy", *some, *(a for f in files for a in ("--report", str(f)))]) == 1
    report = json.loads(files[0].read_text())
    stranger, ours = report["implementations"]
    assert (stranger["name"], ours["name"]) == (name, "numpy")
    assert stranger["failed"] > 0 == ours["failed"]
    assert stranger["shared"] == "batch_first = True"
    assert all(r["tensors"] for r in ours["rows"])
    for f in files[1:]:
        text = f.read_text()
        assert "WRONG" in text
        assert "batch_first = True" in text
    page = files[2].read_text()
    assert "<script" not in page
    assert "http" not in page


def test_list_prints_names_that_cases_accepts(capsys):
    assert main(["--list", "--cases", "gru-before-*", "--dtype", "float64"]) == 0
    lines = capsys.readouterr().out.split()
    assert lines[::2] and set(lines[1::2]) == {"float64"}
    assert all(name.startswith("gru-before-") for name in lines[::2])


def in_pytest(*options):
    """pytest on the suite in a process of its own, as a stranger runs it where it is installed."""
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "parity_tests/test_parity.py"]
    return subprocess.run([*words, *options], cwd=ROOT, capture_output=True, text=True, check=False)


def test_pytest_takes_impl_too():
    run = in_pytest("--impl", "torch.cell", "-k", "lstm-T5B4I3H6 and float64")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "passed" in run.stdout


def test_pytest_refuses_an_unknown_implementation():
    run = in_pytest("--impl", "no_such_adapter")
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert "no module is named 'no_such_adapter'" in run.stderr


@pytest.mark.parametrize(
    ("x", "text"), [(0.0, "0.00"), (1.5, "1.50"), (1e-9, "1.0e-09"), (12345.0, "1.2e+04"), ("inf", "inf"), (float("nan"), "nan")]
)
def test_figures_are_short(x, text):
    assert terminal.figure(x) == text


def test_the_adapter_in_the_readme_works_as_it_stands(tmp_path, monkeypatch, capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text.partition("```python\n# my_lib/adapter.py\n")[2].partition("```")[0]
    (tmp_path / "readme_adapter.py").write_text(block, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["--impl", "readme_adapter"]) == 0
    assert " 0 wrong, 0 errors" in capsys.readouterr().out


def test_the_readme_counts_right():
    from ..cases import table

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"in {len(table(('float64',)))} cases and two dtypes" in text
