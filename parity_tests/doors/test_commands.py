"""Every ``python -m X`` and console command: help, wrong words, files that are not there, streams that fail, narrow terminals.

0 done; 2 asked wrongly, or the output is not whole; 130 Ctrl-C; never a traceback.
"""

import ast
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from ..common.applications import Small
from .commands import DOORS, ROOT, SCRIPTS, found, guard, run, watched

WIDE = 40
FEW = ("reference.char_lm", "reference.convert", "notes.trace", "notes.exercises")  # that are asked more in the daily suite
NOT_WHOLE = "error: what was printed is not whole: No space left on device\n"
every_door = pytest.mark.parametrize("module", DOORS)
every_command = pytest.mark.parametrize("module", [*DOORS, *SCRIPTS])
linux = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")


def each(kind):
    """A test for every command and what it is asked of this kind."""
    asked = [(module, words) for module, door in DOORS.items() for words in getattr(door, kind)]
    slow = {module: () if module in FEW else pytest.mark.slow for module in DOORS}
    each = [pytest.param(m, words, marks=slow[m], id=f"{m} {words}".strip()) for m, words in asked]
    return pytest.mark.parametrize(("module", "words"), each)


@pytest.fixture(scope="session")
def places(tmp_path_factory):
    """What the words in braces stand for."""
    folder = tmp_path_factory.mktemp("doors")
    place = {name: folder / name for name in ("missing", "file", "full", "folder", "weights", "numbers")}
    place |= {"weights": folder / "weights.safetensors", "numbers": folder / "numbers.npy", "text": folder / "text.txt"}
    place["folder"].mkdir()
    place["file"].write_text("no folder")
    place["text"].write_text("to be or not to be " * 300)
    rng = np.random.default_rng(0)
    shapes = {"weight_ih_l0": (12, 2), "weight_hh_l0": (12, 3), "bias_ih_l0": (12,), "bias_hh_l0": (12,)}
    save_file({k: rng.standard_normal(s, np.float32) for k, s in shapes.items()}, place["weights"])
    np.save(place["numbers"], rng.standard_normal((3, 2)))
    for name in ("char_lm", "forecast"):
        place[name] = place["folder"] / name
        assert Small.on(name, folder / f"{name}-data").train(place[name], "--engine", "fast") == 0
    place["result"] = min((ROOT / "benchmarks" / "results").rglob("*.json.gz"), key=lambda file: file.stat().st_size)
    return place


@pytest.fixture
def ask(request, tmp_path, monkeypatch):
    """Run a command with its words, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)

    def ask(module, words, **streams):
        return run(module, filled(words, request).split(), **streams)

    return ask


def filled(words, request):
    """The words with the places of those in braces, which are made when they are asked for."""
    if "{" not in words:
        return words
    places = request.getfixturevalue("places")
    for name in ("full", "full.npz.tmp", "full.json"):
        link = places["full"].with_name(name)
        if sys.platform == "linux" and not link.is_symlink():  # what could not be written was removed
            link.symlink_to("/dev/full")
    return words.format(**places)


def test_every_command_has_a_row():
    assert set(found()) == set(DOORS)


@every_door
def test_every_command_is_entered_by_the_same_door(module):
    """The last that its module does, or a function of it, is ``entered``, which guards all that the command does."""
    file = found()[module]
    last = guard(file)[-1]
    functions = {node.name: node for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)}
    assert isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) and isinstance(last.value.args[0], ast.Call)
    called = last.value.args[0].func.id
    while called != "entered":
        returned = functions[called].body[-1].value
        assert isinstance(returned, ast.Call)
        called = returned.func.id


@every_command
def test_help_is_printed_and_nothing_else_is_done(module, ask, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(WIDE))
    with watched() as done:
        end = ask(module, "--help")
    assert (end.status, end.err, done) == (0, "", [])
    assert "usage: " in end.out or "``" in end.out
    assert too_long(end.out) == []


@every_command
def test_a_wrong_option_ends_it_before_anything_is_done(module, ask, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(WIDE))
    with watched() as done:
        end = ask(module, "--no-such-option")
    assert (end.status, end.out, done) == (2, "", [])
    assert "error: " in " ".join(end.err.split()) and "Traceback" not in end.err and too_long(end.err) == []


@each("wrong")
def test_what_is_asked_wrongly_is_one_sentence(module, words, ask):
    end = ask(module, words)
    assert (end.status, end.out) == (2, "")
    said = end.err.rpartition("error: ")[2]
    assert said.count("\n") == 1 and len(said) > 10 and "Traceback" not in end.err


@each("names")
def test_a_file_that_cannot_be_read_or_written_is_named(module, words, ask, places):
    if "{full}" in words and sys.platform != "linux":
        pytest.skip("/dev/full is Linux's")
    end = ask(module, words)
    assert end.status == 2, end
    said = end.err.rpartition("error: ")[2]
    assert said.count("\n") == 1 and "Traceback" not in end.err, end
    [name] = {str(places[name]) for name in ("missing", "file", "full") if f"{{{name}}}" in words}
    assert name in said


@linux
@each("says")
def test_output_that_is_not_whole_is_said(module, words, ask):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        end = ask(module, words, out=full)
    assert end.status == 2 and end.err.endswith(NOT_WHOLE) and "Traceback" not in end.err


@linux
@each("says")
def test_errors_that_cannot_be_written_change_nothing(module, words, ask):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        assert ask(module, words, err=full).status == 0
        assert ask(module, "--no-such-option", err=full).status == 2


@each("says")
def test_streams_that_are_closed_change_nothing(module, words, ask):
    assert ask(module, words, out=None, err=None).status == 0


@each("says")
def test_characters_that_cannot_be_encoded_change_nothing(module, words, ask):
    end = ask(module, words, out="ascii", err="ascii")
    assert end.status == 0 and end.out and end.err.isascii()


@each("says")
def test_lines_are_no_longer_than_the_terminal_is_wide(module, words, ask, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(WIDE))
    end = ask(module, words)
    assert end.status == 0
    assert too_long(end.out + end.err) == []


def too_long(text):
    """Lines that could have been broken; code and commands, which are copied, stay whole."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    lines = [line.rstrip() for line in text.splitlines() if not line.startswith("$ ")]
    return [line for line in lines if len(line) > WIDE and " " in line.strip()]
