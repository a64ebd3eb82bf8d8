"""What the pages say on the day there are files of a GPU, by files of one that does not exist."""

import json
import re
from pathlib import Path

import pytest

from ..report.command import main as report
from ..report.frame import LIBRARY, load
from ..report.test_command import case, result, row
from ..run import results
from . import crossing, keep, pages, rows
from .timed import COARSE_B, COARSE_H

ROOT = Path(__file__).parents[2]
GPU = "Fictional Accelerator"
SIZES = ((20, 1, 32), (50, 16, 64), (100, 32, 128))
BLOCK = re.compile(
    r"<!--\[\[\[cog import cog; from benchmarks\.gpu import pages; cog\.out\(pages\.(\w+)\(\)\) \]\]\]-->\n(.*?)<!--\[\[\[end", re.S
)
BLOCKS = [
    (file, call, shown)
    for file in ("README.md", "notes/benchmarks.md")
    for call, shown in BLOCK.findall((ROOT / file).read_text(encoding="utf-8"))
]


def grid():
    """cuDNN takes 1 ms times the size's number, the loop four times as long, the graph half as long as the loop."""
    ways = ((LIBRARY, 1, "cuDNN persist"), ("torch.hoisted", 4, "native"), ("torch.graphed", 2, "CUDA graph"))
    made = [
        row(case(T, B, H, cell, dtype=dtype, device="cuda"), name, 1e-3 * n * factor, phase, kernel=kernel)
        for dtype in ("float32", "tf32")
        for cell in ("rnn", "lstm", "gru")
        for phase in ("forward", "train")
        for n, (T, B, H) in enumerate(SIZES, 1)
        for name, factor, kernel in ways
    ]
    return result(made, "quick", gpu=GPU)


def crossover():
    """The CPU takes B · H µs, the GPU 1 ms."""
    made = [
        row(case(50, B, H, cell, device=device), LIBRARY, B * H * 1e-6 if device == "cpu" else 1e-3)
        for cell in ("lstm", "gru")
        for B in COARSE_B
        for H in COARSE_H
        for device in ("cpu", "cuda")
    ]
    return result(made, "crossover", gpu=GPU)


def judged(piece, gpu=GPU):
    own = {"machine": {"gpu": gpu and {"name": gpu}}, "environment": {}, "whole": True}
    lines = [
        {"implementation": LIBRARY, "dtype": dtype, "case": f"{n}", "status": status, "parity": parity}
        for dtype in (("float32",) if piece == "parity" else ("tf32", "bfloat16"))
        for n, (status, parity) in enumerate((("ok", 0.25), ("ok", 0.5), ("wrong", 3.0), ("declined", None)))
    ]
    return {"format": rows.FORMAT, "version": rows.VERSION, "piece": piece} | own | {"rows": lines}


