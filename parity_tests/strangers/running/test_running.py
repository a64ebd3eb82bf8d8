"""An environment for each library, the judge in it, and what is kept of it."""

import json
import re
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from importlib import import_module, metadata
from pathlib import Path
from time import sleep

import pytest

from ...judge.cases import Case, Spec, table
from ...judge.strangers import STRANGERS, Stranger
from .. import findings
from . import environments, judging, results
from .command import main
from .environments import InstallError, environment
from .results import ALL, OPTIONS, PLAIN, Ran

ROOT = Path(__file__).parents[3]
RAN = Ran("mine", "mine 1", 2.4, {"fault": "there"}, {"fault": "off by 1\n"}, "55 passed", date(2026, 11, 28))
STRANGER = Stranger("Mine", "mine", ("mine==1",), findings=("fault",))


def wheel(folder: Path, name: str, version: str) -> Path:
    """The smallest package that pip installs without a network."""
    file, info = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return file


def test_an_environment_has_what_was_asked_for_before_what_is_here(tmp_path):
    both = [environment((str(wheel(tmp_path, "mine_alone", v)),), tmp_path / "places") for v in ("1.0", "2.0")]
    code = "import mine_alone, numpy, torch; print(mine_alone.VERSION, numpy.__version__)"
    said = [subprocess.run([p, "-c", code], capture_output=True, text=True, check=True).stdout.split() for p in both]
    assert said == [["1.0", metadata.version("numpy")], ["2.0", metadata.version("numpy")]]
    with pytest.raises(ModuleNotFoundError):
        import_module("mine_alone")


def test_an_environment_is_made_once_and_anew_if_it_was_not_finished(tmp_path):
    needs = (str(wheel(tmp_path, "mine_alone", "1.0")),)
    python = environment(needs, tmp_path / "places")
    (python.parents[1] / "mark").touch()
    assert environment(needs, tmp_path / "places") == python
    assert (python.parents[1] / "mark").exists()
    (python.parents[1] / "ready").unlink()
    environment(needs, tmp_path / "places")
    assert not (python.parents[1] / "mark").exists()


def test_an_environment_that_two_want_at_once_is_made_once(tmp_path, monkeypatch):
    made = []

    def make(folder, needs):
        made.append(folder)
        sleep(0.05)  # so that the other comes while it is being made
        folder.mkdir(parents=True)
        (folder / "ready").touch()

    monkeypatch.setattr(environments, "make", make)
    with ThreadPoolExecutor(4) as pool:
        places = list(pool.map(lambda _: environment(("mine",), tmp_path), range(4)))
    assert len(set(places)) == len(made) == 1


def test_what_cannot_be_installed_is_said(tmp_path):
    with pytest.raises(InstallError, match=r"pip cannot install .*not_there.whl: .*"):
        environment((str(tmp_path / "not_there.whl"),), tmp_path / "places")


def entry(case: Case, dtype: str, status: str) -> dict:
    return {"case": case.name, "dtype": dtype, "status": status, "causes": [1]}


def report(statuses: dict[str, str]) -> dict:
    """Of a judged implementation, as far as a result needs it: by case what became of it in float32; float64 passed."""
    cases = {case.name: case for case in table(("float32",))}
    entries = [entry(cases[name], "float32", status) for name, status in statuses.items()]
    entries += [entry(cases[name], "float64", "passed") for name in statuses]
    counts = {outcome: sum(e["status"] == outcome for e in entries) for outcome in results.OUTCOMES}
    failed = [e for e in entries if e["status"] in ("wrong", "error")]
    judged = {"counts": counts, "declined": {}, "forward_only": False, "computes": {}, "cases": entries, "failures": failed}
    return {"environment": {"numpy": "2"}, "rule": "the rule", "implementations": [judged | {"causes": []}]}


PLAIN_CASE, LENGTHS_CASE = "lstm-T5B4I3H6", "lstm-T5B4I3H6-bidirectional-lengths2_5_4_1-nan_inside"


