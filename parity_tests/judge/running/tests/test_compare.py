"""Reports: that they are what the schema says, and what ``compare`` makes of two."""

import json
from pathlib import Path

import pytest

from ...command import main
from ...report import VERSION
from ...suite import STATUSES

SCHEMA = json.loads((Path(__file__).parent.parent.parent / "schema.json").read_text(encoding="utf-8"))
ADAPTER = """
import numpy as np
from parity_tests.judge.implementations import BUILTIN

class Layer:
    def __init__(self, spec, weights):
        self.layer, self.spec = BUILTIN["numpy"].load(spec, weights), spec

    def forward(self, x, state, lengths=None):
        if self.spec.num_layers == 2:
            raise RuntimeError("no")
        y, s = self.layer.forward(x, state, lengths)
        return y + {False: 0, True: np.nan}[self.spec.bidirectional], s

load = Layer
"""


@pytest.fixture
def validator():
    return pytest.importorskip("jsonschema").Draft202012Validator(SCHEMA)


def test_the_schema_is_one_and_knows_every_status(validator):
    validator.check_schema(SCHEMA)
    assert set(SCHEMA["$defs"]["case"]["properties"]["status"]["enum"]) == set(STATUSES)
    assert SCHEMA["properties"]["version"]["const"] == VERSION


def test_a_report_with_everything_in_it_is_valid(validator, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("everything.py").write_text(ADAPTER, encoding="utf-8")
    Path("known.txt").write_text("*-3layers-bidirectional*  # known\n*-size1  # not true\n", encoding="utf-8")
    words = ["--impl", "everything", "--cases", "gru-T*", "--dtype", "float64", "--xfails-file", "known.txt"]
    assert main([*words, "--report", "r.json", "--report", "r.html", "--report", "r.md"]) == 1
    report = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert [error.message for error in validator.iter_errors(report)] == []
    (judged,) = report["implementations"]
    assert set(judged["counts"]) == {case["status"] for case in judged["cases"]} == set(STATUSES)
    assert sum(judged["counts"].values()) == len(judged["cases"])
    assert sum(row["cases"] + row["declined"] + row["xfailed"] for row in judged["rows"]) == len(judged["cases"])
    for page in ("r.html", "r.md"):
        assert f"{judged['counts']['xfailed']} failed as expected, 2 passed unexpectedly" in Path(page).read_text(encoding="utf-8")


@pytest.fixture
def written(tmp_path):
    """Write a report with these cases: status by name."""

    def written(file, cases, **changes):
        entries = [{"case": name, "dtype": "float64", "status": s, "reason": None, "wrong": []} for name, s in cases.items()]
        report = {"version": VERSION, "rule": "a <= b", "implementations": [{"name": "mine", "cases": entries}]}
        (tmp_path / file).write_text(json.dumps(report | changes), encoding="utf-8")
        return str(tmp_path / file)

    return written


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        ("passed", "passed", 0),
        ("passed", "wrong", 1),
        ("passed", "error", 1),
        ("passed", "declined", 1),
        ("passed", "xfailed", 1),
        ("passed", None, 1),
        ("passed", "xpassed", 0),
        ("xpassed", "wrong", 1),
        ("declined", "passed", 0),
        ("declined", "wrong", 0),
        ("wrong", "passed", 0),
        ("wrong", "error", 0),
        ("wrong", None, 0),
        (None, "wrong", 0),
        (None, "passed", 0),
    ],
)
def test_only_a_pass_that_is_none_any_more_is_worse(before, after, status, written, capsys):
    files = [written(f"{k}.json", {"same": "passed"} | ({"one": s} if s else {})) for k, s in enumerate((before, after))]
    assert main(["compare", *files]) == status
    said = capsys.readouterr().out
    if before != after:
        assert f"mine: {before or 'not there'} -> {after or 'not there'}: 1 case\n  one float64" in said
    assert f"{status} worse, {int(before != after) - status} otherwise changed, " in said


def test_a_real_report_says_what_became_wrong(tmp_path, capsys):
    def rule(report):
        return report["implementations"][0]["cases"][0]

    words = ["--impl", "numpy", "--cases", "gru-T5B4I3H6", "--dtype", "float64", "--report"]
    assert main([*words, str(tmp_path / "a.json")]) == 0
    report = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    case = rule(report)
    case |= {"status": "wrong", "wrong": [case["worst"] | {"ok": False, "error": 0.5}]}
    (tmp_path / "b.json").write_text(json.dumps(report), encoding="utf-8")
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 1
    said = capsys.readouterr().out
    assert f"gru-T5B4I3H6 float64: {case['worst']['tensor']}, error 0.50, allowed " in said


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"version": 1}, f"is a report of version 1, and this reads version {VERSION}"),
        ({"rule": "a < b"}, "are of different rules"),
        ({"implementations": None}, "is no report of python -m parity_tests"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(changes, sentence, written, capsys):
    assert main(["compare", written("a.json", {}), written("b.json", {}, **changes)]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_what_cannot_be_read_is_one_sentence(tmp_path, written, capsys):
    (tmp_path / "half.json").write_text('{"version"', encoding="utf-8")
    for name, sentence in (("half.json", "is no report"), ("none.json", "No such file")):
        assert main(["compare", written("a.json", {}), str(tmp_path / name)]) == 2
        assert sentence in capsys.readouterr().err
