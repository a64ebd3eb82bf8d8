"""The pictures of the notes: dark where their reader is, readable on a phone, and what is kept is what is drawn."""

import re
import xml.etree.ElementTree as ET
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.report.drawing import BACKGROUND, COLOURS

from ...diagrams import palette
from ...generated import STUDIES
from ...labels import NOTES
from .. import drawing, tasks

FIGURES = NOTES / "figures"
# A terminal: dark on any page, in its own colours, and as wide as the command's table, which a phone must enlarge.
EXEMPT = {"parity.svg"}
PICTURES = sorted(file.relative_to(FIGURES).as_posix() for file in FIGURES.rglob("*.svg") if file.name not in EXEMPT)
PHONE, READABLE, TALL = 350, 7.5, 1400  # px that a page leaves on a phone; px of a letter; points, at most
PAINT = re.compile(r"""(?<![-\w])(?:fill|stroke|color|stop-color)(?:: *|=["'])([^;"'}]+)""")
THEMED = re.compile(r"var\(--(\w+)\)|none|currentColor|inherit|transparent|context-(?:fill|stroke)|url\(#[^)]*\)")
FONT = re.compile(r"""font(?:-size)?(?:: *|=["'])(?:[^;"'}]*?\s)?([\d.]+)(?:px)?(?=[\s;"'}])""")


def text_of(picture: str) -> str:
    return (FIGURES / picture).read_text(encoding="utf-8")


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_has_the_colours_of_its_readers_page(picture):
    svg = text_of(picture)
    assert "figure" in ET.fromstring(svg).get("class", "").split()
    for rule in ("prefers-color-scheme: dark", 'data-theme="light"', 'data-theme="dark"', *map(palette.variables, (False, True))):
        assert rule in svg
    for paint in PAINT.findall(svg):
        themed = THEMED.fullmatch(paint.strip())
        assert themed, paint
        assert themed[1] is None or themed[1] in palette.COLOURS


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_can_be_read_on_a_phone(picture):
    svg = text_of(picture)
    _, _, width, height = map(float, ET.fromstring(svg).get("viewBox", "").split())
    assert height <= TALL
    assert min(map(float, FONT.findall(svg))) * min(4 / 3, PHONE / width) >= READABLE  # a unit of a file is a point


@pytest.mark.parametrize("picture", [picture for picture in PICTURES if "/" not in picture])
def test_no_letter_of_a_plot_is_black_for_want_of_a_colour(picture):
    svg = text_of(picture)
    inked = {name for name, rule in re.findall(r"\.(\w+) \{([^}]*)\}", svg) if "fill: var(--ink)" in rule}
    letters = list(ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"))
    assert letters
    assert {letter.get("class") for letter in letters} <= inked


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's"""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def mixed(one: str, other: str, part: float) -> str:
    pairs = [(int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(part * a + (1 - part) * b):02x}" for a, b in pairs)


@pytest.mark.parametrize("dark", [False, True])
def test_colours_stand_out(dark):
    of = {name: both[dark] for name, both in palette.COLOURS.items()}
    assert contrast(of["ink"], of["card"]) > 4.5
    assert contrast(of["ink"], mixed(of["blue"], of["card"], tasks.FULL)) > 4.5  # the number in a square of the attention
    lines = [drawing.NAMES[colour] for colour in COLOURS]
    assert len(set(lines)) == len(COLOURS) and drawing.NAMES[BACKGROUND] == "card"
    assert all(contrast(of[name], of["card"]) > 3 for name in lines)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Every picture of the studies, drawn from what is kept."""
    folder = tmp_path_factory.mktemp("figures")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "FIGURES", folder)
        for name in STUDIES:
            module = import_module(f"notes.studies.{name}")
            getattr(module, "STUDY", module).draw()
    return folder


def letters(file: Path) -> list[str]:
    """What can be read; where a line ends may differ from one version of matplotlib to the next."""
    return re.findall(r">([^<>\s][^<>]*)</text>", file.read_text(encoding="utf-8"))


def test_what_is_kept_is_what_is_drawn(drawn):
    kept = {file.name for file in FIGURES.glob("*.svg")} - EXEMPT
    assert {file.name for file in drawn.iterdir()} == kept
    for name in kept:
        assert letters(FIGURES / name) == letters(drawn / name), name
        assert (FIGURES / name).stat().st_size < 64_000, name
