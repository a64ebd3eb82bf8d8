"""What README.md and the notes show of the result files is what the files say."""

import re
from pathlib import Path

import pytest

from . import published
from .frame import GONE

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"<!--\[\[\[cog import cog; from benchmarks\.report import published; cog\.out\(published\.(.*?)\) \]\]\]-->\n"
    r"(.*?)<!--\[\[\[end\]\]\]-->",
    re.S,
)
BLOCKS = [
    (file, call, shown)
    for file in ("README.md", "notes/benchmarks.md")
    for call, shown in BLOCK.findall((ROOT / file).read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("file", "call", "shown"), BLOCKS, ids=lambda v: v if len(v) < 40 else "text")
def test_computed_parts_are_current(file, call, shown):
    """If not: ``cog -r README.md notes/benchmarks.md``."""
    name, argument = re.fullmatch(r'(\w+)\((?:"(.*)")?\)', call).groups()
    assert getattr(published, name)(*filter(None, [argument])) == shown


def test_every_part_is_there():
    assert [call for _, call, _ in BLOCKS] == ["readme()", *(f'ratios("{name}")' for name in published.MACHINES), "limits()"]


@pytest.mark.parametrize("name", published.MACHINES)
def test_figures_are_current_and_small(name, tmp_path, monkeypatch):
    monkeypatch.setattr(published, "FIGURES", tmp_path)
    monkeypatch.setattr(published, "MACHINES", (name,))
    published.main()
    (drawn,) = tmp_path.iterdir()
    kept = ROOT / "notes" / "figures" / drawn.name
    assert kept.stat().st_size < 64_000
    assert b"<text" in kept.read_bytes()
    assert letters(kept) == letters(drawn)


def letters(file):
    """What can be read in a picture; where a line ends may differ from one version of matplotlib to the next."""
    return re.findall(r">([^<>\s][^<>]*)</text>", file.read_text(encoding="utf-8"))


def test_what_is_gone_is_in_the_files_and_not_shown():
    files, rows = published.measured("epyc-2")
    assert {row["implementation"] for row in files[0][1]["rows"]} & set(GONE)
    assert not set(rows.implementation) & set(GONE)
    assert not any(name in (ROOT / file).read_text(encoding="utf-8") for name in GONE for file, *_ in BLOCKS)


@pytest.mark.slow
def test_every_machine_has_a_page():
    pages = dict(published.pages())
    assert list(pages) == [f"measured-{name}" for name in published.MACHINES]
    assert all("One core against two" in page and "<svg" in page for page in pages.values())
