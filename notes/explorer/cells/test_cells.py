"""The explorer of the cells: its recurrences against NumPy on random cases, under node and in Chromium, and what a reader does."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ...trace import ROOMS, problem, trace
from ..conftest import REQUIRED
from . import EXAMPLE, KINDS, plain_problem

CASES = 120
PAGE = "explorer"
needs_node = pytest.mark.skipif(not REQUIRED and not shutil.which("node"), reason="node is not installed")


def drawn():
    """(cell, problem) for the scripts and the trace of the same problem, of many sizes."""
    for seed in range(CASES):
        cell, options = list(KINDS.values())[seed % len(KINDS)]
        q = problem(ROOMS[cell], T=1 + seed % 6, I=1 + seed % 3, H=1 + seed % 4, seed=seed, **options)
        yield [cell, plain_problem(q)], trace(ROOMS[cell], q)


@cache
def cases():
    return list(zip(*drawn(), strict=True))


def compare(computed, expected):
    """Every quantity under its name, in the order of computation, equal to the last digits."""
    assert [(v["verb"], v["t"], v["name"], tuple(v["labels"])) for v in computed] == [one.key for one in expected]
    for v, one in zip(computed, expected, strict=True):
        difference = np.abs(np.ravel(v["value"]) - one.value.ravel()).max()
        assert difference <= 1e-13 * max(1, np.abs(one.value).max()), (one.key, difference)


@needs_node
def test_the_scripts_compute_what_numpy_computes():
    given, expected = cases()
    program = (
        "const C = require(process.argv[1]), f = JSON.parse(require('fs').readFileSync(0));"
        "console.log(JSON.stringify(f.map(([cell, q]) => C.trace(cell, q))))"
    )
    run = subprocess.run(
        ["node", "-e", program, str(Path(__file__).with_name("recurrences.js"))],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    for computed, one in zip(json.loads(run.stdout), expected, strict=True):
        compare(computed, one)


def test_the_page_is_one_file_and_says_what_the_trace_says(built):
    assert "http" not in built.replace("http-equiv", "")
    assert "src=" not in built
    assert "<link" not in built
    for name, (cell, options) in KINDS.items():
        expected = trace(ROOMS[cell], problem(ROOMS[cell], **EXAMPLE, **options))
        assert json.loads(built.partition("const DATA = ")[2].partition(";</script>")[0])["kinds"][name]["info"].keys() == {
            "|".join((one.verb, one.name.partition("[")[0], " ".join(one.labels))) for one in expected
        }


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def test_in_the_browser_every_quantity_of_every_case_is_numpys(page):
    given, expected = cases()
    for computed, one in zip(
        page.evaluate("given => given.map(([cell, q]) => Cells.trace(cell, q))", list(given)), expected, strict=True
    ):
        compare(computed, one)


@pytest.mark.parametrize("name", KINDS)
def test_a_number_changed_by_keyboard_moves_every_value_and_gradient(page, name):
    cell, options = KINDS[name]
    page.select_option("#kind", name)
    page.focus('[data-path="p.W_hh.1.0"]')
    page.keyboard.press("ArrowUp")
    q = problem(ROOMS[cell], **EXAMPLE, **options)
    q.p.W_hh[1, 0] += 0.1
    expected = {"|".join((o.verb, str(o.t), o.name, " ".join(o.labels))): o.value for o in trace(ROOMS[cell], q)}
    shown = "tds => tds.map(td => [td.dataset.key, [...td.children].map(s => s.textContent)])"
    cells = page.eval_on_selector_all("td[data-key]", shown)
    assert len(cells) == sum("|None|" not in key for key in expected)
    for key, shown in cells:
        assert np.allclose([number(v) for v in shown], expected[key].ravel(), rtol=0, atol=5.1e-4), key
    gradient = page.text_content('[data-grad="p.W_hh.1.0"]')
    dW = next(v for key, v in expected.items() if "|dW_hh|" in key)
    assert abs(number(gradient) - dW[1, 0]) <= 5.1e-4
    assert gradient in page.get_attribute('[data-path="p.W_hh.1.0"]', "aria-label")


def test_a_projection_needs_more_units_than_it_leaves(page):
    page.select_option("#H", "1")
    page.select_option("#kind", "lstm-proj")
    assert page.input_value("#H") == "2"
    assert page.eval_on_selector("#H option:first-child", "option => option.disabled")
    page.select_option("#H", "3")
    q = page.evaluate("state.q")
    assert (np.shape(q["p"]["W_hr"]), np.shape(q["p"]["W_hh"]), np.shape(q["dy"])) == ((1, 3), (12, 1), (3, 1))
    assert "NaN" not in page.text_content("main")
    page.select_option("#kind", "rnn")
    assert not page.eval_on_selector("#H option:first-child", "option => option.disabled")
    assert page.query_selector("#projection table") is None


def test_the_slider_moves_the_number_that_was_chosen(page):
    page.click('[data-path="dy.0.0"]')
    before = page.text_content('[data-grad="x.0.0"]')
    page.focus("#scrub")
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    assert page.input_value('[data-path="dy.0.0"]') == "-0.4"
    assert page.text_content('[data-grad="x.0.0"]') != before


@pytest.mark.parametrize("name", KINDS)
def test_stepping_shows_one_equation_after_the_other(page, name):
    page.select_option("#kind", name)
    page.click("#start")
    assert page.is_disabled("#before")
    assert set(page.eval_on_selector_all("td[data-key]", "tds => tds.map(td => td.textContent)")) == {"·"}
    seen, n = [], int(page.get_attribute("#at", "max"))
    for _ in range(n):
        page.click("#after")
        label = page.text_content("#equation")
        lit = page.eval_on_selector_all("#code .lit", "lines => lines.map(l => l.textContent)")
        assert len(lit) == 1
        assert label
        seen.append(page.text_content("#now"))
    assert len(set(seen)) == n
    assert page.is_disabled("#after")
    assert "·" not in page.eval_on_selector_all("td[data-key]", "tds => tds.map(td => td.textContent)")


def test_the_tables_are_walked_by_arrows_and_the_line_is_lit(page):
    page.focus('#forward td[tabindex="0"]')
    for _ in range(8):
        page.keyboard.press("ArrowDown")
    assert page.text_content("#name") == "c, t = 0"
    assert "f * c + i * g" in page.text_content("#code .lit")
    assert "L3" in page.text_content("#equation")
    assert page.eval_on_selector_all('#forward td[tabindex="0"]', "tds => tds.length") == 1
    page.hover('g.node[data-keys*="|1|o|"]')
    assert page.text_content("#name").endswith("o, t = 1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_everything_has_a_name(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.eval_on_selector_all("table", "ts => ts.every(t => t.caption && t.querySelector('th[scope]'))")
    page.select_option("#kind", "lstm-proj")  # has one table more
    assert page.eval_on_selector_all("th", "ts => ts.length && ts.every(t => t.textContent.trim())")
    named = "ns => ns.every(n => n.ariaLabel || n.labels?.length || n.textContent.trim())"
    assert page.eval_on_selector_all("input, select, button", named)