def test_a_result_counts_each_case_once_in_all_and_for_each_option():
    kept = results.result(STRANGER, RAN, report({PLAIN_CASE: "passed", LENGTHS_CASE: "wrong"}), table())
    assert kept["totals"]["lstm"] == {"float32": [1, 1, 0, 0], "float64": [2, 0, 0, 0]}
    assert kept["matrix"]["lstm"][PLAIN] == {"float32": [1, 0, 0, 0], "float64": [1, 0, 0, 0]}
    assert {o for o in kept["matrix"]["lstm"] if o != PLAIN} == {"bidirectional", "lengths", "numbers"}
    assert kept["matrix"]["lstm"]["lengths"] == {"float32": [0, 1, 0, 0], "float64": [1, 0, 0, 0]}
    assert kept["totals"]["gru"] == {}
    assert kept["failures"] == [[LENGTHS_CASE, "float32", "wrong", [1]]]


def test_a_message_is_kept_without_colours_and_without_the_place_of_an_installation():
    said = "raises \x1b[1mValueError\x1b[0m: no\n  such (/a/b-1.0/lib/python3.11/site-packages/paddle/rnn.py, line 3)"
    assert results.plain(said) == "raises ValueError: no such (paddle/rnn.py, line 3)"
    assert results.plain("raises E (/a/b/parity_tests/strangers/x.py, line 1)") == "raises E (parity_tests/strangers/x.py, line 1)"
    assert results.plain("y is off by 1/2 in a/b of /c") == "y is off by 1/2 in a/b of /c"


def test_every_option_is_asked_for_and_left_out_by_some_case():
    for name, has in OPTIONS.items():
        assert {has(case) for case in table(("float64",))} == {True, False}, name
    assert results.options(Case(Spec("lstm", 3, 6))) == [PLAIN]
    assert ALL not in OPTIONS


def test_a_result_is_kept_and_read_again(tmp_path):
    kept = results.result(STRANGER, RAN, report({PLAIN_CASE: "error"}), table())
    path = results.write(kept, tmp_path)
    assert results.kept(tmp_path) == {"mine": kept}
    assert json.loads(path.read_text()) == kept
    assert max(map(len, path.read_text().splitlines())) < 2000


def test_changes_are_said():
    was, now = (
        results.result(STRANGER, RAN, report(statuses), table())
        for statuses in ({PLAIN_CASE: "wrong", LENGTHS_CASE: "passed"}, {PLAIN_CASE: "passed", LENGTHS_CASE: "error"})
    )
    gone = now | {"findings": {"fault": {"status": "gone", "printed": ""}}}
    assert results.changes(None, was) == ["judged for the first time"]
    assert results.changes(was, was) == []
    assert results.changes(was, gone) == [
        f"{LENGTHS_CASE} float32: now error",
        f"{PLAIN_CASE} float32: no longer wrong",
        "finding fault: gone",
    ]
    assert results.changes(was | {"cases": ["*"]}, gone) == ["judged on other cases than before", "finding fault: gone"]
    many = now | {"failures": [[f"case{k}", "float32", "wrong", []] for k in range(50)]}
    assert results.changes(now | {"failures": []}, many)[-1] == "and 30 more"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("print('off by 1')", "there"),
        ("print('off by 1'); assert 0, 'it is right'", "gone"),
        ("import not_there", "exit status 1: ModuleNotFoundError: No module named 'not_there'"),
        ("import sys; sys.exit(3)", "exit status 3: nothing was said"),
    ],
)
def test_what_a_script_shows(tmp_path, code, status):
    script = tmp_path / "script.py"
    script.write_text(code)
    said, printed = judging.shown(Path(sys.executable), script)
    assert said == status
    assert printed == ("off by 1\n" if "print" in code else "")


def test_what_the_tests_of_a_converter_come_to():
    assert re.fullmatch(r"\d+ passed", judging.converted(Path(sys.executable), "test_conventions and torch and LSTM"))
    assert judging.converted(Path(sys.executable), "nothing_is_called_so") == "no test ran"


