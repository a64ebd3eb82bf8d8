"""The notes: every computed part is current, every label leads to its line and back, and no page is left out."""

import ast
import re
from collections import Counter
from pathlib import PurePath

import pytest

from parity_tests.test_structure import ROOMS

from . import generated
from .code_blocks import PATTERNS
from .generated import current
from .labels import DEFINED, LINKED, NOTES, ROOT, carried, code_files, equations, pages

TEXT = {note: (NOTES / f"{note}.md").read_text(encoding="utf-8") for note in pages()}


@pytest.mark.parametrize("note", TEXT)
def test_computed_parts_and_links_are_current(note):
    """If not: ``python -m notes.generated --write``."""
    assert current(note) == TEXT[note]


def test_every_kept_result_is_shown():
    """A study whose table no note asks for would measure for nothing."""
    parts = " ".join(re.findall(r"<!-- \[\[\[cog (.*?) \]\]\] -->", " ".join(TEXT.values())))
    for file in (NOTES / "results").rglob("*.json"):
        name, _, of = file.stem.partition("-")
        assert re.search(rf"\b(notes\.studies\.{name}|tasks\.table\(\"{name}|compare\.kept\(\"{of})\b", parts), file.name


def test_a_part_goes_between_its_marks_and_nowhere_else(tmp_path, monkeypatch):
    monkeypatch.setattr(generated.labels, "NOTES", tmp_path)
    page, part = tmp_path / "page.md", "a\n<!-- [[[cog cog.out('new') ]]] -->\n{}\n<!-- [[[end]]] -->\nb\n"
    page.write_text(part.format("old") + "c\n", encoding="utf-8")
    assert generated.renew(write=False) == ["page"]
    assert "old" in page.read_text(encoding="utf-8")
    assert generated.renew() == ["page"]
    assert page.read_text(encoding="utf-8") == part.format("new") + "c\n"
    assert generated.renew() == []


def test_a_label_is_defined_in_one_note_only():
    count = Counter(m[1] for text in TEXT.values() for m in DEFINED.finditer(text))
    assert count
    assert [label for label, n in count.items() if n > 1] == []


@pytest.mark.parametrize("note", [note for note in TEXT if code_files(note)])
def test_every_equation_has_its_line_of_code(note):
    """But for what follows about temperature, which no line computes."""
    for equation in equations(note):
        if equation.label in ("CH4", "CH5", "CH6"):
            continue
        assert equation.line is not None, equation.label
        lines = (ROOT / equation.line.file).read_text(encoding="utf-8").splitlines()
        assert re.search(rf"#.*\b{re.escape(equation.label)}(?!\*)", lines[equation.line.number - 1])
    assert len(LINKED.findall(TEXT[note])) == len(equations(note))
    assert carried(note).keys() >= {e.label for e in equations(note) if e.line}


def test_every_adjoint_is_derived_once_more_by_symbols():
    """The tests ``test_symbolic_*.py`` name the labels that they cover: all that have a star, and other rooms besides."""
    code = [n for file in NOTES.rglob("test_symbolic_*.py") for n in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    texts = [ast.get_docstring(n) or "" for n in code if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]
    named = {label for text in texts for label in re.findall(r"\b[A-Z]{1,2}\d\*?(?!\w)", text)}
    defined = {m[1] for text in TEXT.values() for m in re.finditer(r"^\*\*`?\(([A-Z]{1,2}\d\*?)\)", text, re.MULTILINE)}
    assert {label for label in defined if label.endswith("*")} <= named
    assert {label for label in defined if re.match("[OKV]|TB|CB|RT|HV", label)} - {"TB1"} <= named
    assert named <= defined


@pytest.mark.parametrize("note", ["cells/rnn", "cells/lstm", "cells/gru"])
def test_every_equation_of_a_cell_has_a_formula(note):
    assert all(e.formulas for e in equations(note))


def test_the_code_blocks_of_every_note_are_run():
    """Those of a page in Chinese are those of the page in English."""
    english = [note for note in TEXT if not note.startswith("zh/")]
    assert [note for note in english if not any(PurePath(f"notes/{note}.md").match(pattern) for pattern in PATTERNS)] == []


def test_the_first_page_leads_to_every_other():
    """Those of the tutorial by its own first page, those in Chinese by theirs."""
    led = {name for note in ("", "tutorial/", "zh/", "zh/tutorial/") for name in listed(note)}
    assert {f"{note}.md" for note in TEXT if note != "index"} <= led


def listed(folder):
    """The pages that the index in a folder of the notes leads to."""
    return {folder + link for link in re.findall(r"\]\(([a-z0-9_/]+\.md)", TEXT.get(f"{folder}index", ""))}


def test_notation_lists_the_letters_of_every_room():
    table = TEXT["notation"].partition("## Labels")[2]
    listed = [cell.split(", ") for row in re.findall(r"^\| ([A-Z].*) \|$", table, re.MULTILINE) for cell in row.split(" | ")]
    pairs = [pair for letters, rooms in zip(listed[::2], listed[1::2], strict=True) for pair in zip(rooms, letters, strict=True)]
    assert set(pairs) == ROOMS.items() | {("schedules", "V"), ("tolerance", "T")}
    assert len(pairs) == len(set(pairs))
