"""Ratios with intervals: what is computed, how often an interval holds what is true, and the command as its users type it."""

import json
import re

import numpy as np
import pytest

from ..__main__ import main
from ..report.test_command import case, row
from ..run import machine, results, roofline
from . import command
from .comparison import compared
from .interval import ratio, resampled, rounds

STRANGER = """
from parity_tests.judge.implementations import BUILTIN

def load(spec, weights):
    return Layer(spec, weights)

class Layer:
    def __init__(self, spec, weights):
        self.layer = BUILTIN["numpy"].load(spec, weights)

    def forward(self, x, state, lengths=None):
        y, state_n = self.layer.forward(x, state, lengths)
        return FACTOR * y, state_n
"""
BACKWARD = """
    def backward(self, dy, dstate):
        return self.layer.backward(dy, dstate)
"""
DECLINES = """
def declines(spec):
    return None if spec.cell == "gru" else "only GRU"
"""


def test_a_ratio_is_the_geometric_mean_over_rounds_of_medians():
    own, other = [1.0, 2.0, 9.0, 4.0, 4.0], [2.0, 2.0, 1.0]
    logs = rounds(own, other, [3, 2], [2, 1])
    assert np.exp(logs) == pytest.approx([2.0 / 2.0, 4.0 / 1.0])
    assert ratio([logs]).value == pytest.approx(2.0)
    assert ratio([logs, np.log([8.0, 8.0])]).value == pytest.approx(4.0)  # over cases likewise


@pytest.mark.parametrize("n", [8, 15, 30])
@pytest.mark.parametrize("cases", [1, 3])
def test_an_interval_holds_the_truth_as_often_as_it_says(n, cases):
    rng = np.random.default_rng(0)
    found = [ratio([0.05 * rng.standard_normal(n) for _ in range(cases)]) for _ in range(300)]
    assert 0.91 <= np.mean([r.low < 1 < r.high for r in found]) <= 0.985


def test_means_of_rounds_drawn_anew_scatter_as_the_mean_does():
    """As the standard error, n - 1 in it, says; without the stretch it would be a tenth less with five rounds."""
    logs = np.random.default_rng(0).standard_normal(5)
    assert np.std(resampled(logs, 0)) == pytest.approx(np.std(logs, ddof=1) / 5**0.5, rel=0.03)


def test_what_slows_both_is_in_neither():
    """The machine drifts by a factor of three; unpaired, nobody could tell."""
    rng = np.random.default_rng(0)
    drift = np.linspace(1.0, 3.0, 20)
    own, other = (t * drift * np.exp(0.01 * rng.standard_normal(20)) for t in (1.1, 1.0))
    paired = ratio([rounds(own, other, [1] * 20, [1] * 20)])
    apart = ratio([rounds(own, rng.permutation(other), [1] * 20, [1] * 20)])
    assert paired.verdict == "slower"
    assert paired.low < 1.1 < paired.high
    assert paired.high - paired.low < 0.2 * (apart.high - apart.low)


def test_one_round_says_nothing_of_how_sure_it_is():
    r = ratio([np.log([0.5])])
    assert (r.value, r.low, r.high, r.verdict) == (pytest.approx(0.5), 0.0, float("inf"), "no difference seen")


@pytest.mark.parametrize(("shift", "verdict"), [(0.5, "slower"), (-0.5, "faster"), (0.0, "no difference seen")])
def test_a_verdict_is_where_the_interval_lies(shift, verdict):
    assert ratio([shift + np.array([-0.1, 0.1, -0.05, 0.05])]).verdict == verdict


@pytest.mark.parametrize("turns", [([2, 2], [4]), ([], [])])
def test_rounds_are_in_pairs(turns):
    with pytest.raises(ValueError, match="rounds are not in pairs"):
        rounds([1.0] * 4, [1.0] * 4, *turns)


def pair(own, other=1e-3, phase="train", rounds=(3, 3, 3), **more):
    of = case(**more)
    return [row(of, name, t, phase, rounds=list(rounds)) for name, t in (("my.own", own), ("torch.library", other))]


def test_rows_are_compared_by_cell_and_phase():
    rows = [*pair(2e-3), *pair(8e-3, H=64), *pair(1e-3, phase="forward")]
    rows += [row(case(cell="gru"), "my.own", status="declined", reason="only LSTM"), row(case(cell="gru"), "torch.library", 1e-3)]
    c = compared(rows, "my.own", "torch.library")
    text = {group.name: group.text for group in c.groups}
    assert list(text) == ["lstm, train", "lstm, forward", "gru, train"]
    assert text["lstm, train"].startswith("4.00× [4.00 – 4.00]  slower  (2 sizes: 2.00 – 8.00)")
    assert text["gru, train"] == "my.own declined: only LSTM"
    assert len(c.cases) == 3
    json.dumps(c.as_json(), allow_nan=False)