@pytest.fixture
def brought(tmp_path, monkeypatch):
    """The folder of a call, and an empty folder for results."""
    monkeypatch.setattr(pages, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(keep, "RESULTS", tmp_path / "results")
    pages.measured.cache_clear()
    for folder in ("results", "figures", "brought"):
        (tmp_path / folder).mkdir()
    files = {
        "grid": grid(),
        "crossover": crossover(),
        "parity": judged("parity"),
        "low": judged("low"),
        "machine": judged("machine"),
    }
    for name, content in files.items():
        (tmp_path / "brought" / f"{name}.json").write_text(json.dumps(content))
    yield tmp_path / "brought"
    pages.measured.cache_clear()


@pytest.fixture
def kept(brought):
    assert keep.main([str(brought), "imaginary"]) == 0
    return pages.RESULTS


@pytest.mark.parametrize(("file", "call", "shown"), BLOCKS, ids=lambda v: v if len(v) < 40 else "text")
def test_computed_parts_are_current(file, call, shown):
    """If not: ``make figures``."""
    assert getattr(pages, call)() == shown


def test_every_part_is_there():
    assert [(file, call) for file, call, _ in BLOCKS] == [
        ("README.md", "readme"),
        ("notes/benchmarks.md", "said"),
        ("notes/benchmarks.md", "sections"),
    ]


def test_without_files_there_is_a_sentence_and_nothing_else(brought):
    assert pages.gpus() == []
    assert pages.said() == pages.NONE + "\n"
    assert pages.sections() == pages.readme() == ""


def test_a_machine_without_a_gpu_is_none(brought):
    (pages.RESULTS / "plain").mkdir()
    (pages.RESULTS / "plain" / "plain.json").write_text(json.dumps(result([row(case(), LIBRARY, 1e-3)])))
    assert pages.gpus() == []


def test_files_are_kept_under_the_names_that_the_pages_know(kept):
    found = sorted(path.relative_to(kept).as_posix() for path in kept.rglob("*.json*"))
    assert found == [
        "imaginary/imaginary-crossover.json.gz",
        "imaginary/imaginary.json.gz",
        "imaginary/judged/low.json",
        "imaginary/judged/machine.json",
        "imaginary/judged/parity.json",
    ]
    assert results.read(kept / "imaginary" / "imaginary.json.gz")["preset"] == "quick"
    assert pages.gpus() == ["imaginary"]


def test_nothing_is_kept_of_a_rehearsal_or_over_what_is_there(brought, capsys):
    assert keep.main([str(brought), "imaginary"]) == 0
    assert keep.main([str(brought), "imaginary"]) == 2
    assert keep.main([str(brought), "imaginary", "--overwrite"]) == 0
    (brought / "parity.json").write_text(json.dumps(judged("parity", gpu=None)))
    assert keep.main([str(brought), "other"]) == 2
    assert "was made without a GPU" in capsys.readouterr().err
    assert not (pages.RESULTS / "other").exists()
    assert keep.main([str(brought.parent / "figures"), "other"]) == 2


def test_the_note_has_every_part(kept):
    text = pages.sections()
    heads = re.findall(r"^#+ .*", text, re.M)
    assert heads == ["## On a GPU", "### imaginary", "#### CPU against CUDA", "#### cuDNN against loops", "#### Record a graph"]
    assert "imaginary" in pages.said() and "#on-a-gpu" in pages.said()
    assert "| torch.hoisted | **4.00×**" in text
    assert f"{LIBRARY} (cuDNN persist)" in text
    assert "| tf32 | **0.50×** (0.50 – 0.50)" in text
    assert "| 256 | CUDA **4.10×** | CUDA **33×** | CUDA **131×** |" in text
    assert "| torch.library | 2 of 3, 0.50 | 2 of 3, 0.50 | 2 of 3, 0.50 |" in text
    assert "](figures/imaginary-crossover-cuda-float32-crossover.svg)" in text


def test_the_readme_has_a_table_and_a_picture(kept):
    text = pages.readme()
    assert text.count("Fictional Accelerator") == 1
    assert "| torch.graphed | **2.00×**" in text
    assert "](notes/figures/imaginary-crossover-cuda-float32-crossover.svg)" in text


def test_every_picture_that_is_shown_is_drawn(kept):
    shown = set(re.findall(r"figures/([\w-]+)\.svg", pages.sections() + pages.readme()))
    assert shown == {plot.name for plot in pages.drawn()}
    assert len(shown) == 2


def test_the_gain_is_that_of_the_fastest_of_each_device():
    made = crossover()
    slow = [row(r["case"], "torch.hoisted", 9.0) for r in made["rows"]]
    frame = crossing.crossed(load([("a.json", made | {"rows": made["rows"] + slow})]))
    assert len(frame) == 2 * len(COARSE_B) * len(COARSE_H)
    (line,) = frame[(frame.kind == "gru") & (frame.B == 256) & (frame.hidden_size == 512)].to_dict("records")
    assert line["gain"] == pytest.approx(131.072)
    assert line["where"] == f"Imaginary 9000, 4 cores against {GPU}"


def test_one_device_makes_no_picture():
    made = crossover()
    made["rows"] = [r for r in made["rows"] if r["case"]["device"] == "cpu"]
    assert not list(crossing.draw(load([("a.json", made)])))


def test_a_report_has_the_picture(kept, tmp_path):
    assert report([str(kept / "imaginary" / "imaginary-crossover.json.gz"), "--out", str(tmp_path / "out")]) == 0
    assert crossing.TITLE in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
