"""From Markdown that GitHub shows to Markdown that Sphinx builds: anchors for labels, links to code, the contents.

The notes hold nothing that is only for the site.  Here each label gets an anchor, a link to a file of the repository
becomes a link to a page that shows it with the lines numbered, and the first page gets the contents.
"""

import re
import shutil
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import find_lexer_class_for_filename
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

from ..labels import DEFINED, NOTES, ROOT, pages, read

LINK = re.compile(r"(?<!!)(\[[^\]]*\])\(([^):#\s]+)(?:#([^)\s]*))?\)")
CHAPTER = re.compile(r"^\*\*(.+)\*\*\n\n((?:- .*\n)+)", re.MULTILINE)  # of the first page: a name in bold, and a list
FENCE = re.compile(r"^(```.*?^```)$", re.MULTILINE | re.DOTALL)
KATEX = Path(__file__).parent / "node_modules" / "katex" / "dist"
shown: set[str] = set()


def anchor(note: str, label: str) -> str:
    return f"{re.sub('[/_]', '-', note)}-{label.lower().replace('*', '-adjoint')}"


def prepare(app: Sphinx, note: str, source: list[str]) -> None:
    """One page, as Sphinx reads it."""
    parts = FENCE.split(source[0])
    parts[::2] = [_prose(note, text) for text in parts[::2]]
    source[0] = "".join(parts) + (contents() if note == "index" else "")


def _prose(note: str, text: str) -> str:
    def link(m: re.Match[str]) -> str:
        file = (NOTES / note / ".." / m[2]).resolve()
        target = file.relative_to(ROOT.resolve()).as_posix()
        page = f"{m[1]}(page:{up(note)}"
        if target == "notes/explorer":
            return f"{page}explorer.html)"
        if target.startswith("benchmarks/results/") and file.suffix == ".gz":
            return f"{page}measured-{file.name.partition('.')[0]}.html)"
        if target.startswith("notes/") and file.suffix == ".md":
            return m[0]
        if not file.is_file():
            return f"{page}index.html)" if file.is_dir() else m[0]
        shown.add(target)
        return f"{m[1]}(code:{up(note)}code/{target}#{m[3] or ''})"

    return DEFINED.sub(lambda m: f"({anchor(note, m[1])})=\n{m[0]}", LINK.sub(link, text))


def up(page: str) -> str:
    """From a page back to the top of the site."""
    return "../" * page.count("/")


def contents() -> str:
    """The table of contents: the chapters of the first page, in its order."""
    toctree = "\n\n```{{toctree}}\n:hidden:\n:caption: {}\n\n{}\n```\n"
    chapters = CHAPTER.findall(read(NOTES / "index.md"))
    return "".join(toctree.format(name, "\n".join(re.findall(r"\]\(([a-z_0-9/]+)\.md\)", text))) for name, text in chapters)


def code_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """A page for each file of the repository that a note links to."""
    for path in sorted(shown):
        yield f"code/{path}", {"title": path, "body": code_page(path), "parents": []}, "page.html"


def code_page(path: str) -> str:
    lexer = (find_lexer_class_for_filename(path) or TextLexer)()
    form = HtmlFormatter(linenos="inline", lineanchors="L", anchorlinenos=True, cssclass="highlight")
    body = highlight(read(ROOT / path), lexer, form)
    body = body.replace('id="L-', 'id="L').replace('name="L-', 'name="L').replace('href="#L-', 'href="#L')
    depth = up(f"code/{path}")
    return f'<h1>{escape(path)}</h1><div class="source">{_backlinks(Path(path), body, depth)}</div>'


def _backlinks(path: Path, body: str, depth: str) -> str:
    """Labels in comments lead back to the note that defines them."""
    defined = {
        m[1]: note
        for note in pages()
        for m in DEFINED.finditer(read(NOTES / f"{note}.md"))
        if note.rpartition("/")[2] in (path.stem, "tolerances") or path.parts[:2] == ("notes", "trace")
    }

    def link(m: re.Match[str]) -> str:
        note = defined.get(m[0])
        return f'<a class="label" href="{depth}{note}.html#{anchor(note, m[0])}">{m[0]}</a>' if note else m[0]

    return re.sub(r'(?<=<span class="c1">)[^<]*', lambda c: re.sub(r"\b[A-Z]{1,2}\d+\*?(?![\w*])", link, c[0]), body)


def copy_katex(app: Sphinx, exception: Exception | None) -> None:
    """Style and fonts into the site; only the format that every browser reads."""
    if exception is None:
        place = Path(app.outdir) / "_static" / "katex"
        (place / "fonts").mkdir(parents=True, exist_ok=True)
        style = re.sub(r",url\([^)]*\.(?:woff|ttf)\) format\([^)]*\)", "", read(KATEX / "katex.min.css"))
        (place / "katex.min.css").write_text(style, encoding="utf-8")
        for font in (KATEX / "fonts").glob("*.woff2"):
            shutil.copy(font, place / "fonts")
