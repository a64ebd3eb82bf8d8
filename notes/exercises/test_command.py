"""The command that judges an answer, and the page that says what is asked."""

import ast
import inspect
import re

import pytest

from . import __main__ as exercise
from . import page
from .complex_step import UnjudgedError
from .judge import judge
from .table import EXERCISES

HOIST = "from reference import linear\n\n\ndef hoist(x, W, b):\n    return linear.forward(linear.Params(W, b), x)[0]"


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        (HOIST, 0, "exercise 5: passed\n"),
        (HOIST + ".mean()", 1, r"exercise 5: not yet: hoist: a_x must have shape \(\d, \d, \d+\), got \(\) \(case: x .*\)\n"),
        (HOIST + " + 1", 1, r"exercise 5: not yet: hoist: a_x\[.*\] must be .*\n"),
        (HOIST + ", 1", 1, "exercise 5: not yet: hoist must return a_x: one value, got 2 values\n"),
        (HOIST.replace("hoist", "lift"), 2, r"not judged: the file must define a function hoist\(x, W_ih, b_ih\)\n"),
        ("hoist = 3", 2, r"not judged: the file must define a function hoist\(x, W_ih, b_ih\)\n"),
        (HOIST.replace(", b)", ")", 1), 2, "not judged: hoist raised TypeError.*\n"),
        ("\ndef hoist(x, W, b):\n    return x @ W", 2, "not judged: hoist raised ValueError in line 3: matmul.*\n"),
        ("def hoist(x, W, b)", 2, "not judged: answer.py raised SyntaxError in line 1: expected ':'\n"),
        ("import nowhere_at_all", 2, "not judged: answer.py raised ModuleNotFoundError in line 1: No module .*\n"),
        ("import sys\nsys.exit(0)", 2, "not judged: answer.py raised SystemExit in line 2: 0\n"),
    ],
)
def test_the_command(tmp_path, capsys, text, status, said):
    file = tmp_path / "answer.py"
    file.write_text(text, encoding="utf-8")
    assert exercise.main(["5", str(file)]) == status
    out, err = capsys.readouterr()
    assert re.fullmatch(said, out + err), out + err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["5", "nowhere.py"], "there is no file nowhere.py"),
        (["5", "README.md"], "the file must be Python and end in .py, got README.md"),
        (["21"], "the exercise must be a number from 1 to 20, got '21'"),
        (["0"], "the exercise must be a number from 1 to 20, got '0'"),
        (["peepholes"], "the exercise must be a number from 1 to 20, got 'peepholes'"),
    ],
)
def test_what_cannot_be_judged_is_said(capsys, monkeypatch, arguments, said):
    monkeypatch.chdir(page.PAGE.parent.parent.parent)
    assert exercise.main(arguments) == 2
    assert capsys.readouterr().err == f"not judged: {said}\n"


def test_the_list_and_one_exercise(capsys):
    assert exercise.main([]) == 0
    assert [int(line.split()[0]) for line in capsys.readouterr().out.splitlines()] == list(EXERCISES)
    assert exercise.main(["7"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("## 7. Clip") and "def clip" in shown and "Hint" not in shown


def test_a_hint_is_shown_on_request(capsys):
    assert exercise.main(["7", "--hint"]) == 0
    first = capsys.readouterr().out
    assert exercise.main(["7", "--hint", "2"]) == 0
    second = capsys.readouterr().out
    assert first.startswith("Two separate norms") and second.startswith("The factor is never above 1")
    assert "<" not in first + second


@pytest.mark.parametrize("arguments", [["--hint"], ["7", "answer.py", "--hint"], ["7", "--hint", "3"]])
def test_a_hint_is_for_one_exercise(arguments):
    with pytest.raises(SystemExit, match="2"):
        exercise.main(arguments)


def test_there_are_twenty():
    assert list(page.titles()) == list(EXERCISES) == list(range(1, 21))


@pytest.mark.parametrize("number", EXERCISES)
def test_the_page_asks_for_what_is_judged(number):
    """The functions, their arguments, and the outputs in their order."""
    functions = [node for node in ast.parse(page.stubs(number)).body if isinstance(node, ast.FunctionDef)]
    assert [f.name for f in functions] == [task.function for task in EXERCISES[number]]
    for f, task in zip(functions, EXERCISES[number], strict=True):
        assert tuple(a.arg for a in f.args.args) == task.arguments
        promised = (ast.get_docstring(f) or "").partition("->")[2]
        at = [re.search(rf"\b{re.escape(name)}\b", promised) for name in task.outputs]
        starts = [m.start() for m in at if m]
        assert len(starts) == len(at) and starts == sorted(starts), promised
        assert ast.unparse(f.body[-1]) == "raise NotImplementedError"


def test_an_exercise_names_its_note_and_the_note_points_back():
    notes = page.PAGE.parent.parent
    named = {
        (n, note)
        for n, section in page.sections().items()
        for note in re.findall(r"\]\(\.\./([a-z_/]+)\.md\)", section[0].partition("The note to it: ")[2].partition("\n")[0])
    }
    pointing = {
        (int(n), file.relative_to(notes).with_suffix("").as_posix())
        for file in notes.rglob("*.md")
        for line in re.findall(r"^Exercises: (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        for n in re.findall(r"exercises\.md#(\d+)-", line)
    }
    assert {n for n, _ in named} == set(EXERCISES)
    assert named == pointing


@pytest.mark.parametrize("number", EXERCISES)
def test_every_exercise_has_two_folded_hints(number):
    assert re.findall(r"<details><summary>Hint (\d)</summary>", page.sections()[number][0]) == ["1", "2"]
    assert len(page.hints(number)) == 2 and all(page.hints(number))


def test_the_stubs_are_not_answers(tmp_path):
    for number in EXERCISES:
        names: dict = {}
        exec(page.stubs(number), names)
        with pytest.raises(UnjudgedError, match="raised NotImplementedError"):
            judge(EXERCISES[number], {k: v for k, v in names.items() if inspect.isfunction(v)})
