"""The explorer of sampling: every stage and every draw against NumPy, and what a reader does."""

import json
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from reference.common import sampling

from ..conftest import NAVIGATION, needs_node
from ..source import source
from . import DRAWS, FUNCTIONS, LABELS, SEEDS, TIES, places, uniforms

PAGE = "explorer_sampling"
PLACES = [*places(), TIES]


@cache
def cases():
    """(logits, temperature, k, p, u): random ones of many sizes, some with ties, and the edges on every place of the page."""
    found = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        z = 3 * rng.standard_normal(1 + seed % 40)
        z = np.round(z) if seed % 3 == 0 else z
        temperature = [0, 0.01, 0.3, 1, 2.5, 40][seed % 6]
        k = None if seed % 4 == 0 else int(rng.integers(1, 45))
        p = None if seed % 5 == 0 else float(rng.uniform(0.01, 1))
        found.append((z.tolist(), temperature, k, p, [*rng.random(20).tolist(), 0.0, 1 - 2.0**-53]))
    for place in PLACES:
        for temperature, k, p in [
            (0, None, None),
            (1e-300, None, None),
            (1, 1, None),
            (1, None, 1.0),
            (0.7, 1000, 0.9),
            (1.3, 2, 0.5),
        ]:
            found.append((place["logits"], temperature, k, p, uniforms()[1]))
    return found


def expected(z, temperature, k, p, us):
    """log p after each stage that is asked for, and a token for each u: the library's own functions."""
    after = [sampling.log_probabilities(z, temperature or 1), sampling.log_probabilities(z, temperature, k)]
    after.append(sampling.log_probabilities(z, temperature, k, p))
    asked = [True, temperature == 0 or k is not None, p is not None]
    stages = [[label, log_p] for label, log_p, on in zip(LABELS, after, asked, strict=False) if on]
    log_p = stages[-1][1]
    drawn = sampling.choose(np.broadcast_to(np.exp(log_p), (len(us), len(z))), np.array(us))
    return stages, np.full(len(us), log_p.argmax()) if temperature == 0 else drawn


def compare(case, computed):
    stages, drawn = expected(*case)
    assert [label for label, _ in computed["stages"]] == [label for label, _ in stages]
    for (label, log_p), (_, right) in zip(computed["stages"], stages, strict=True):
        ours = np.array([-np.inf if v is None else v for v in log_p])  # JSON has no infinity
        assert (np.isfinite(ours) == np.isfinite(right)).all(), label
        kept = np.isfinite(right)
        np.testing.assert_allclose(ours[kept], right[kept], rtol=1e-13, atol=1e-13)
    assert (drawn == computed["drawn"]).all()
    p = np.exp(stages[-1][1])
    bits = -(p * np.where(p > 0, stages[-1][1], 0)).sum() / np.log(2)
    assert abs(computed["entropy"] - bits) < 1e-12


RUN = """([z, temperature, k, p, us]) => {
    const stages = Sampling.stages(z, temperature, k, p), last = stages.at(-1)[1];
    const finite = ([label, log_p]) => [label, log_p.map(n => (n === -Infinity ? null : n))];
    return {stages: stages.map(finite), drawn: Sampling.draw(last, temperature, us), entropy: Sampling.entropy(last)};
}"""


@needs_node
def test_the_script_computes_what_the_library_computes():
    program = (
        f"const Sampling = require(process.argv[1]), f = JSON.parse(require('fs').readFileSync(0));"
        f"console.log(JSON.stringify(f.map({RUN})))"
    )
    script = str(Path(__file__).with_name("sampling.js"))
    run = subprocess.run(["node", "-e", program, script], input=json.dumps(cases()), capture_output=True, text=True, check=True)
    for case, computed in zip(cases(), json.loads(run.stdout), strict=True):
        compare(case, computed)


def test_in_the_browser_too(page):
    for case, computed in zip(cases(), page.evaluate(f"cases => cases.map({RUN})", cases()), strict=True):
        compare(case, computed)


def test_the_page_is_one_file_with_the_draws_of_the_library(built):
    assert "http" not in built
    assert "src=" not in built
    assert "<link" not in built
    held = json.loads(built.partition("const DATA = ")[2].partition(";</script>")[0])
    assert list(held["equations"]) == list(LABELS)
    for label in LABELS:
        assert sum(text.endswith(f"# {label}") for _, text in source(sampling, FUNCTIONS)) == 1
    for seed in range(SEEDS):
        z = np.tile(held["places"][0]["logits"], (DRAWS, 1))
        drawn = sampling.sample(z, np.random.default_rng(seed), 0.7, None, 0.9)
        _, right = expected(z[0], 0.7, None, 0.9, held["uniforms"][seed])
        assert (drawn == right).all()


def number(text):
    return float(text.replace("−", "-"))


