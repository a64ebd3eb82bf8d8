"""The pages that the project makes load nothing from elsewhere, and the check of that is itself checked."""

from pathlib import Path

import pytest

from ..explorer import PAGES, build
from ..explorer.formulas import plain
from ..labels import ROOT
from ..trace.__main__ import main as trace
from .local import external, loads, outside

FORBIDDEN = [
    '<script src="https://cdn.example/a.js"></script>',
    "<script src=//cdn.example/a.js></script>",
    '<link rel="stylesheet" href="http://x.example/a.css">',
    '<link rel="preconnect" href="https://fonts.example">',
    '<img src="https://x.example/a.png">',
    '<img srcset="a.png 1x, https://x.example/b.png 2x">',
    '<style>@import "https://x.example/a.css";</style>',
    "<style>@font-face { src: url(https://x.example/a.woff2) }</style>",
    "<p style=\"background: url('http://x.example/a.png')\">",
    '<iframe src="HTTPS://x.example"></iframe>',
    '<svg><image href="https://x.example/a.png"/></svg>',
    '<script type="module">import "https://x.example/a.js"</script>',
    '<script>fetch("https://x.example/data.json")</script>',
]
FREE = [
    '<a href="https://example.org">a source</a>',
    '<script src="_static/a.js"></script>',
    "<p>see https://example.org</p>",
    '<img src="data:image/png;base64,AAAA//8=">',
    '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    '<link rel="canonical" href="https://example.org/page.html">',
    '<script>const a = "https://example.org";</script>',
]


@pytest.mark.parametrize("page", FORBIDDEN)
def test_what_is_loaded_from_elsewhere_is_found(page):
    assert len(external("page.html", f"<html><body>{page}</body></html>")) == 1


@pytest.mark.parametrize("page", FREE)
def test_what_a_reader_may_follow_is_free(page):
    assert external("page.html", f"<html><body>{page}</body></html>") == []


def test_a_folder_is_searched_with_its_styles(tmp_path):
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "a.css").write_text("@font-face { src: url('//x.example/a.woff2') }", encoding="utf-8")
    (tmp_path / "a.html").write_text(FORBIDDEN[0] + FREE[1], encoding="utf-8")
    assert list(outside(tmp_path)) == ["_static/a.css: //x.example/a.woff2", "a.html: https://cdn.example/a.js"]
    assert loads("a.html", FREE[1]) == ["_static/a.js"]


@pytest.mark.parametrize("cell", [["rnn"], ["lstm", "--proj-size", "1"], ["gru", "--reset", "before"]])
def test_the_trace(cell, tmp_path, capsys):
    assert trace([*cell, "--html", str(tmp_path / "t.html")]) == 0
    assert list(outside(tmp_path)) == []


@pytest.mark.parametrize("name", PAGES)
def test_the_explorers(name):
    assert external(f"{name}.html", build(name, plain)) == []


def templates() -> list[Path]:
    return sorted(
        file for folder in ("parity_tests/judge", "benchmarks/report") for file in (ROOT / folder / "templates").glob("*.html*")
    )


def test_the_templates_of_the_reports_and_the_pictures_of_the_notes():
    assert templates()
    pictures = sorted((ROOT / "notes" / "figures").rglob("*.svg"))
    assert pictures
    for file in [*templates(), *pictures]:
        assert external(file.name, file.read_text(encoding="utf-8")) == [], file
