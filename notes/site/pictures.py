"""Pictures as part of a page: an SVG file that stands alone on a line is put into the page itself.

There its links work, its text can be searched, and it follows the page's light and dark, which a file in an <img> cannot know.
What a file names (ids) and how it looks (rules of style) is kept to itself: both get the name of the picture in front.
"""

import re
from html import escape
from os.path import relpath
from pathlib import Path

from sphinx.application import Sphinx

from ..labels import NOTES, read
from .sources import FENCE, address

PICTURE = re.compile(r"^!\[([^\]]*)\]\(([^)\s]+\.svg)\)$", re.MULTILINE)
LINK = re.compile(r'(<a\b[^>]*?\bhref=")([^"#:]+)(?:#([^"]*))?(")')
NAMED = re.compile(r'(\bid="|url\(#|href="#)(?=[^"])')
STYLE = re.compile(r"(<style[^>]*>)(.*?)(</style>)", re.DOTALL)
TITLE = re.compile(r"<title>(.*?)</title>\s*", re.DOTALL)


def prepare(app: Sphinx, note: str, source: list[str]) -> None:
    """One page, as Sphinx reads it, after its links have been made those of the site."""
    names: list[str] = []

    def put(m: re.Match[str]) -> str:
        file = (NOTES / note / ".." / m[2]).resolve()
        names.append(file.stem)
        name = f"picture-{file.stem}" + f"-{names.count(file.stem)}" * (names.count(file.stem) > 1)
        alt = escape(m[1])
        return f'<figure class="picture" id="{name}" aria-label="{alt}">\n{inlined(note, file, name, alt)}\n</figure>'

    parts = FENCE.split(source[0])
    parts[::2] = [PICTURE.sub(put, text) for text in parts[::2]]
    source[0] = "".join(parts)


def inlined(note: str, file: Path, name: str, alt: str) -> str:
    """The <svg> of a file, for the place ``name`` of a page; without an empty line, which would end it in Markdown."""

    def link(m: re.Match[str]) -> str:
        path = relpath(file.parent / m[2], (NOTES / note).parent)
        return f"{m[1]}{address(note, path, m[3] or '')}{m[4]}"

    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", read(file), flags=re.DOTALL)
    text = text[text.index("<svg") :]
    title = TITLE.search(text.partition(">")[2][:400])
    text = text.replace(title[0], "", 1) if title else text  # as a tooltip it would follow the pointer through the picture
    role = "" if " role=" in text.partition(">")[0] else ' role="img"'
    text = text.replace("<svg", f'<svg{role} aria-label="{title[1] if title else alt}"', 1)
    text = STYLE.sub(lambda m: m[1] + scoped(m[2], name) + m[3], LINK.sub(link, text))
    text = NAMED.sub(lambda m: f"{m[1]}{name}-", text)
    return re.sub(r"\n\s*\n", "\n", text).strip()


def scoped(style: str, name: str) -> str:
    """Rules of style that hold in the picture alone."""

    def head(m: re.Match[str]) -> str:
        if m[2].startswith("@"):
            return m[0]
        return m[1] + ", ".join(_within(one.strip(), name) for one in m[2].split(",")) + " {"

    return re.sub(r"(\s*)([^{}]+)\{", head, style)


def _within(selector: str, name: str) -> str:
    """``body[...] svg.figure``: the page says how the picture looks, so only what follows is the picture's."""
    if selector.startswith("body"):
        page, _, own = selector.partition(" ")
        return f"{page} #{name} {own}"
    return f"#{name} {selector}"
