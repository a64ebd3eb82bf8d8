"""The floor plan: arrows point one way, every room has its faces, every label in code exists once in its note."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import reference
from torch_impl.cells.layers import WAYS

from .judge.diagnosis import BACKWARD, FORWARD, LAST, TWINS
from .mutation.rooms import ROOMS as PARTS

ROOT = Path(__file__).parent.parent
ROOMS = {"rnn": "R", "lstm": "L", "gru": "G", "stack": "S", "linear": "F", "embedding": "E", "dropout": "D", "losses": "J",
         "attention": "A", "sampling": "P", "init": "I", "clip": "K", "optim": "O", "language_model": "U",
         "classifier": "C", "generator": "N", "tagger": "M", "seq2seq": "Q", "forecaster": "Y",
         "gradient_flow": "GF", "truncated_bptt": "TB", "checkpointed_bptt": "CB", "rtrl": "RT", "hessian": "HV"}
VERBS = ["step_forward", "step_backward", "forward", "deltas", "backward"]


CHAPTERS = {"cells": ("rnn", "lstm", "gru", "stack"),
            "parts": ("linear", "embedding", "dropout", "losses", "attention"),
            "models": ("classifier", "generator", "tagger", "seq2seq", "language_model", "forecaster"),
            "training": ("init", "clip", "optim"),
            "gradients": ("gradient_flow", "truncated_bptt", "checkpointed_bptt", "rtrl", "hessian"),
            "common": ("sampling",)}
CHAPTER = {room: chapter for chapter, rooms in CHAPTERS.items() for room in rooms}


def note_of(room: str) -> str:
    return f"{CHAPTER[room]}/{room}"


def imports(file: Path) -> set[str]:
    """Top-level names that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").split(".")[0])
    return found


# safetensors is the file format of checkpoints, rich draws the progress bar of a run, matplotlib the pictures of runs and
# forecasts, imported only when one is drawn, onnx builds a graph: none of them computes anything.  onnxruntime does, to
# check what was exported.
ALSO = {"reference/common/checkpoint.py": {"safetensors"}, "reference/common/run.py": {"rich"},
        "reference/char_lm/train.py": {"rich"}, "reference/char_lm/plots.py": {"matplotlib"},
        "reference/forecast/plots.py": {"matplotlib"}, "torch_impl/export/onnx_graph.py": {"onnx"},
        "torch_impl/export/__main__.py": {"onnxruntime"}}


@pytest.mark.parametrize(("folder", "allowed"), [
    ("reference", {"numpy", "scipy"}), ("torch_impl", {"numpy", "torch", "reference"})])
def test_arrows_point_one_way(folder, allowed):
    for file in (ROOT / folder).rglob("*.py"):
        outside = imports(file) - set(sys.stdlib_module_names) - ALSO.get(file.relative_to(ROOT).as_posix(), set())
        assert outside <= allowed, (file, outside)


def test_reference_loads_without_torch():
    """Not even by way of something that it imports."""
    code = "import sys, reference, reference.common.datasets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_its_faces(room):
    chapter = CHAPTER[room]
    for face in (f"reference/{chapter}/{room}.py", f"torch_impl/{chapter}/{room}.py",
                 f"parity_tests/{chapter}/test_{room}.py", f"notes/{note_of(room)}.md"):
        assert (ROOT / face).is_file(), face


def test_every_part_has_cases_and_faults():
    assert {room for room in ROOMS if room not in TWINS and room != "stack"} <= PARTS.keys()


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_cells_have_the_verbs_in_order_and_twins_the_ways(cell):
    module = getattr(reference, cell)
    functions = [n for n, f in inspect.getmembers(module, inspect.isfunction) if f.__module__ == module.__name__]
    assert sorted(functions, key=lambda n: getattr(module, n).__code__.co_firstlineno) == VERBS
    assert all(callable(getattr(TWINS[cell], way)) for way in WAYS)
    assert all(callable(getattr(TWINS[cell], verb)) for verb in VERBS[:2])


def cited(text: str, letter: str) -> set[str]:
    return set(re.findall(rf"\b{letter}\d\*?(?![\w*])", text))


@pytest.mark.parametrize(("room", "letter"), ROOMS.items())
def test_every_label_in_code_is_defined_once_in_its_note(room, letter):
    note = (ROOT / "notes" / f"{note_of(room)}.md").read_text(encoding="utf-8")
    for file in (ROOT / "reference" / CHAPTER[room] / f"{room}.py", ROOT / "torch_impl" / CHAPTER[room] / f"{room}.py"):
        labels = cited(file.read_text(encoding="utf-8"), letter)
        assert labels, file
        for label in labels:
            assert note.count(f"({label})") == 1, f"{file.name} cites {label}"


@pytest.mark.parametrize(("room", "letter"), ROOMS.items())
def test_every_label_in_the_note_is_cited_in_code(room, letter):
    code = (ROOT / "reference" / CHAPTER[room] / f"{room}.py").read_text(encoding="utf-8")
    note = (ROOT / "notes" / f"{note_of(room)}.md").read_text(encoding="utf-8")
    assert set(re.findall(rf"\(({letter}\d\*?)\)", note)) == cited(code, letter)


def test_schedule_labels_are_in_their_note():
    """Schedules are shared by both sides, so they have no twin and are no room."""
    note, code = ((ROOT / f).read_text(encoding="utf-8") for f in (
        "notes/common/schedules.md", "reference/common/schedules.py"))
    assert cited(code, "V") == set(re.findall(r"\((V\d)\)", note))
    assert all(note.count(f"({label})") == 1 for label in cited(code, "V"))


def test_tolerance_labels_are_in_their_note():
    note = (ROOT / "notes" / "tolerances.md").read_text(encoding="utf-8")
    for label in cited((ROOT / "parity_tests" / "judge" / "tolerance.py").read_text(encoding="utf-8"), "T"):
        assert note.count(f"({label})") == 1, label


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_diagnosis_knows_every_label_of_the_code(cell):
    code = cited((ROOT / "reference" / "cells" / f"{cell}.py").read_text(encoding="utf-8"), ROOMS[cell])
    known = " ".join(v for table in (FORWARD, BACKWARD, LAST) for v in table[cell].values())
    assert cited(known, ROOMS[cell]) == code


def test_a_definition_fits_on_a_screen():
    """Both step functions of a cell, and nothing in reference/ longer than a sitting."""
    for file in (ROOT / "reference").rglob("*.py"):
        assert len(file.read_text(encoding="utf-8").splitlines()) < 300, file
    for cell in ("rnn", "lstm", "gru"):
        room = getattr(reference, cell)
        lines = sum(len(inspect.getsource(getattr(room, verb)).splitlines()) for verb in VERBS)
        assert lines <= 75, (cell, lines)


def test_links_between_pages_lead_somewhere():
    notes = (page for page in (ROOT / "notes").rglob("*.md") if "node_modules" not in page.parts)
    for page in [*notes, ROOT / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} -> {target}"
