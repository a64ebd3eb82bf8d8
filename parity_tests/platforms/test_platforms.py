"""The matrix: which interpreters, which pins, what is kept; the locks; and that all who name versions name the same."""

import json
import re
import runpy
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from . import __main__ as command
from . import licences, locked, places, running
from .locked import CPU_BUILDS, CUDA_LOCK, LOCK, Locked
from .table import NEWEST, OLDEST, PLATFORMS, PYTHONS, ROOT, Platform, by_name, pins

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
REPORT = """<testsuites><testsuite name="pytest" time="61.5">
  <testcase classname="a.test_a" name="test_one" time="0.1"/>
  <testcase classname="a.test_a" name="test_two"><failure message="no">no</failure></testcase>
  <testcase classname="a.test_a" name="test_three"><error message="no">no</error></testcase>
  <testcase classname="a.test_b" name="test_four"><skipped type="pytest.skip" message="no node">no</skipped></testcase>
  <testcase classname="a.test_b" name="test_five"><skipped type="pytest.skip" message="no node">no</skipped></testcase>
</testsuite></testsuites>"""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def packages() -> list[Locked]:
    return [p for lock in (LOCK, CUDA_LOCK) for p in locked.read(lock.read_text(encoding="utf-8"))]


def test_this_interpreter_is_found_and_one_that_does_not_run_is_not(tmp_path, monkeypatch):
    assert places.interpreter(HERE) == sys.executable
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(places, "runs", lambda program: "9.8.10" not in str(program))
    for patch in (2, 9, 10):
        (tmp_path / "versions" / f"9.8.{patch}" / "bin").mkdir(parents=True)
        (tmp_path / "versions" / f"9.8.{patch}" / "bin" / "python").touch()
    assert places.interpreter("9.8") == str(tmp_path / "versions" / "9.8.9" / "bin" / "python")
    assert places.interpreter("9.7") is None


def test_what_runs_is_known_by_running_it():
    assert places.runs(sys.executable)
    assert not places.runs(Path(__file__).parent / "nothing")


def test_the_oldest_has_the_lowest_versions_that_are_promised():
    needs = [need for extra in ("torch", "compiled") for need in PROJECT["optional-dependencies"][extra]]
    floors = dict(re.findall(r"(numpy|scipy|torch|numba)>=([\d.]+)", " ".join([*PROJECT["dependencies"], *needs])))
    oldest = dict(line.split("==") for line in by_name(OLDEST).values())
    assert floors.keys() == {"numpy", "scipy", "torch", "numba"}
    assert {name: oldest[name].removesuffix(".0") for name in floors} == floors
    chosen = set(pins(Platform("3.12", oldest=True)))
    assert set(by_name(OLDEST).values()) <= chosen
    assert len(chosen) == len(by_name(NEWEST))
    assert f"numpy=={oldest['numpy']}" not in pins(Platform("3.12"))


def test_a_report_is_counted(tmp_path):
    (tmp_path / "r.xml").write_text(REPORT, encoding="utf-8")
    assert running.counted(tmp_path / "r.xml") == {
        "passed": 1,
        "skipped": {"no node": 2},
        "failed": ["a.test_a::test_three", "a.test_a::test_two"],
        "seconds": 62,
    }


@pytest.fixture
def played(monkeypatch, tmp_path):
    """The command where environments and runs are told; returns the file of results."""
    result = {"versions": {"python": "3.9.1", "numpy": "1", "torch": "2"}, "passed": 5, "skipped": {}, "failed": [], "seconds": 3}

    def run(name, platform, own, workers, place, tests):
        if name == "oldest":
            return result | {"failed": ["a::b"]}
        return result

    def environment(name, platform, python, place):
        if name == "3.13":
            raise places.InstallError("no such wheel")
        return Path(python)

    monkeypatch.setattr(places, "interpreter", lambda version: None if version == "3.14" else "python")
    monkeypatch.setattr(places, "environment", environment)
    monkeypatch.setattr(running, "run", run)
    file = tmp_path / "results.json"
    monkeypatch.setattr(running.keep, "__defaults__", (file,))
    monkeypatch.setattr(running.kept, "__defaults__", (file,))
    return file


