"""The suite in pytest, as a stranger runs it; and pytest where the suite is not what is run."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .plugin import HERE, is_asked_for

ADAPTER = """
from torch_impl.cells.adapters import ADAPTERS

def load(spec, weights):
    if spec.num_layers == 2:
        raise RuntimeError("no")
    return ADAPTERS["torch.cell"].load(spec, weights)

def declines(spec):
    return None if spec.kind == "gru" else "only GRU"
"""
CASES = ("--dtype", "float64", "--cases", "*-size1", "--cases", "gru-T5B1I3H6-2layers-nostate-lengths5")
SUITE = ("--pyargs", "parity_tests.test_parity", "--impl", "pytest_adapter", *CASES)
ELSEWHERE = """
import sys

def pytest_addoption(parser):
    parser.addoption("--device", default="abacus")
    parser.addoption("--impl", action="store_true")
"""
TEST = """
import sys

def test_mine(request):
    assert (request.config.getoption("--device"), request.config.getoption("--impl")) == ("wheel", True)
    assert not {"torch", "numpy", "parity_tests.judge", "parity_tests.items"} & set(sys.modules)
"""


@pytest.fixture
def run(tmp_path):
    """pytest in a folder with an adapter, the plugin loaded as its entry point does; returns what ended."""
    (tmp_path / "pytest_adapter.py").write_text(ADAPTER, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(HERE.parent), "OMP_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def run(*words):
        command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "parity_tests.plugin", "-p", "no:cacheprovider", *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


def counts(ended):
    """The last line, without the time."""
    return ended.stdout.splitlines()[-1].partition(" in ")[0]


def test_each_case_is_a_test_with_a_stable_name(run, tmp_path):
    ended = run(*SUITE, "--junitxml", "r.xml")
    assert (ended.returncode, counts(ended)) == (1, "1 failed, 3 passed, 10 skipped"), ended.stdout + ended.stderr
    tests = {test.get("name"): test for test in ElementTree.parse(tmp_path / "r.xml").iter("testcase")}
    bad = tests["test_case[pytest_adapter-gru-T5B1I3H6-2layers-nostate-lengths5-float64]"]
    assert "raised: RuntimeError: no" in bad.find("failure").text
    assert tests["test_case[pytest_adapter-rnn-T1B1I1H1-size1-float64]"].find("skipped").get("message") == "only GRU"
    assert "test_something_is_compared[pytest_adapter]" in tests


@pytest.mark.parametrize(
    ("known", "status", "said"),
    [("*2layers*  # known", 0, "3 passed, 10 skipped, 1 xfailed"), ("*  # all", 1, "[XPASS(strict)] all")],
)
def test_failures_that_are_known_are_expected_and_strictly_so(known, status, said, run, tmp_path):
    (tmp_path / "known.txt").write_text(known, encoding="utf-8")
    ended = run(*SUITE, "--xfails-file", "known.txt")
    assert ended.returncode == status, ended.stdout + ended.stderr
    assert said in ended.stdout


def test_it_runs_in_processes_of_xdist(run):
    pytest.importorskip("xdist")
    ended = run(*SUITE, "-p", "xdist", "-n", "1", "--exclude", "*2layers*")
    assert (ended.returncode, counts(ended)) == (0, "3 passed, 10 skipped"), ended.stdout + ended.stderr


def test_it_stops_at_the_first_failure(run):
    assert "stopping after 1 failures" in run(*SUITE, "-x").stdout


def test_nothing_compared_is_not_a_success(run):
    ended = run(*SUITE, "--exclude", "gru*")
    assert ended.returncode == 1
    assert "test_something_is_compared" in ended.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--impl", "no_such_adapter"], "no module is named 'no_such_adapter'"),
        (["--impl", "torch.loop", "--device", "nonsense"], "--device nonsense: torch cannot use it here"),
        (["--impl", "numpy", "--cases", "nothing"], "--cases: no case is named 'nothing'"),
        (["--impl", "numpy", "--xfails-file", "nothing"], "--xfails-file: nothing: No such file"),
    ],
)
def test_what_is_not_there_is_one_sentence(words, sentence, run):
    ended = run("--pyargs", "parity_tests.test_parity", *words)
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert ended.stderr.startswith(f"ERROR: {sentence}")
    assert ended.stderr.strip().count("\n") == 0


def test_options_of_another_project_are_left_alone(run, tmp_path):
    """Ours are not there, and nothing of ours is loaded but the plugin."""
    (tmp_path / "conftest.py").write_text(ELSEWHERE, encoding="utf-8")
    (tmp_path / "test_mine.py").write_text(TEST, encoding="utf-8")
    for words in ((), ("test_mine.py",), (".",)):
        ended = run("--device", "wheel", "--impl", *words)
        assert (ended.returncode, counts(ended)) == (0, "1 passed"), ended.stdout + ended.stderr


def test_a_clash_of_options_is_one_sentence(run, tmp_path):
    (tmp_path / "conftest.py").write_text(ELSEWHERE, encoding="utf-8")
    ended = run(*SUITE)
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert "run pytest in another folder, or with --noconftest" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert run(*SUITE, "--noconftest", "--exclude", "*2layers*").returncode == 0


@pytest.mark.parametrize(
    ("args", "asked"),
    [
        (["--pyargs", "parity_tests"], True),
        (["parity_tests", "--pyargs", "--impl", "a.b"], True),
        (["--pyargs", "parity_tests.test_parity::test_case[a]"], True),
        (["--pyargs", "parity_tests_of_mine"], False),
        (["parity_tests"], False),
        ([str(HERE / "test_parity.py::test_case")], True),
        ([str(HERE)], True),
        ([str(HERE.parent)], False),
        (["-k", "parity_tests"], False),
        ([], False),
    ],
)
def test_when_the_suite_is_what_is_run(args, asked, tmp_path):
    assert is_asked_for(args, Path(tmp_path)) is asked
