"""Which cases are run, what is known to fail, where to stop, and what a log keeps."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ... import command
from ...command import main
from .. import log, options

ROOT = Path(__file__).parent.parent.parent.parent.parent
ADAPTER = """
import os
from parity_tests.judge.implementations import BUILTIN

def load(spec, weights):
    FAULT
    return BUILTIN["numpy"].load(spec, weights)
"""
# Four small cases, the first of them bidirectional.
BAD = "gru-T5B4I3H6-bidirectional-nobias-lengths2_5_1_4"
SMALL = ("--dtype", "float64", "--cases", BAD, "--cases", "gru-T5B1I3H6", "--cases", "gru-T*-size1")
RAISES = "if spec.bidirectional: raise RuntimeError('no')"


@pytest.fixture
def adapter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def write(name, fault="pass"):
        sys.modules.pop(name, None)
        (tmp_path / f"{name}.py").write_text(ADAPTER.replace("FAULT", fault), encoding="utf-8")
        return name

    return write


@pytest.fixture
def report(tmp_path, capsys):
    """Run the command; returns its exit status, the only implementation in the report, and what was said."""

    def report(*words):
        status = main([*words, "--report", str(tmp_path / "r.json")])
        (implementation,) = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["implementations"]
        return status, implementation, " ".join(capsys.readouterr().out.split())

    return report


def refused(capsys, *words):
    """The one sentence of a command that ends with status 2."""
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    return said


def test_cases_and_exclude_may_be_repeated(capsys):
    assert main(["--list", *SMALL, "--exclude", "*T4*", "--exclude", "*B1I3*"]) == 0
    assert capsys.readouterr().out.split()[::2] == [BAD, "gru-T1B1I1H1-size1"]


def test_cases_of_a_higher_tier_are_left_out_and_counted(capsys):
    args = command.arguments().parse_args
    both = options.choose(args(["--tier", "2"]))
    first = options.choose(args([]))
    assert both.left_out == ""
    left = len(both.cases) - len(first.cases)
    assert first.left_out == f"{left} cases of tier 2 were left out: --tier 2 runs them"
    costly = next(case.name for case in both.cases if case.tier == 2)
    assert refused(capsys, "--cases", costly, "--dtype", "float64") == ("error: 1 case of tier 2 was left out: --tier 2 runs it\n")


def test_a_failure_that_is_known_does_not_fail_the_run(adapter, report, tmp_path):
    (tmp_path / "known.txt").write_text(f"# what we know\n\n{BAD[:12]}*nobias*  float64  # see issue 7\n", encoding="utf-8")
    status, judged, said = report("--impl", adapter("known_adapter", RAISES), *SMALL, "--xfails-file", "known.txt")
    assert status == 0
    assert judged["counts"] == {"passed": 3, "wrong": 0, "error": 0, "declined": 0, "xfailed": 1, "xpassed": 0}
    assert ("xfailed", "see issue 7") in {(case["status"], case["reason"]) for case in judged["cases"]}
    assert "3 passed, 0 wrong, 0 errors, 0 declined, 1 failed as expected" in said


def test_an_unexpected_pass_fails_the_run_and_is_named(adapter, report, tmp_path):
    (tmp_path / "known.txt").write_text("*size1  # was wrong once\n", encoding="utf-8")
    status, judged, said = report("--impl", adapter("mended_adapter"), *SMALL, "--xfails-file", "known.txt")
    assert status == 1
    assert judged["counts"]["xpassed"] == 2
    assert "passes, take it off the list: gru-T1B1I1H1-size1 float64 (was wrong once)" in said


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nothing*  # a reason", "no case is named 'nothing*' (known.txt, line 1)"),
        ("# fine\ngru-*", "known.txt, line 2 is not of the form 'GLOB [DTYPE] # reason': 'gru-*'"),
        ("gru-* float64 and more # a reason", "known.txt, line 1 is not of the form"),
        ("gru-* int8 # a reason", "known.txt, line 1: a dtype is one of float32, float64"),
    ],
)
def test_a_list_that_is_not_right_is_refused(text, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("known.txt").write_text(text, encoding="utf-8")
    assert sentence in refused(capsys, "--impl", "numpy", "--xfails-file", "known.txt")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--xfails-file", "not_there.txt"], "--xfails-file: not_there.txt: No such file"),
        (["--resume"], "--resume goes on with what is in a --log"),
        (["--impl", "my_lib/adapter.py"], "a dotted name is wanted, as my_lib.adapter, not a file"),
        (["--cases", "gru-*", "--cases", "nothing*"], "--cases: no case is named 'nothing*'"),
        (["--exclude", "nothing*"], "--exclude: no case is named 'nothing*'"),
        (["--exclude", "*"], "--cases and --exclude leave no case"),
        (["--device", "nonsense", "--impl", "torch.loop"], "--device nonsense: torch cannot use it here: "),
    ],
)
def test_a_mistake_is_one_sentence(words, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert sentence in refused(capsys, *words)


@pytest.mark.parametrize("words", ["-j 0", "--timeout -1", "--isolate 0", "--tier 9", "--dtype int8"])
def test_a_number_that_cannot_be_is_refused(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    assert f"argument {words.split()[0]}: " in capsys.readouterr().err


def test_a_device_is_what_the_adapter_calls_it(adapter, report):
    """Nobody but the adapter is asked."""
    name = adapter("elsewhere_adapter", "assert spec.device == 'abacus:3', spec.device")
    status, judged, said = report("--impl", name, *SMALL, "--device", "abacus:3")
    assert (status, judged["counts"]["passed"]) == (0, 4)
    assert "device abacus:3" in said


def test_x_stops_at_the_first_failure(adapter, report):
    status, judged, said = report("--impl", adapter("first_adapter", "raise RuntimeError('no')"), *SMALL, "-x")
    assert (status, [case["status"] for case in judged["cases"]]) == (1, ["error"])
    assert "stopped at the first failure: 3 cases were not judged" in said


def test_a_run_that_died_is_gone_on_with(adapter, report, tmp_path):
    """Not isolated, so that the whole run dies; what was judged before it is not judged again."""
    name = adapter("dying_adapter", "if not spec.bidirectional: os.abort()")
    words = ("--impl", name, *SMALL, "--log", "log.jsonl")
    run = subprocess.run([sys.executable, "-m", "parity_tests", *words], env=environment(), check=False, capture_output=True)
    assert run.returncode < 0
    with Path("log.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"case": "gru-T1B1')  # as a kill leaves it
    adapter("dying_adapter", RAISES)
    status, judged, _ = report(*words, "--resume")
    assert (status, judged["counts"]["passed"]) == (0, 4)
    lines = [json.loads(line) for line in Path("log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["case"] for line in lines[1:]] == [case["case"] for case in judged["cases"]]


def environment():
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def test_ctrl_c_keeps_what_was_judged(adapter, tmp_path, monkeypatch, capsys):
    run_case, begun = command.run_case, []

    def interrupted(implementation, case):
        begun.append(case)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return run_case(implementation, case)

    monkeypatch.setattr(command, "run_case", interrupted)
    assert main(["--impl", adapter("slow_adapter"), *SMALL, "--log", "log.jsonl"]) == 130
    assert capsys.readouterr().err == "interrupted; --resume goes on with log.jsonl\n"
    assert len(Path("log.jsonl").read_text(encoding="utf-8").splitlines()) == 1 + 2
    assert main(["--impl", "slow_adapter", *SMALL, "--log", "log.jsonl", "--resume"]) == 0
    assert len(begun) == 3 + 2


def test_a_result_comes_back_from_a_log_as_it_was(adapter, tmp_path):
    """Figures that JSON has no number for included."""
    args = command.arguments().parse_args(
        ["--impl", adapter("lost_adapter", "weights = {k: w * float('nan') for k, w in weights.items()}"), *SMALL]
    )
    cases = options.choose(args).cases
    (judged,) = options.implementations(args)
    results = [command.run_case(judged, case) for case in cases]
    file = log.Log(tmp_path / "log.jsonl", "cpu", cases)
    for result in results:
        file.add(result)
    file.close()
    again = log.Log(tmp_path / "log.jsonl", "cpu", cases, resume=True)
    again.close()
    assert repr(again.results) == repr(results)  # NaN is not equal to itself


def test_a_log_of_something_else_is_refused(adapter, tmp_path, monkeypatch, capsys):
    words = ("--impl", adapter("logged_adapter"), *SMALL, "--log", "log.jsonl")
    assert main(words) == 0
    capsys.readouterr()
    assert "log.jsonl is there already; --resume goes on with it" in refused(capsys, *words)
    assert "another device" in refused(capsys, *words, "--resume", "--device", "abacus")
    monkeypatch.setattr(log, "RULE", "anything goes")
    assert "another rule" in refused(capsys, *words, "--resume")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    text = Path("log.jsonl").read_text(encoding="utf-8")
    Path("log.jsonl").write_text(text.replace('"verdicts"', '"verses"', 1), encoding="utf-8")
    assert "log.jsonl, line 2, is no line of such a log" in refused(capsys, *words, "--resume")
