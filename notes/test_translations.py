"""Each page that exists in Chinese says what the English one says: the same sections, code, formulas, pictures, tables, links.

Only words may differ.  A comment in code is words; a string in code is not, since it is what a program prints.
"""

import ast
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from .labels import NOTES, ROOT

ZH = NOTES / "zh"
PAIRS = {"README": (ROOT / "README.md", ROOT / "README.zh.md")} | {
    file.relative_to(ZH).with_suffix("").as_posix(): (NOTES / file.relative_to(ZH), file) for file in sorted(ZH.rglob("*.md"))
}
PARSER = MarkdownIt("commonmark").enable("table")
WORDS = re.compile(r"[一-鿿]")


def tokens(file: Path) -> list:
    """The tokens of a page, those within lines among them, without what is only for cogapp."""
    text = re.sub(r"<!--\s*\[\[\[.*?-->", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [one for token in PARSER.parse(text) for one in (token, *(token.children or []))]


def headings(file: Path) -> list[str]:
    return [token.tag for token in tokens(file) if token.type == "heading_open"]


def code(file: Path) -> list[tuple[str, str]]:
    """(language, code without comments) of each block"""
    blocks = ((token.info, token.content) for token in tokens(file) if token.type == "fence")
    return [(language, bare(text, language)) for language, text in blocks]


def bare(text: str, language: str) -> str:
    if language == "python":
        return ast.unparse(ast.parse(text))
    return re.sub(r" *# .*", "", text) if language == "sh" else text


def names(file: Path) -> set[str]:
    """What stands as code within the lines: commands, options, files, names.  How often differs with the sentence."""
    return {token.content for token in tokens(file) if token.type == "code_inline"}


def formulas(file: Path) -> list[str]:
    return re.findall(r"\$\$(.*?)\$\$", file.read_text(encoding="utf-8"), re.DOTALL)


def letters(file: Path) -> set[str]:
    """The formulas within the lines.  How often differs with the sentence."""
    prose = re.sub(r"```.*?```|`[^`]*`", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    return set(re.findall(r"(?<!\$)\$([^$\n]+)\$(?!\$)", prose))


def tables(file: Path) -> list[str]:
    """The rows' shapes, and what of their cells is the same in every language: numbers and code."""
    rows = [line for line in file.read_text(encoding="utf-8").splitlines() if line.lstrip().startswith("|")]
    return [" | ".join(re.sub(r"\D*(\d+(?:[.,]\d+)*)?.*", r"\1", cell) for cell in row.split("|")) for row in rows]


def pictures(file: Path) -> list[Path]:
    """What is shown; a picture of the same name in a folder zh is the same with Chinese words."""
    found = [(file.parent / token.attrs["src"]).resolve() for token in tokens(file) if token.type == "image"]
    assert all(picture.is_file() for picture in found), found
    return [picture.parent.parent / picture.name if picture.parent.name == "zh" else picture for picture in found]


def links(file: Path) -> list[str]:
    """Where they lead; in the order of the addresses, since languages order words differently."""
    found = (token.attrs["href"] for token in tokens(file) if token.type == "link_open")
    return sorted(english(file, link) for link in found if "README" not in link)


def english(file: Path, link: str) -> str:
    """A link's target from the root of the repository, in its English version."""
    if re.match(r"[a-z]+:", link) or link.startswith("#"):
        return "#" if link.startswith("#") else link
    place, _, part = link.partition("#")
    there = (file.parent / place).resolve()
    assert there.exists(), f"{file.name} links to {link}"
    if there in (ROOT / "README.zh.md", ROOT / "README.md"):
        return "README.md"
    translated = there.is_relative_to(ZH)
    there = NOTES / there.relative_to(ZH) if translated else there
    return there.relative_to(ROOT).as_posix() + ("" if translated or there.suffix == ".md" else f"#{part}")


PARTS = (headings, code, names, formulas, letters, tables, pictures, links)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
@pytest.mark.parametrize("page", PAIRS)
def test_both_languages_say_the_same(page, part):
    theirs, ours = (part(file) for file in PAIRS[page])
    assert ours == theirs


@pytest.mark.parametrize("page", PAIRS)
def test_the_chinese_page_is_chinese(page):
    """Every heading, and every paragraph of more than a few words that are not code or names."""
    shown = tokens(PAIRS[page][1])
    titles = [shown[k + 1].content for k, token in enumerate(shown) if token.type == "heading_open"]
    assert [title for title in titles if not WORDS.search(title) and len(title.split()) > 3] == []
    sentence = re.compile(r"(?:\b[a-z]+ ){5}")
    prose = [token.content for token in shown if token.type == "inline" and sentence.search(token.content)]
    assert [text for text in prose if not WORDS.search(text)] == []


def test_every_page_of_the_tutorial_and_the_index_is_in_chinese():
    pages = {file.stem for file in (NOTES / "tutorial").glob("*.md")}
    assert {"README", "index", *(f"tutorial/{page}" for page in pages)} == PAIRS.keys()


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        (headings, "# A\n"),
        (code, "# A\n\n## B\n\n```python\nx = 2\n```\n"),
        (names, "`python -m other`\n"),
        (formulas, "$$b$$\n"),
        (letters, "Of $c$ and $d$\n"),
        (tables, "| a | 2 |\n"),
        (links, "[a](https://example.org/other)\n"),
    ],
)
def test_what_differs_is_seen(part, wrong, tmp_path):
    right = "# A\n\n## B\n\n```python\nx = 1  # words\n```\n\n$$a$$\n\n| a | 1 |\n\n[a](https://example.org) `one`, $c$\n"
    files = [tmp_path / name for name in ("right.md", "same.md", "wrong.md")]
    for file, text in zip(files, (right, right.replace("words", "字"), wrong), strict=True):
        file.write_text(text, encoding="utf-8")
    assert part(files[0]) == part(files[1]) != part(files[2])
