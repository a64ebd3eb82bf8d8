"""What README.md and the notes show of the result files is what the files say."""

import re
from pathlib import Path

import pytest

from ..what.presets import PRESETS
from . import published
from .frame import LIBRARY, load
from .test_command import case, result, row

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"<!--\[\[\[cog import cog; from benchmarks\.report import published; cog\.out\(published\.(.*?)\) \]\]\]-->\n"
    r"(.*?)<!--\[\[\[end\]\]\]-->",
    re.S,
)
BLOCKS = [
    (file, call, shown)
    for file in ("README.md", "README.zh.md", "notes/benchmarks.md")
    for call, shown in BLOCK.findall((ROOT / file).read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("file", "call", "shown"), BLOCKS, ids=lambda v: v if len(v) < 40 else "text")
def test_computed_parts_are_current(file, call, shown):
    """If not: ``cog -r README.md README.zh.md notes/benchmarks.md``."""
    name, argument = re.fullmatch(r'(\w+)\((?:"(.*)")?\)', call).groups()
    assert getattr(published, name)(*filter(None, [argument])) == shown


def test_every_part_is_there():
    assert [call for _, call, _ in BLOCKS] == ["readme()", "readme()", "machines()", "reached()", "limits()", "exponents()"]
    assert published.SHOWN in published.MACHINES
    (page,) = (shown for _, call, shown in BLOCKS if call == "machines()")
    assert re.findall("^### (.*)", page, re.M) == list(published.MACHINES)


def test_no_picture_is_of_a_machine_that_is_gone():
    pictures = {path.name for path in (ROOT / "notes" / "figures").glob("*-cpu-float32-ratio.svg")}
    assert pictures == {f"{name}-cpu-float32-ratio.svg" for name in published.MACHINES}


@pytest.fixture
def tables_of(monkeypatch):
    """The blocks of a machine that does not exist: (text, [lines of each table, by implementation])."""

    def made(*files):
        files = [(f"{i}.json", content) for i, content in enumerate(files)]
        monkeypatch.setattr(published, "measured", lambda name: (files, load(files)))
        text = published.ratios("box")
        blocks = [block for block in text.split("\n\n") if block.startswith("| implementation")]
        return text, [dict(re.findall(r"^\| ([\w.]+) \| (.*) \|$", block, re.M)[1:]) for block in blocks]

    return made


def file(preset, factor, phases=("forward", "train"), threads=4, started="2031-02-03T04:05:06Z"):
    """A file of a preset, in which each implementation takes so many times what the library does, or as a function says."""
    sizes = dict.fromkeys((c.T, c.B, c.hidden_size) for c in PRESETS[preset].configs)
    rows = []
    for T, B, H in sizes:
        for phase in ("forward", "train"):
            rows.append(row(case(T, B, H), LIBRARY, 1e-3, phase))
            for name, times in factor.items():
                if phase in phases:
                    rows.append(row(case(T, B, H), name, 1e-3 * (times(H) if callable(times) else times), phase))
    made = result(rows, preset) | {"started": started}
    made["environment"]["torch_threads"] = threads
    return made


def test_who_was_timed_on_fewer_sizes_stands_in_a_block_over_those(tables_of):
    """Everybody does, so that no column has means over different sizes."""
    grid = file("grid", {"numpy": lambda H: 2.0 if H in (32, 64) else 8.0})
    text, (eight, three) = tables_of(grid, file("quick", {"others": 4.0, "numpy": 9.0}, ("forward",)))
    assert "over three of these sizes, T20 B1 H32, T50 B16 H64, T100 B32 H128, at which" in text
    assert list(eight) == ["numpy"]
    assert list(three) == ["numpy", "others"]
    mean = (2.0**3 * 8.0**5) ** (1 / 8)  # H = 64 is there twice
    assert eight["numpy"].startswith(f"**{mean:.2f}×** (2.00 – 8.00)")
    assert three["numpy"].startswith(f"**{(2 * 2 * 8) ** (1 / 3):.2f}×** (2.00 – 8.00)")  # the grid's, not 9
    assert three["others"] == "**4.00×** (4.00 – 4.00) | –"


def test_one_block_if_everybody_was_timed_on_all_sizes(tables_of):
    others = file("grid", {"others": 4.0}, started="2031-02-09T04:05:06Z")
    others["environment"]["strangers"] = {"others": "Others 1.0, 3 threads"}
    text, (eight,) = tables_of(file("grid", {"numpy": 2.0}), others)
    assert list(eight) == ["numpy", "others"]
    assert "others: Others 1.0, 3 threads." in text
    assert "2031-02-03 to 2031-02-09" in text


def test_the_readme_has_one_table(tables_of):
    """Of those that were timed on the whole grid, with what the libraries among them say of themselves."""
    others, fewer = file("grid", {"others": 4.0}), file("quick", {"fewer": 4.0})
    for content, name in ((others, "others"), (fewer, "fewer")):
        content["environment"]["strangers"] = {name: f"{name} 1.0"}
    tables_of(file("grid", {"numpy": 2.0}), others, fewer)
    text = published.readme()
    assert re.findall(r"^\| ([\w.]+) \|", text, re.M) == ["implementation", "numpy", "others"]
    assert "others: others 1.0." in text
    assert "fewer" not in text


def test_how_near_the_limit_is_said_size_by_size(tables_of):
    tables_of(file("grid", {published.COMPILED: lambda H: 2.0 if H == 32 else 0.5}))
    lines = [line.split(" | ") for line in published.reached().splitlines()[2:] if line]
    assert len(lines) == 8
    assert [line[0][2:] for line in lines if "2.00×" in line[1]] == ["T20 B1 H32"]
    assert all(len(line) == 7 and "%" in line[2] for line in lines)


def test_no_table_mixes_numbers_of_threads(tables_of):
    alone = file("grid", {"others": 4.0}, threads=1)
    alone["environment"]["strangers"] = {"others": "Others 1.0, 1 thread"}
    text, (eight,) = tables_of(file("grid", {"numpy": 2.0}), alone)
    assert list(eight) == ["numpy"]
    assert "Others" not in text


@pytest.mark.slow
def test_every_machine_has_a_page():
    pages = dict(published.pages())
    assert list(pages) == [f"measured-{name}" for name in published.MACHINES]
    assert all("One core against two" in page and "<svg" in page for page in pages.values())
