"""Pictures in pages: they keep to themselves, their links lead to pages of the site, and they follow the page's theme."""

import re
from pathlib import Path

import pytest

from ..diagrams import palette
from ..labels import ROOT, read
from . import pictures
from .sources import shown

FIGURES = ROOT / "notes" / "figures"
PLOT = """<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns:xlink="http://www.w3.org/1999/xlink" class="figure" viewBox="0 0 9 9" xmlns="http://www.w3.org/2000/svg">
 <metadata><a>made by</a></metadata>

 <style type="text/css">*{stroke-linecap: butt}
.s0, .s1 {fill: var(--ink)}</style>
 <clipPath id="p1"><rect/></clipPath><use xlink:href="#p1" clip-path="url(#p1)"/>
</svg>
"""


def page(*lines: str, note: str = "cells/lstm") -> str:
    source = ["\n\n".join(lines)]
    pictures.prepare(None, note, source)  # type: ignore[arg-type]
    return source[0]


@pytest.fixture
def plot(tmp_path: Path, monkeypatch) -> str:
    (tmp_path / "plot.svg").write_text(PLOT, encoding="utf-8")
    monkeypatch.setattr(pictures, "NOTES", tmp_path)
    return page("before", "![a plot & more](plot.svg)", "between", "![again](plot.svg)", "after", note="one")


def test_two_pictures_in_a_page_share_no_name_and_no_rule(plot):
    names = re.findall(r'\bid="([^"]*)"', plot)
    assert names == ["picture-plot", "picture-plot-p1", "picture-plot-2", "picture-plot-2-p1"]
    assert re.findall(r'url\(#([^)]*)|href="#([^"]*)', plot) == [
        ("", "picture-plot-p1"), ("picture-plot-p1", ""), ("", "picture-plot-2-p1"), ("picture-plot-2-p1", "")
    ]  # fmt: skip
    assert "#picture-plot * {stroke-linecap" in plot
    assert "#picture-plot-2 .s0, #picture-plot-2 .s1 {fill" in plot


def test_a_picture_is_one_block_of_html_that_says_what_it_shows(plot):
    blocks = plot.split("\n\n")
    assert [block[:7] for block in blocks] == ["before", "<figure", "between", "<figure", "after"]
    assert 'aria-label="a plot &amp; more"' in plot
    assert "<?xml" not in plot and "DOCTYPE" not in plot and "made by" not in plot


@pytest.mark.parametrize("where", ["![a](../figures/diagrams/lstm_cell.svg) in a line", "```text\n![a](x.svg)\n```", "![a](x.png)"])
def test_what_does_not_stand_alone_is_left(where):
    assert page(where) == where


@pytest.mark.parametrize(("note", "path", "up"), [("cells/lstm", "", "../"), ("zh/cells/lstm", "zh/", "../../"), ("index", "", "")])
def test_the_links_of_a_diagram_lead_to_the_page_of_the_code(note, path, up):
    text = page(f"![a]({up}figures/diagrams/{path}lstm_cell.svg)", note=note)
    links = re.findall(r'<a [^>]*href="([^"]*)"', text)
    assert links and {link.partition("#L")[0] for link in links} == {f"{up}code/reference/cells/lstm.py.html"}
    assert "reference/cells/lstm.py" in shown


def test_the_page_decides_between_light_and_dark():
    text = page("![a](../figures/diagrams/unrolled.svg)")
    for theme, dark in (("light", False), ("dark", True)):
        assert f'body[data-theme="{theme}"] #picture-unrolled svg.figure {{ {palette.variables(dark)} }}' in text
    assert f"@media (prefers-color-scheme: dark) {{ #picture-unrolled svg.figure {{ {palette.variables(True)} }} }}" in text


@pytest.mark.parametrize("file", sorted(FIGURES.rglob("*.svg")), ids=lambda file: file.stem)
def test_every_rule_of_every_picture_is_held_in(file):
    text = pictures.inlined("index", file, "here", "")
    rules = " ".join(style for _, style, _ in pictures.STYLE.findall(text))
    heads = [head.strip() for head in re.findall(r"([^{}]+)\{", rules) if not head.strip().startswith("@")]
    assert heads and all("#here " in one for head in heads for one in head.split(","))
    assert all(name.startswith("here-") for name in re.findall(r'\bid="([^"]*)"', text))
    assert "\n\n" not in text and text.startswith("<svg") and text.endswith("</svg>")
    assert read(file).count("<text") == text.count("<text")