def agrees(page, place, temperature, k, p, seed):
    """Bars, steps and draws are those of the library for these settings."""
    z = np.array(PLACES[place]["logits"])
    first, log_p = sampling.log_probabilities(z, temperature or 1), sampling.log_probabilities(z, temperature, k, p)
    drawn = sampling.sample(np.tile(z, (DRAWS, 1)), np.random.default_rng(seed), temperature, k, p)
    rows = page.eval_on_selector_all(
        "#bars tr[data-token]", "rows => rows.map(r => [r.dataset.token, ...[...r.cells].slice(2).map(c => c.innerText)])"
    )
    assert [int(row[0]) for row in rows] == np.argsort(-first, kind="stable")[: len(rows)].tolist()
    for token, before, final, count in rows:
        assert abs(number(before) - 100 * np.exp(first[int(token)])) < 0.051
        assert (final == "cut") == (log_p[int(token)] == -np.inf)
        assert final == "cut" or abs(number(final) - 100 * np.exp(log_p[int(token)])) < 0.051
        assert int(count) == (drawn == int(token)).sum()
    kept, mass, bits, perplexity = page.eval_on_selector(
        "#stages tbody tr:last-child", "row => [...row.cells].slice(1).map(c => c.innerText)"
    )
    on = np.isfinite(log_p)
    entropy = -(np.exp(log_p[on]) * log_p[on]).sum() / np.log(2)
    assert int(kept) == on.sum()
    assert abs(number(mass.removeprefix("in all ")) - 100 * np.exp(first[on]).sum()) < 0.0051
    assert abs(number(bits) - entropy) < 0.00051
    assert abs(number(perplexity) - 2**entropy) < 0.0051
    marks = {"\n": "↵", " ": "␣"}
    symbols = PLACES[place]["symbols"]
    assert page.text_content("#drawn") == "".join(marks.get(symbols[t], symbols[t]) for t in drawn)


def test_sliders_move_bars_steps_and_draws(page):
    agrees(page, 0, 0.7, None, 0.9, 0)
    page.focus("#tau")
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    agrees(page, 0, 1.0, None, 0.9, 0)
    page.check("#use-k")
    page.fill('[data-of="k"]', "5")
    agrees(page, 0, 1.0, 5, 0.9, 0)
    page.focus("#p")
    page.keyboard.press("Home")
    agrees(page, 0, 1.0, 5, 0.01, 0)
    page.uncheck("#use-p")
    page.click("#draw")
    page.click("#draw")
    agrees(page, 0, 1.0, 5, None, 2)
    assert "seed 2" in page.text_content("#seed")
    page.select_option("#place", "3")
    agrees(page, 3, 1.0, 5, None, 2)


def test_what_is_out_of_range_changes_nothing(page):
    page.check("#use-k")
    for name, wrong in {"k": ("0", "1.5", ""), "p": ("0", "1.2", ""), "tau": ("-1", "")}.items():
        for text in wrong:
            page.fill(f'[data-of="{name}"]', text)
            agrees(page, 0, 0.7, 10, 0.9, 0)
        page.dispatch_event(f'[data-of="{name}"]', "change")
        assert page.input_value(f'[data-of="{name}"]') == {"k": "10", "p": "0.9", "tau": "0.7"}[name]


@pytest.mark.parametrize(
    ("edge", "settings"),
    [
        ("τ = 0", (0, 0, None, None)),
        ("τ → 0", (0, 0.01, None, None)),
        ("k = 1", (0, 1, 1, None)),
        ("p = 1", (0, 1, None, 1.0)),
        ("equal logits", (len(PLACES) - 1, 1, 2, None)),
    ],
)
def test_the_edges_are_the_librarys(page, edge, settings):
    page.click(f'[data-edge="{edge}"]')
    agrees(page, *settings, 0)
    assert len(page.text_content("#said")) > 60
    assert page.text_content("#name").startswith({"τ → 0": "P1", "p = 1": "P3"}.get(edge, "P2"))
    page.click("#reset")
    agrees(page, 0, 0.7, None, 0.9, 0)


def test_of_equal_logits_the_first_in_the_vocabulary_stay(page):
    page.click('[data-edge="equal logits"]')
    rows = page.eval_on_selector_all("#bars tr[data-token]", "rows => rows.map(r => [r.cells[0].innerText, r.cells[3].innerText])")
    assert rows == [["b", "50.0"], ["c", "50.0"], ["e", "cut"], ["a", "cut"], ["f", "cut"], ["d", "cut"]]


@pytest.mark.parametrize("stage", LABELS)
def test_each_step_shows_its_line_its_equation_and_its_arithmetic(page, stage):
    page.check("#use-k")
    page.click(f'[data-stage="{stage}"]')
    (lit,) = page.eval_on_selector_all("#code .lit", "lines => lines.map(l => l.innerText.trim())")
    assert lit.endswith(f"# {stage}")
    words = page.text_content("#equation")
    assert words.startswith(stage)
    assert len(words) > 30
    assert "undefined" not in words
    texts = set()
    for token in page.eval_on_selector_all("#bars tr[data-token]", "rows => rows.map(r => r.dataset.token)"):
        page.click(f'#bars tr[data-token="{token}"] button')
        assert page.evaluate("document.activeElement.closest('tr').dataset.token") == token
        texts.add(page.text_content("#name") + page.text_content("#formula"))
    assert len(texts) == 12
    assert not any("NaN" in text or "undefined" in text for text in texts)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_everything_has_a_name(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    page.check("#use-k")
    assert page.eval_on_selector_all("nav a", "as => as.map(a => a.getAttribute('href'))") == NAVIGATION
    for place in range(len(PLACES)):
        page.select_option("#place", str(place))
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        fits = "ts => ts.every(t => t.parentNode.scrollWidth <= t.parentNode.clientWidth)"
        assert page.eval_on_selector_all("#bars, #stages", fits)
        # The bars and the sliders that move them are in view together.
        page.evaluate("document.getElementById('bars').scrollIntoView()")
        bottom = page.evaluate("document.getElementById('bars').getBoundingClientRect().bottom")
        assert bottom <= page.evaluate("document.querySelector('.dock').getBoundingClientRect().top")
    assert page.eval_on_selector_all("table", "ts => ts.every(t => t.caption && t.querySelector('th[scope]'))")
    assert page.eval_on_selector_all("th", "ts => ts.length && ts.every(t => t.textContent.trim())")
    named = "ns => ns.every(n => n.ariaLabel || n.labels?.length || n.textContent.trim())"
    assert page.eval_on_selector_all("input, select, button", named)
