"""What a reader does in the explorer of the cells."""

import numpy as np
import pytest

from ...trace import ROOMS, problem, trace
from ..conftest import NAVIGATION
from . import EXAMPLE, KINDS

PAGE = "explorer"


def number(text: str) -> float:
    return float(text.replace("−", "-"))


@pytest.mark.parametrize("name", KINDS)
def test_a_number_changed_by_keyboard_moves_every_value_and_gradient(page, name):
    cell, options = KINDS[name]
    page.click("#end")
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


def test_the_dock_moves_the_number_that_was_chosen(page):
    page.click("#end")
    page.click('[data-path="dy.0.0"]')
    before = page.text_content('[data-grad="x.0.0"]')
    page.focus("#scrub")
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    assert page.input_value('[data-path="dy.0.0"]') == page.input_value("#scrub-value") == "-0.4"
    assert page.text_content('[data-grad="x.0.0"]') != before
    page.fill("#scrub-value", "-0.7")
    assert page.input_value('[data-path="dy.0.0"]') == page.input_value("#scrub") == "-0.7"
    assert page.text_content('[data-grad="x.0.0"]') == before
    page.select_option("#held", label="c_0 2")
    assert page.input_value("#scrub-value") == "-0.9"
    page.click('[data-hold="x.1.0"]')
    assert page.input_value("#held") == "x.1.0"


def test_it_opens_at_the_first_equation(page):
    assert page.text_content("#now").startswith("1 of 33 · forward")
    assert page.text_content("#equation").startswith("L1")
    assert set(page.eval_on_selector_all("td[data-key]", "tds => tds.map(td => td.textContent)")) == {"·"}
    assert page.input_value("#held") == "x.0.0"


SEEN = """() => [state.q, state.T, state.H, state.at, Dock.path, $('scrub').value, $('scrub-value').value, $('now').textContent,
    $('T').value, $('H').value, [...document.querySelectorAll('[data-path]')].map(f => f.value)]"""


def test_the_example_of_the_notes_restores_everything(page):
    opened = page.evaluate(SEEN)
    page.fill('[data-path="p.W_hh.1.0"]', "2")
    page.select_option("#T", "5")
    page.select_option("#H", "3")
    page.click("#draw")
    page.click("#end")
    page.fill('[data-path="x.3.0"]', "1.5")
    assert page.evaluate(SEEN) != opened
    page.click("#reset")
    assert page.evaluate(SEEN) == opened
    assert page.text_content("#status") == "LSTM: the example of the notes. Your change is gone."


def test_switching_keeps_what_has_a_place_and_says_what_has_none(page):
    page.fill('[data-path="x.1.0"]', "2.5")
    page.fill('[data-path="s.c.1"]', "1.5")
    page.fill('[data-path="p.W_ih.2.0"]', "0.25")
    page.select_option("#kind", "gru")
    said = page.text_content("#status")
    assert said.startswith("GRU, reset after: the example of the notes. Kept: x at t = 1. Set aside until there is a place for it:")
    assert said.endswith(": c_0, unit 2; W_ih, row f1 (LSTM).")
    assert page.input_value('[data-path="x.1.0"]') == "2.5"
    page.fill('[data-path="p.W_ih.2.0"]', "0.75")
    page.select_option("#kind", "gru-before")  # the same weights in the other definition
    assert page.input_value('[data-path="p.W_ih.2.0"]') == "0.75"
    page.select_option("#kind", "lstm")
    shown = [page.input_value(f'[data-path="{path}"]') for path in ("x.1.0", "s.c.1", "p.W_ih.2.0")]
    assert shown == ["2.5", "1.5", "0.25"]
    assert "W_ih, row z1 (GRU, reset after)" in page.text_content("#status")
    page.select_option("#T", "1")
    assert "a place for it: x at t = 1" in page.text_content("#status")
    page.select_option("#T", "4")
    assert page.input_value('[data-path="x.1.0"]') == "2.5"
    assert page.input_value('[data-path="p.W_ih.2.0"]') == "0.25"


def test_more_steps_leave_the_other_numbers(page):
    before = page.evaluate("copy(state.q)")
    page.select_option("#T", "5")
    after = page.evaluate("state.q")
    assert (after["p"], after["s"], after["x"][:3], after["dy"][:3]) == (before["p"], before["s"], before["x"], before["dy"])
    assert all(v for row in after["x"] + after["dy"] for v in row)


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
    assert page.eval_on_selector_all("nav a", "as => as.map(a => a.getAttribute('href'))") == NAVIGATION
    named = "ns => ns.every(n => n.ariaLabel || n.labels?.length || n.textContent.trim())"
    assert page.eval_on_selector_all("input, select, button", named)


def test_the_theme_is_the_systems_or_the_one_chosen_on_the_site(page):
    ground = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(ground)
    assert light != dark
    for chosen, expected in (("light", light), ("dark", dark), ("auto", dark)):
        page.evaluate("theme => localStorage.setItem('theme', theme)", chosen)
        page.reload()
        assert page.evaluate(ground) == expected
