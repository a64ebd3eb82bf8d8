"""What makes the pages read well: their language, the order in which one reads on, and lines that break where they may."""

from typing import Any, cast

from docutils import nodes  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

OPENING, CLOSING = "([‘“", ".,;:?!)]’”"
SHORT = 24  # characters of TeX: no line is too narrow for so much


def say_language(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """A page in Chinese says so to browsers and screen readers."""
    if is_chinese(pagename):
        context["language"] = "zh-CN"


def stay_in_language(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """The page before and the page after are the nearest ones in the same language."""
    builder = cast(StandaloneHTMLBuilder, app.builder)
    relations = builder.relations  # page: [parent, page before, page after]
    for step, name in ((1, "prev"), (2, "next")):
        other = pagename if pagename in relations else None
        while other and (other == pagename or is_chinese(other) != is_chinese(pagename)):
            other = relations[other][step]
        if other:
            title = builder.render_partial(app.env.titles[other])["title"]
            context[name] = {"link": builder.get_relative_uri(pagename, other), "title": title}
        else:
            context[name] = None


def is_chinese(page: str) -> bool:
    return page.startswith("zh/")


def hold_punctuation(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """A short formula within a line keeps the bracket before it and the comma after it; browsers would break the line there."""
    for formula in list(doctree.findall(nodes.math)):
        around, at = formula.parent, formula.parent.index(formula)
        before, after = (_text(around, at + side) for side in (-1, 1))
        opening, closing = before[len(before.rstrip(OPENING)) :], after[: len(after) - len(after.lstrip(CLOSING))]
        if (opening or closing) and len(formula.astext()) <= SHORT:
            around[at] = nodes.inline("", "", nodes.Text(opening), formula.deepcopy(), nodes.Text(closing), classes=["held"])
            if opening:
                around[at - 1] = nodes.Text(before.removesuffix(opening))
            if closing:
                around[at + 1] = nodes.Text(after.removeprefix(closing))


def stand_side_by_side(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Formulas on one line, with a \\qquad between, are formulas of their own: where two do not fit, one goes below the other."""
    for block in list(doctree.findall(nodes.math_block)):
        parts = block.astext().split(", \\qquad ")
        if len(parts) > 1 and all(part.count(a) == part.count(b) for part in parts for a, b in (("{", "}"), ("\\begin", "\\end"))):
            row = nodes.container(classes=["formulas"])
            for k, part in enumerate(parts):
                one = block.copy()  # without its children
                one["ids"] = block["ids"] if k == 0 else []
                one += nodes.Text(part if k == len(parts) - 1 else part + ",")
                row += one
            block.replace_self(row)


def _text(around: nodes.Element, at: int) -> str:
    return around[at].astext() if 0 <= at < len(around) and isinstance(around[at], nodes.Text) else ""