def test_the_command_judges_and_keeps(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(judging, "environment", lambda needs: Path(sys.executable))
    monkeypatch.setitem(STRANGERS, "autograd", STRANGERS["autograd"]._replace(cases=("rnn-T5B4I3H6",)))
    assert main(["autograd", "--results", str(tmp_path)]) == 0
    (kept,) = results.kept(tmp_path).values()
    assert kept["about"].startswith("autograd ")
    assert kept["counts"] == {"passed": 2, "wrong": 0, "error": 0, "declined": 0}
    assert "2 passed" in capsys.readouterr().out


def test_the_command_says_who_there_is(capsys):
    assert main(["nobody"]) == 2
    assert "no adapter is named 'nobody'; there are " in capsys.readouterr().err
    assert main(["--list"]) == 0
    assert capsys.readouterr().out.count("\n") >= len(STRANGERS)


def test_one_that_cannot_be_installed_fails_alone(tmp_path, monkeypatch, capsys):
    def environment(needs):
        raise InstallError("pip cannot install it: no")

    monkeypatch.setattr(judging, "environment", environment)
    assert main(["autograd", "--results", str(tmp_path)]) == 1
    assert "autograd: pip cannot install it: no" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


# --- the catalogue ----------------------------------------------------------------------------------------------------


def test_every_adapter_has_its_place_in_the_catalogue():
    folder = Path(__file__).parents[1]
    adapters = {
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in folder.glob("*/*.py")
        if re.search(r"^(def load\(|load = )", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert adapters <= {s.module for s in STRANGERS.values()}
    assert all((folder / f"{s.module.replace('.', '/')}.py").exists() for s in STRANGERS.values())


def test_what_is_in_the_constraints_has_the_version_that_is_judged():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    needs = {need for s in STRANGERS.values() for need in s.needs}
    assert all("==" in need for need in needs)
    assert [need for need in needs if pinned.get(name(need), version(need)) != version(need)] == []


def name(need: str) -> str:
    return need.partition("==")[0].partition("[")[0]


def version(need: str) -> str:
    return need.partition("==")[2]


QUICK = ("onnx", "onnxruntime", "torch")  # the others load Keras or JAX, or are not in the extra dev


def shows(finding: str) -> tuple[str, ...]:
    """What must be installed for a finding to be there."""
    return next(s.needs for s in STRANGERS.values() if finding in s.findings)


@pytest.mark.parametrize(
    "finding", [pytest.param(f, marks=[pytest.mark.slow] * (f.partition("/")[0] not in QUICK)) for f in findings.names()]
)
def test_a_finding_is_there_where_its_library_is(finding):
    for need in shows(finding):
        try:
            installed = metadata.version(name(need)).partition("+")[0]
        except metadata.PackageNotFoundError:
            installed = "none"
        if installed != version(need):
            pytest.skip(f"{need} is needed; installed is {installed}")
    assert judging.shown(Path(sys.executable), judging.FINDINGS / f"{finding}.py")[0] == "there"


def test_no_result_names_a_place_of_this_machine():
    for path in results.PLACE.glob("*.json"):
        assert not re.search(r"site-packages|/(home|tmp|work|usr|root)/", path.read_text(encoding="utf-8")), path


def test_every_kept_result_is_of_its_row_as_it_stands():
    """What was judged otherwise than the row says now must be judged again: make strangers-NAME."""
    for key, r in results.kept().items():
        s = STRANGERS[key]
        assert (r["library"], r["needs"], r["cases"]) == (s.library, list(s.needs), list(s.cases)), key
        assert list(r["findings"]) == list(s.findings), key
        assert bool(r["converters"]) == bool(s.converts), key


def test_every_finding_can_be_read_and_belongs_to_somebody():
    shown = [finding for s in STRANGERS.values() for finding in s.findings]
    assert sorted(set(shown)) == findings.names()
    for finding in map(findings.read, findings.names()):
        assert "assert " in finding.code
        assert not re.search(r"\b(parity_tests|(from|import) reference|torch_impl)\b", finding.code)