def test_the_matrix_runs_what_is_found_says_the_rest_and_keeps_whole_runs(played, capsys):
    assert command.main([]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "3.11: Python 3.9.1, NumPy 1, PyTorch 2: 5 passed, 0 skipped, 0 failed in 3 s"
    assert "3.13: no such wheel" in said
    assert "3.14: no Python 3.14 is found here" in said
    assert "  failed: a::b" in said
    assert list(running.kept(played)) == ["3.11", "3.12", "narrow", "oldest"]


def test_one_platform_and_a_part_of_the_suite(played, capsys):
    assert command.main(["3.12"]) == 0
    assert command.main(["3.11", "--tests", "parity_tests/cells"]) == 0
    assert list(running.kept(played)) == ["3.12"]
    capsys.readouterr()
    assert command.main(["--list"]) == 0
    assert capsys.readouterr().out.count("python\n") == len(PLATFORMS) - 1
    assert command.main(["3.10"]) == 2
    assert capsys.readouterr().err.startswith("error: no platform is named '3.10'; there are 3.11, 3.12,")


def test_an_environment_is_made_once_and_again_where_pins_have_changed(tmp_path, monkeypatch):
    made = []

    def call(*words):
        made.append(words)
        (tmp_path / "own").mkdir(exist_ok=True)

    monkeypatch.setattr(places, "call", call)
    for platform, calls in ((Platform(HERE), 3), (Platform(HERE), 3), (Platform(HERE, oldest=True), 6)):
        own = places.environment("own", platform, "python", tmp_path)
        assert (own.parents[1], len(made)) == (tmp_path / "own", calls)
    assert "numpy==2.1.0" in (tmp_path / "own" / "constraints.txt").read_text(encoding="utf-8").splitlines()


def test_what_pip_says_last_is_what_is_said():
    with pytest.raises(places.InstallError, match=r"^not there$"):
        places.call(sys.executable, "-c", "import sys; print('a\\nnot there\\n', file=sys.stderr); sys.exit(1)")


def test_narrow_makes_longdouble_a_float64(monkeypatch):
    monkeypatch.setattr(np, "longdouble", np.longdouble)  # put back at the end
    runpy.run_path(str(Path(__file__).with_name("narrow.py")))
    assert np.longdouble is np.float64


def test_a_lock_is_read_as_it_is_written_and_split():
    some = [
        Locked("numpy", "2.4.6", "", ("a" * 64, "b" * 64)),
        Locked("torch", "2.13.0", "sys_platform == 'linux'", ("c" * 64,)),
        Locked("nvidia-nvtx", "13.0.85", "", ("d" * 64,)),
        Locked("cffi", "2.1.1", "implementation_name == 'pypy'", ("e" * 64,)),
    ]
    assert locked.read("".join(f"{p}\n" for p in some)) == some
    both, cuda = locked.completed(some)
    assert [p.name for p in both] == ["numpy", "torch"]
    assert both[1].hashes == ("c" * 64, *CPU_BUILDS["2.13.0"])
    assert cuda == some[2:3]


def test_the_locks_name_what_is_pinned_each_with_its_hashes():
    """``make lock`` writes them."""
    locks = {p.name: p for p in packages()}
    pinned = {k.partition(";")[0]: line.partition("==")[2] for k, line in by_name(NEWEST).items()}
    extras = {"uv", "statsforecast"}  # what writes the locks, and a peer; setuptools is pinned by strangers
    assert {name: p.version for name, p in locks.items() if name in pinned} == {n: v for n, v in pinned.items() if n not in extras}
    assert {name for name in locks if name not in pinned and not name.startswith(locked.CUDA)} == {"setuptools"}
    assert all(p.hashes and all(re.fullmatch("[0-9a-f]{64}", h) for h in p.hashes) for p in locks.values())
    assert not re.search("://|--index|--find|file:", LOCK.read_text(encoding="utf-8") + CUDA_LOCK.read_text(encoding="utf-8"))


def test_the_licence_of_everything_that_is_installed_everywhere_is_known():
    known = licences.kept()
    assert {p.name for p in packages() if not p.marker} - known.keys() == set()
    assert {n for n in ("numpy", "scipy") if "BSD" not in known[n]} == set()


def test_everything_that_names_the_pythons_names_the_same():
    first, last = PYTHONS[0], PYTHONS[-1]
    after = f"3.{int(last.split('.')[1]) + 1}"
    assert PROJECT["requires-python"] == f">={first},<{after}"
    assert f"({first.replace('.', ', ')}) <= v < ({after.replace('.', ', ')})" in text("Makefile")
    for file in (
        "README.md",
        "CONTRIBUTING.md",
        ".ci/run",
        "Makefile",
        "notes/judge/bring_your_own.md",
        "notes/judge/platforms.md",
    ):
        assert f"Python {first} to {last}" in text(file), file
    workflow = text(".github/workflows/test.yml")
    assert f"python: {json.dumps(PYTHONS)}" in workflow


def test_actions_are_pinned_by_the_digest_of_a_commit_and_may_only_read():
    files = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    assert len(files) == 2
    for file in files:
        said = file.read_text(encoding="utf-8")
        assert "permissions:\n  contents: read\n" in said
        uses = re.findall(r"uses: *(.*)", said)
        assert uses
        assert [u for u in uses if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", u)] == []
