"""The explorer of attention: what its lines compute against the room's own lines, and what a reader does."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from reference.parts import attention

from ...labels import equations
from ..conftest import NAVIGATION, needs_node
from ..source import source
from . import EXAMPLE, FUNCTIONS

CASES = 120
PAGE = "explorer_attention"
# The name of a quantity on the page -> the variable in the room, or the place in what a function returns.
VARIABLES = {"h": "h", "g": "g", "u": "u", "e": "e", "w": "w", "dw": "dw", "dh, as values": "dh", "de": "de", "de, scaled": "de"}
VARIABLES |= {"dv": "dv", "da": "da", "dg": "dg", "dk": "dkeys"}
RETURNED = {"k": ("keys_forward", ()), "c": ("attend_forward", (0,)), "dW_q": ("attend_backward", (0, 0))}
RETURNED |= {"dq": ("attend_backward", (1,)), "dW_k": ("keys_backward", (0,)), "db": ("keys_backward", (1,))}
RETURNED |= {"dh, as keys": ("keys_backward", (2,)), "dh": ("backward", (2,))}


def watched(run):
    """(line, name) -> what the variable is after that line of the room; (function,) -> what it returns."""
    seen, last = {}, {}

    def local(frame, event, value):
        name = frame.f_code.co_name
        before = last.get(name)
        seen.update({(before, variable): np.copy(v) for variable, v in frame.f_locals.items() if isinstance(v, np.ndarray)})
        last[name] = frame.f_lineno
        if event == "return":
            seen[name,] = value
        return local

    def entered(frame, event, _):
        inside = frame.f_code.co_filename == attention.__file__ and frame.f_code.co_name in FUNCTIONS
        return local if inside else None

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        run()
    finally:
        sys.settrace(before)
    return seen


def problem(seed):
    """As the script takes it: the kind, and plain lists."""
    rng, kind = np.random.default_rng(seed), attention.KINDS[seed % 4]
    S, K = 1 + seed % 6, 1 + seed % 3
    A = 1 + seed % 5 if kind == "additive" else K
    Q = 1 + seed % 4 if kind in ("additive", "general") else K
    shapes = {"W_q": (A, Q), "W_k": (A, K), "b": (A,), "v": (A,)}
    names = {"additive": tuple(shapes), "general": ("W_q",)}.get(kind, ())
    mask = rng.random(S) < 0.7
    mask[rng.integers(S)] = True
    p = {name: rng.standard_normal(shapes[name]).tolist() for name in names}
    draw = {"q": rng.standard_normal(Q), "h": 2 * rng.standard_normal((S, K)), "mask": mask, "dc": rng.standard_normal(K)}
    return kind, {"p": p, **{name: v.tolist() for name, v in draw.items()}}


def run_room(kind, q):
    """The room on such a problem, watched: one query, one sequence."""
    p = attention.Params(**{name: np.array(v) for name, v in q["p"].items()})

    def run():
        mask, h = np.array(q["mask"])[:, None], np.array(q["h"])[:, None]
        _, w, k = attention.forward(p, np.array(q["q"])[None, None], h, mask, kind)
        attention.backward(np.array(q["dc"])[None, None], np.zeros_like(w), k)

    return watched(run)


@cache
def cases():
    large = {"p": {}, "q": [100.0], "h": [[10.0], [20.0]], "mask": [True, True], "dc": [1.0]}  # e to such a score is no number
    problems = [*(problem(seed) for seed in range(CASES)), ("dot", large)]
    return problems, [run_room(*one) for one in problems]


def compare(computed, seen):
    lines = {number: text for number, text in source(attention, FUNCTIONS) if number}
    for e in computed:
        name = e["name"]
        begins = [n for n, text in lines.items() if text.strip().startswith(e["code"].strip())]
        line = begins[-1]  # the softmax has two
        assert all(label in lines[n].partition("#")[2] for n in begins for label in e["labels"]), name
        if name in RETURNED:
            function, path = RETURNED[name]
            expected = seen[function,]
            for k in path:
                expected = expected[k]
            assert len(begins) == 1
        else:
            expected = seen[line, VARIABLES[name]]
        difference = np.abs(np.ravel(e["value"]) - np.ravel(expected)).max()
        assert difference <= 1e-13 * max(1, np.abs(expected).max()), (name, difference)


@needs_node
def test_the_script_computes_line_by_line_what_the_room_computes():
    given, expected = cases()
    program = (
        "const A = require(process.argv[1]), f = JSON.parse(require('fs').readFileSync(0));"
        "console.log(JSON.stringify(f.map(([kind, q]) => A.trace(kind, q))))"
    )
    script = str(Path(__file__).with_name("attention.js"))
    run = subprocess.run(["node", "-e", program, script], input=json.dumps(given), capture_output=True, text=True, check=True)
    for computed, seen in zip(json.loads(run.stdout), expected, strict=True):
        compare(computed, seen)


def test_the_page_is_one_file_and_holds_the_equations_of_the_note(built):
    assert "http" not in built
    assert "src=" not in built
    assert "<link" not in built
    held = json.loads(built.partition("const DATA = ")[2].partition(";</script>")[0])
    assert held["example"] == EXAMPLE
    assert list(held["equations"]) == [e.label for e in equations("parts/attention")]
    assert all(held["equations"].values())


def test_in_the_browser_every_quantity_of_every_case_is_that_of_the_room(page):
    given, expected = cases()
    computed = page.evaluate("given => given.map(([kind, q]) => Attention.trace(kind, q))", list(given))
    for one, seen in zip(computed, expected, strict=True):
        compare(one, seen)


def example(S=4, **changed):
    q = json.loads(json.dumps(EXAMPLE))
    return {**q, "h": q["h"][:S], "mask": q["mask"][:S], **changed}


def shown(page, name):
    """The numbers of a quantity in the tables."""
    tds = page.eval_on_selector_all(
        "td[data-key]", "tds => tds.map(td => [td.dataset.key.split('|')[0], td.innerText.trim().split(/\\s+/)])"
    )
    return [float(n.replace("−", "-")) for key, numbers in tds if key == name for n in numbers]


def params_of(kind, q):
    names = {"additive": ("W_q", "W_k", "b", "v"), "general": ("W_q",)}.get(kind, ())
    return {**q, "p": {name: q["p"][name] for name in names}}


def agrees(page, kind, q):
    """The tables, and the gradients under and in the names of the fields, are those of the room for this problem."""
    seen = run_room(kind, params_of(kind, q))
    (dp, dq, dh), (context, weights, _) = seen["backward",], seen["attend_forward",]
    for name, expected in {"w": weights, "c": context, "dq": dq, "dh": dh}.items():
        np.testing.assert_allclose(shown(page, name), np.ravel(expected), rtol=0, atol=5.1e-4, err_msg=name)
    under = {"q.0": dq[0, 0, 0], "h.1.1": dh[1, 0, 1]}
    if dp.W_q is not None:
        under["p.W_q.1.0"] = dp.W_q[1, 0]
    for path, expected in under.items():
        text = page.text_content(f'[data-grad="{path}"]')
        assert abs(float(text.replace("−", "-")) - expected) <= 5.1e-4
        assert text in page.get_attribute(f'[data-path="{path}"]', "aria-label")


@pytest.mark.parametrize("kind", attention.KINDS)
def test_a_number_changed_by_keyboard_moves_every_value_and_gradient(page, kind):
    page.select_option("#kind", kind)
    agrees(page, kind, example())
    page.focus('[data-path="h.1.0"]')
    page.keyboard.press("ArrowUp")
    h = example()["h"]
    h[1][0] += 0.1
    agrees(page, kind, example(h=h))
    page.focus("#scrub")  # the slider holds the number whose field was reached last
    page.keyboard.press("ArrowRight")
    h[1][0] += 0.01
    agrees(page, kind, example(h=h))
    page.select_option("#held", "dc.1")
    page.focus("#scrub")
    page.keyboard.press("Home")
    agrees(page, kind, example(h=h, dc=[0.6, -3.0]))


def test_padding_gets_no_weight_and_no_gradient_and_one_step_always_stays(page):
    page.uncheck('[data-mask="0"]')
    agrees(page, "additive", example(mask=[False, True, True, False]))
    page.uncheck('[data-mask="1"]')
    assert page.is_disabled('[data-mask="2"]')
    agrees(page, "additive", example(mask=[False, False, True, False]))
    page.check('[data-mask="3"]')
    assert page.is_enabled('[data-mask="2"]')
    page.uncheck('[data-mask="2"]')
    page.select_option("#S", "3")  # the step that was kept is gone
    assert page.is_checked('[data-mask="0"]')
    assert "NaN" not in page.text_content("main")


def test_the_memory_grows_and_a_change_of_kind_or_size_keeps_the_numbers(page):
    page.fill('[data-path="q.0"]', "2.5")
    page.select_option("#S", "5")
    page.select_option("#kind", "scaled")
    agrees(page, "scaled", example(5, q=[2.5, 1.4]))
    page.click("#draw")
    assert page.input_value('[data-path="q.0"]') != "2.5"
    page.click("#reset")
    agrees(page, "additive", example())


@pytest.mark.parametrize("kind", attention.KINDS)
def test_stepping_shows_label_line_and_arithmetic_of_every_quantity(page, kind):
    page.select_option("#kind", kind)
    while page.is_enabled("#before"):
        page.click("#before")
    seen = set()
    while True:
        seen.add(page.text_content("#name"))
        assert page.eval_on_selector_all("#code .lit", "lines => lines.length") in (1, 2)
        formula = page.text_content("#formula")
        assert "NaN" not in formula
        assert "undefined" not in formula
        words = page.text_content("#equation")
        assert len(words) > 20  # more than the label
        assert "undefined" not in words
        if page.is_disabled("#after"):
            break
        page.click("#after")
    assert len(seen) == page.evaluate("state.found.length")


def test_the_picture_chooses_a_quantity_and_the_number_for_the_slider(page):
    page.click('[data-name="e"][data-s="2"]')
    assert page.text_content("#name") == "e, s = 2"
    assert "A4" in page.text_content("#equation")
    page.click('[data-hold="h.1.1"]')
    assert page.input_value("#held") == "h.1.1"
    assert page.input_value("#scrub-value") == "1.1"
    assert "step 3 padding" in page.get_attribute("#diagram svg", "aria-label")
    page.uncheck("#gradients")
    assert page.query_selector("#diagram .grad") is None


def test_the_tables_are_walked_by_arrows(page):
    page.focus('#forward td[tabindex="0"]')
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.key").partition("|")[0] == "w"
    assert page.text_content("#name").startswith("α")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_everything_has_a_name(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    page.select_option("#S", "5")
    assert page.eval_on_selector_all("nav a", "as => as.map(a => a.getAttribute('href'))") == NAVIGATION
    for kind in attention.KINDS:
        page.select_option("#kind", kind)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        # The picture and the slider that moves it are in view together.
        page.evaluate("document.getElementById('diagram').scrollIntoView()")
        bottom = page.evaluate("document.getElementById('diagram').getBoundingClientRect().bottom")
        assert bottom <= page.evaluate("document.querySelector('.dock').getBoundingClientRect().top")
        inside = """ts => ts.every(t => {
            const own = t.getBoundingClientRect(), all = t.closest("svg").getBoundingClientRect();
            return own.left >= all.left - 1 && own.right <= all.right + 1;
        })"""
        assert page.eval_on_selector_all("#diagram text", inside)
        assert page.eval_on_selector_all("table", "ts => ts.every(t => t.caption && t.querySelector('th[scope]'))")
        assert page.eval_on_selector_all("th", "ts => ts.length && ts.every(t => t.textContent.trim())")
        named = "ns => ns.every(n => n.ariaLabel || n.labels?.length || n.textContent.trim())"
        assert page.eval_on_selector_all("input, select, button", named)
