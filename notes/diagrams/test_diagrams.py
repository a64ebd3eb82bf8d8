"""The diagrams: the files are current, small enough for a phone, alike in both languages, and lead to the lines of code."""

import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ..labels import NOTES, ROOT, pages, read
from . import DIAGRAMS, FIGURES, files, places
from .words import CHINESE

PLACES = [file for file, _, _ in places()]
SVG = "{http://www.w3.org/2000/svg}"
each_file = pytest.mark.parametrize("file", PLACES, ids=lambda file: file.relative_to(FIGURES).as_posix())


@cache
def drawn() -> dict[Path, str]:
    return dict(files())


def test_the_files_are_current():
    """If not: ``python -m notes.diagrams``."""
    there = [file for folder in DIAGRAMS for file in (FIGURES / folder).rglob("*.svg")]
    assert sorted(there) == sorted(drawn()) == sorted(PLACES)
    assert [file.name for file, text in drawn().items() if read(file) != text] == []


@each_file
def test_it_can_be_read_on_a_phone_and_stand_in_a_page_with_others(file):
    """A phone of 390 pixels leaves 358 to a picture; the smallest text but a lowered index is of 13 units."""
    root = ElementTree.fromstring(drawn()[file])
    assert root[0].tag == f"{SVG}title" and root[0].text and root.get("role") in ("img", "group")
    assert 13 * 358 / float(root.get("viewBox", "").split()[2]) >= 8
    assert not root.findall(".//*[@id]")
    rules = re.sub(r"/\*.*?\*/", "", root.findtext(f"{SVG}style", ""))
    heads = [head.strip() for head in re.findall(r"([^{}]+)\{", rules) if not head.strip().startswith("@")]
    assert heads and all("svg.figure" in one or one.strip().startswith("svg.diagram ") for head in heads for one in head.split(","))


@each_file
def test_a_link_leads_to_the_line_that_carries_its_label(file):
    for link in ElementTree.fromstring(drawn()[file]).iter(f"{SVG}a"):
        place, _, line = link.get("href", "").partition("#L")
        code = (file.parent / place).resolve()
        assert ROOT.resolve() in code.parents
        assert re.search(rf"#.*\b{re.escape(link.text or '')}(?!\*)", read(code).splitlines()[int(line) - 1])


@pytest.mark.parametrize("draw", [draw for draws in DIAGRAMS.values() for draw in draws], ids=lambda draw: draw.__name__)
def test_both_languages_have_the_same_shapes(draw):
    shapes = [re.findall(r"<(?:rect|circle|path|text|a)\b", str(draw(chinese))) for chinese in (False, True)]
    assert shapes[0] == shapes[1]


def test_every_word_that_is_translated_is_drawn():
    said = " ".join(drawn().values())
    assert [word for word in CHINESE if word not in said] == []


def test_every_diagram_is_shown_by_a_page_and_each_that_is_shown_is_there():
    shown = {
        (NOTES / f"{note}.md").parent.joinpath(path).resolve()
        for note in pages()
        for path in re.findall(r"^!\[[^\]]+\]\((\S*figures/\w+/\S+)\)$", read(NOTES / f"{note}.md"), re.MULTILINE)
    }
    assert {file for file in drawn() if file.parent.name != "zh"} <= shown <= set(drawn())