def test_what_failed_in_one_size_is_said_beside_the_mean_of_the_others():
    rows = [*pair(2e-3), row(case(H=64), "my.own", status="error", reason="no way"), row(case(H=64), "torch.library", 1e-3)]
    (group,) = compared(rows, "my.own", "torch.library").groups
    assert group.text == "2.00× [2.00 – 2.00]  slower  (1 size); my.own ✗ error: no way"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder with adapters; few rounds, and nothing of this machine is measured but the two."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "ROUNDS", 4)
    limits = {"gemm_gflops": {"float32": 50.0, "float64": 50.0}, "copy_gbs": 10.0, "shape": "1024x1024x1024"}
    monkeypatch.setattr(roofline, "measure", lambda device, dtypes: limits)
    monkeypatch.setattr(machine, "limit_memory", lambda: None)
    adapters = {
        "against_right": STRANGER.replace("FACTOR", "1") + BACKWARD + 'about = lambda: "mine 1.0"\n',
        "against_wrong": STRANGER.replace("FACTOR", "1.01") + BACKWARD,
        "against_forward": STRANGER.replace("FACTOR", "1"),
        "against_gru": STRANGER.replace("FACTOR", "1") + BACKWARD + DECLINES,
    }
    for name, text in adapters.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


SMOKE = ("--preset", "smoke", "--seconds", "0.001")


def said(capsys):
    out, err = capsys.readouterr()
    return out, err


def test_a_stranger_against_the_library_in_ten_lines_a_page_and_json(here, capsys):
    assert main(["--impl", "against_right", "--against", "torch.library", *SMOKE]) == 0
    out, _ = said(capsys)
    lines = out.strip().splitlines()
    assert len(lines) <= 11
    assert lines[0].startswith("against_right (mine 1.0) over torch.library: time, preset smoke, float32, cpu on ")
    for cell in ("rnn", "lstm", "gru"):
        for phase in ("forward", "train"):
            (line,) = (line for line in lines if line.startswith(f"  {cell}, {phase}"))
            assert re.search(r"\d× \[[\d.]+ – [\d.]+\]  (faster|slower|no difference seen)  \(1 size\)$", line), line
    folder = here / "out" / "against"
    data = json.loads((folder / "against.json").read_text())
    assert (data["implementation"], data["against"], len(data["cases"])) == ("against_right", "torch.library", 6)
    for one in data["cases"]:
        assert one["ratio"]["low"] <= one["ratio"]["value"] <= one["ratio"]["high"]
    page = (folder / "against.html").read_text()
    assert "<svg" in page
    assert "against_right over torch.library" in page
    assert not re.search(r"http|<script|src=", page)
    result = results.read(folder / "result.json")
    assert {r["implementation"] for r in result["rows"]} == {"against_right", "torch.library"}
    assert result["command"] == "bptt-bench --impl against_right --against torch.library " + (
        "--preset smoke --dtype float32 --device cpu --seconds 0.001"
    )


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--impl", "against_wrong", "--cell", "gru", *SMOKE], 1, "against_wrong ✗ WRONG: small case, y: error"),
        (["--impl", "against_forward", "--cell", "gru", *SMOKE], 0, "forward only: it has no backward"),
        (["--impl", "against_gru", "--cell", "rnn", *SMOKE], 1, "declined: only GRU"),
        (["--impl", "against_gru", "--cell", "rnn", *SMOKE], 1, "nothing could be compared"),
        (["--impl", "against_nobody", *SMOKE], 2, "no module is named 'against_nobody'"),
        (["--impl", "torch.library", *SMOKE], 2, "torch.library against itself"),
    ],
)
def test_what_is_wrong_is_said(arguments, status, message, here, capsys):
    assert main(arguments) == status
    out, err = said(capsys)
    assert message in (err if status == 2 else out)
    assert (here / "out").exists() == (status != 2)


def test_who_declines_costs_no_time_of_the_other(here):
    assert main(["--impl", "against_gru", "--cell", "rnn", *SMOKE]) == 1
    rows = results.read(here / "out" / "against" / "result.json")["rows"]
    assert {(r["implementation"], r["status"]) for r in rows} == {("against_gru", "declined")}
