"""From Markdown that GitHub shows to Markdown that Sphinx builds: anchors for labels, links to code, the contents.

The notes hold nothing that is only for the site.  Here each label gets an anchor, a link to a file of the repository
becomes a link to a page that shows it with the lines numbered, and the first page gets the contents.
"""

import re
import shutil
from html import escape
from pathlib import Path

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

from ..labels import DEFINED, NOTES, ROOT, pages

LINK = re.compile(r"\]\(((?:\.\./)+[^)#\s]+|explorer/)(?:#([^)\s]*))?\)")
FENCE = re.compile(r"^(```.*?^```)$", re.MULTILINE | re.DOTALL)
shown: set[str] = set()


def anchor(note: str, label: str) -> str:
    return f"{note.replace('/', '-')}-{label.lower().replace('*', '-adjoint')}"


def read(app, note, source) -> None:
    """One page, as Sphinx reads it."""
    parts = FENCE.split(source[0])
    parts[::2] = [_prose(note, text) for text in parts[::2]]
    source[0] = "".join(parts) + (contents() if note == "index" else "")


def _prose(note: str, text: str) -> str:
    def link(m: re.Match) -> str:
        target = (NOTES / note / ".." / m[1]).resolve().relative_to(ROOT.resolve())
        if target.as_posix() == "notes/explorer":
            return "](page:explorer.html)"
        if target.as_posix().startswith("benchmarks/results/") and target.suffix == ".gz":
            return f"](page:measured-{target.name.partition('.')[0]}.html)"
        if target.suffix == ".md" and target.parts[0] == "notes":
            return m[0]
        if not (ROOT / target).is_file():
            return "](page:index.html)" if (ROOT / target).is_dir() else m[0]
        shown.add(target.as_posix())
        return f"](code:{target.as_posix()}#{m[2] or ''})"

    return DEFINED.sub(lambda m: f"({anchor(note, m[1])})=\n{m[0]}", LINK.sub(link, text))


def contents() -> str:
    """The table of contents: the order of the links on the first page, then what it does not name."""
    index = (NOTES / "index.md").read_text(encoding="utf-8")
    named = [n for n in dict.fromkeys(re.findall(r"\]\(([a-z_0-9/]+)\.md[)#]", index)) if n in pages()]
    order = named + [n for n in pages() if n not in named and n != "index"]
    return "\n\n```{toctree}\n:hidden:\n\n" + "\n".join(order) + "\n```\n"


def code_pages(app):
    """A page for each file of the repository that a note links to."""
    for path in sorted(shown):
        yield f"code/{path}", {"title": path, "body": code_page(path, app), "parents": []}, "page.html"


def code_page(path: str, app=None) -> str:
    text = (ROOT / path).read_text(encoding="utf-8")
    try:
        lexer = get_lexer_for_filename(path)
    except ClassNotFound:
        lexer = TextLexer()
    body = highlight(text, lexer, HtmlFormatter(linenos="inline", lineanchors="L", anchorlinenos=True, cssclass="highlight"))
    body = body.replace('id="L-', 'id="L').replace('name="L-', 'name="L').replace('href="#L-', 'href="#L')
    depth = "../" * (path.count("/") + 1)
    return f'<h1>{escape(path)}</h1><div class="source">{_backlinks(Path(path), body, depth)}</div>'


def _backlinks(path: Path, body: str, depth: str) -> str:
    """Labels in comments lead back to the note that defines them."""
    defined = {m[1]: note for note in pages() for m in DEFINED.finditer((NOTES / f"{note}.md").read_text(encoding="utf-8"))
               if note.rpartition("/")[2] in (path.stem, "tolerances") or path.parts[:2] == ("notes", "trace")}

    def link(m: re.Match) -> str:
        return f'<a class="label" href="{depth}{defined[m[0]]}.html#{anchor(defined[m[0]], m[0])}">{m[0]}</a>' \
            if m[0] in defined else m[0]

    return re.sub(r'(?<=<span class="c1">)[^<]*', lambda c: re.sub(r"\b[A-Z]{1,2}\d+\*?(?![\w*])", link, c[0]), body)


def copy_katex(dist: Path):
    """Style and fonts into the site; only the format that every browser reads."""
    def finished(app, exception):
        if exception is None:
            place = Path(app.outdir) / "_static" / "katex"
            (place / "fonts").mkdir(parents=True, exist_ok=True)
            style = (dist / "katex.min.css").read_text(encoding="utf-8")
            style = re.sub(r",url\([^)]*\.(?:woff|ttf)\) format\([^)]*\)", "", style)
            (place / "katex.min.css").write_text(style, encoding="utf-8")
            for font in (dist / "fonts").glob("*.woff2"):
                shutil.copy(font, place / "fonts")
    return finished
