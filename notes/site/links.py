"""That every link of a site leads somewhere in it, and none needs a server or a place at the top of a host."""

from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page, and the names that a link may ask for."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.names: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        self.names |= {given[name] for name in ("id", "name") if name in given}
        self.links += [given[name] for name in ("href", "xlink:href") if tag in ("a", "link") and name in given]


@cache
def page(file: Path) -> Page:
    return Page(file.read_text(encoding="utf-8"))


def dangling(folder: Path) -> Iterator[str]:
    """ "page: link" for each link that leads to no file of the folder, or to no name in it."""
    for file in sorted(folder.rglob("*.html")):
        for link in dict.fromkeys(page(file).links):
            if not leads(folder, file, link):
                yield f"{file.relative_to(folder).as_posix()}: {link}"


def leads(folder: Path, file: Path, link: str) -> bool:
    """Whether a link of a file does; what lies on another host is not asked."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return parts.scheme in ("http", "https", "mailto", "data")
    if parts.path.startswith("/"):
        return False
    there = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if not there.is_file() or folder.resolve() not in there.resolve().parents:
        return False
    return not parts.fragment or there.suffix != ".html" or unquote(parts.fragment) in page(there).names
