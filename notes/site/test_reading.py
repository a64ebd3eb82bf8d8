"""What makes the pages read well."""

from types import SimpleNamespace

import pytest
from docutils import nodes

from .reading import hold_punctuation, stand_side_by_side, stay_in_language

ORDER = ["index", "tutorial/index", "tutorial/compared", "zh/index", "zh/tutorial/index", "notation"]


def test_a_formula_keeps_its_punctuation():
    words = ("the state (", "), or ", ".")
    paragraph = nodes.paragraph()
    for text, tex in zip(words, ("h", "c" * 99, ""), strict=True):
        paragraph += [nodes.Text(text), *([nodes.math("", tex)] if tex else [])]
    hold_punctuation(None, paragraph, "page")
    assert [part.astext() for part in paragraph] == ["the state ", "(h),", " or ", "c" * 99, "."]
    assert paragraph[1]["classes"] == ["held"]


def test_formulas_on_one_line_are_parted_and_an_array_is_not():
    parted, whole = r"a = b, \qquad c = d", r"\begin{matrix} a, \qquad b \end{matrix}"
    page = nodes.section("", nodes.math_block("", parted, ids=["name"]), nodes.math_block("", whole))
    stand_side_by_side(None, page, "page")
    assert [part.astext() for part in page[0]] == ["a = b,", "c = d"]
    assert [part["ids"] for part in page[0]] == [["name"], []]
    assert page[1].astext() == whole


@pytest.mark.parametrize(
    ("page", "before", "after"),
    [
        ("index", None, "tutorial/index"),
        ("tutorial/compared", "tutorial/index", "notation"),
        ("notation", "tutorial/compared", None),
        ("zh/index", None, "zh/tutorial/index"),
        ("zh/tutorial/index", "zh/index", None),
        ("search", None, None),
    ],
)
def test_one_reads_on_in_the_same_language(page, before, after):
    beside = zip([None, *ORDER[:-1]], ORDER, [*ORDER[1:], None], strict=True)
    builder = SimpleNamespace(
        relations={name: [None, previous, following] for previous, name, following in beside},
        get_relative_uri=lambda _, to: to,
        render_partial=lambda title: {"title": title.upper()},
    )
    context = {}
    stay_in_language(
        SimpleNamespace(builder=builder, env=SimpleNamespace(titles={name: name for name in ORDER})), page, "", context, None
    )
    assert context["prev"] == (before and {"link": before, "title": before.upper()})
    assert context["next"] == (after and {"link": after, "title": after.upper()})
