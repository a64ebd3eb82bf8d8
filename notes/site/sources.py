"""From Markdown that GitHub shows to Markdown that Sphinx builds: anchors for labels, links to code, the contents.

The notes hold nothing that is only for the site.  Here each label gets an anchor, a link to a file of the repository
becomes a link to a page that shows it with the lines numbered, an index gets its table of contents, and a page that has
another language or is a notebook too says so under its title.
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
CHAPTER = re.compile(r"^(?:\*\*(.+)\*\*\n\n)?((?:- \[.*\n)+)", re.MULTILINE)  # of an index: a name in bold, and a list
LISTED = re.compile(r"\]\(([a-z_0-9/]+)\.md\)")
TITLE = re.compile(r"^# .*\n", re.MULTILINE)
FENCE = re.compile(r"^(```.*?^```)$", re.MULTILINE | re.DOTALL)
KATEX = Path(__file__).parent / "node_modules" / "katex" / "dist"
shown: set[str] = set()


def anchor(note: str, label: str) -> str:
    return f"{re.sub('[/_]', '-', note)}-{label.lower().replace('*', '-adjoint')}"


def prepare(app: Sphinx, note: str, source: list[str]) -> None:
    """One page, as Sphinx reads it."""
    parts = FENCE.split(source[0])
    parts[::2] = [_prose(note, text) for text in parts[::2]]
    text = TITLE.sub(lambda m: m[0] + also(note), "".join(parts), count=1)
    source[0] = text + (contents(note) if Path(note).name == "index" else "")


def _prose(note: str, text: str) -> str:
    def link(m: re.Match[str]) -> str:
        if m[2].endswith(".md") and NOTES in (NOTES / note / ".." / m[2]).resolve().parents:
            return m[0]  # Sphinx knows its own pages, and whether they are there
        where = address(note, m[2], m[3] or "")
        return f"{m[1]}({'part' if '#' in where else 'page'}:{where})"

    return DEFINED.sub(lambda m: f"({anchor(note, m[1])})=\n{m[0]}", LINK.sub(link, text))


def address(note: str, path: str, fragment: str = "") -> str:
    """Where in the site a relative link of a page leads, seen from that page.

    Raises
    ------
    FileNotFoundError
        The link leads to nothing.
    """
    file = (NOTES / note / ".." / path).resolve()
    target, part = file.relative_to(ROOT.resolve()).as_posix(), f"#{fragment}" * bool(fragment)
    if not file.exists():
        raise FileNotFoundError(f"notes/{note}.md links to {path}, which is not there")
    if target == "notes/explorer":
        return f"{up(note)}explorer{fragment and '_'}{fragment}.html"
    if target.startswith("benchmarks/results/") and file.suffix == ".gz":
        return f"{up(note)}measured-{file.name.partition('.')[0]}.html"
    if target.startswith("notes/") and file.suffix == ".md":
        return f"{path.removesuffix('.md')}.html{part}"
    if file.is_dir():
        return f"{up(note)}index.html"
    shown.add(target)
    return f"{up(note)}code/{target}.html{part if file.suffix != '.md' else ''}"  # as source a text has lines, no headings


def up(page: str) -> str:
    """From a page back to the top of the site."""
    return "../" * page.count("/")


def also(note: str) -> str:
    """Under a title: the page in the other language, and as a notebook."""
    page = "<a href='{}'>{}</a>".format
    links = [page(f"{up(note)}{other}.html", name) for other, name in (translation(note),) if (NOTES / f"{other}.md").is_file()]
    links += [page(f"{Path(note).name}.ipynb", "Jupyter")] if is_notebook(note) else []
    return f"\n<p class='also'>{' · '.join(links)}</p>\n" if links else ""


def translation(note: str) -> tuple[str, str]:
    """A page's name in the other language, and that language."""
    return (note.removeprefix("zh/"), "English") if note.startswith("zh/") else (f"zh/{note}", "中文")


def is_notebook(note: str) -> bool:
    """The numbered pages of the tutorial are."""
    return re.fullmatch(r"(zh/)?tutorial/\d\d_\w+", note) is not None


def contents(note: str) -> str:
    """The table of contents of an index: the lists of pages in it, in its order, each with its name."""
    toctree = "\n\n```{{toctree}}\n:hidden:\n{}\n{}\n```\n"
    chapters = [(name, LISTED.findall(text)) for name, text in CHAPTER.findall(read(NOTES / f"{note}.md"))]
    named = {"zh/index": "中文 <zh/index>"}
    entries = [(name, "\n".join(named.get(page, page) for page in listed)) for name, listed in chapters if listed]
    return "".join(toctree.format(name and f":caption: {name}\n", lines) for name, lines in entries)


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
