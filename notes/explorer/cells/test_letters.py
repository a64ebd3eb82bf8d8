"""The panel of the explorer of the cells: formula and line agree in letters, or it says which differ."""

import re

import pytest

from ...labels import DEFINED, NOTES, equations, read
from ...trace import ROOMS, problem, trace
from . import EXAMPLE, KINDS
from .letters import LETTERS, Pair, bare, differing, of_labels, parts

PAGE = "explorer"
# Names in the code that are no letters of a formula: functions, and what stacks, joins or reshapes.
NO_LETTERS = {"np", "tanh", "sigmoid", "relu", "split", "rows", "concatenate"}
LATEX = re.compile(r"d?(?:\\varphi|[A-Za-z]+)(?:_\{?[\w,]+\}?)?(?:\^\{[+()\d]+\})?")


def letters(latex: str) -> set[str]:
    """Those of a formula, c^{+} and c being two."""
    names = re.sub(r"\\(?:text|mathrm)\{[^}]*\}|\\(?:top|circ|sum|tanh|sigma|leftarrow|qquad)(?![a-z])|_\{b\}(?= )", " ", latex)
    return {bare(name) for name in LATEX.findall(names)}


def names(code: str) -> set[str]:
    """The letters of a line of code."""
    code = re.sub(r"\.reshape\(.*\)$|\.sum\(0\)|\.copy\(\)|\.T\b|\b(?:k\.p|p|k|d)\.", "", code)
    return set(re.findall(r"[A-Za-z_]\w*", code)) - NO_LETTERS


def quantities(kind):
    """Each quantity with a label, its letters and its formulas."""
    cell, options = KINDS[kind]
    for one in trace(ROOMS[cell], problem(ROOMS[cell], **EXAMPLE, **options)):
        if one.labels and one.t in (None, 0):
            pair = LETTERS[kind].get(f"{one.name} {' '.join(one.labels)}", Pair())
            yield one, pair, parts(pair, one.name, of_labels(equations(f"cells/{cell}"), one.labels), kind == "gru-before")


@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_of_a_line_is_in_its_formula_or_is_explained(kind):
    for one, pair, shown in quantities(kind):
        assert len(shown) == max(1, len(pair.of)), (one.key, "a formula for each left-hand side")
        rest = one.formula
        for code, _ in differing(pair, one.formula):
            rest = re.sub(rf"(?<![\w.]){re.escape(code)}(?!\w)", " ", rest)
        right = {name for formula in shown for name in letters(re.split(r" (?:=|\\leftarrow) ", formula)[-1])}
        assert names(rest) <= right, one.key


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_that_is_explained_stands_in_the_note_at_its_label(kind):
    note = read(NOTES / f"cells/{KINDS[kind][0]}.md")
    starts = [*DEFINED.finditer(note)]
    ends = [m.start() for m in starts[1:]] + [len(note)]
    for one, pair, _ in quantities(kind):
        of = {label.rstrip("*") for label in one.labels}
        sections = "".join(note[m.start() : end] for m, end in zip(starts, ends, strict=True) if m[1].rstrip("*") in of)
        written = [bare(formula) for formula in re.findall(r"\$\$?(.*?)\$\$?", sections, re.DOTALL)]
        for _, latex in differing(pair, one.formula):
            for letter in latex.split(r",\; "):
                assert any(bare(letter) in formula for formula in written), (one.key, letter)


def test_no_pair_is_left_over():
    used = {f"{one.name} {' '.join(one.labels)}" for kind in KINDS for one, _, _ in quantities(kind)}
    assert {key for pairs in LETTERS.values() for key in pairs} <= used


def test_the_panel_says_which_letters_differ(page):
    page.click("#end")
    page.focus('#backward td[data-key="step_backward|1|df|L3*"]')
    assert page.text_content("#formula").startswith("df = dc * c_prev")
    assert page.text_content("#equation") == r"L3*df = dc^{+} \circ c"
    rows = page.eval_on_selector_all("#letters tbody tr", "rs => rs.map(r => [...r.cells].map(c => c.textContent))")
    assert rows == [["dc", "dc^{+}"], ["c_prev", "c"]]


def test_labels_and_lines_are_links_to_the_note_and_to_the_code(page):
    sources = pytest.importorskip("notes.site.sources")
    page.select_option("#kind", "gru")
    page.focus('#backward td[data-key="step_backward|1|dz|G4*"]')
    assert page.get_attribute("#equation a", "href") == f"cells/gru.html#{sources.anchor('cells/gru', 'G4*')}"
    assert page.get_attribute("#place a", "href").startswith("code/reference/cells/gru.py.html#L")
