"""That a page loads nothing from elsewhere: no script, style, font or picture.  Links that a reader may follow are free."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

# What a browser fetches without being asked: attributes of any element, and of <link> by its kind.
FETCHED = ("src", "srcset", "poster", "background", "data")
LINKS = {
    *("stylesheet", "icon", "apple-touch-icon", "mask-icon", "manifest"),
    *("preload", "prefetch", "modulepreload", "preconnect", "dns-prefetch"),
}
STYLE = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])\s*([^"')\s]+)""", re.IGNORECASE)
ELSEWHERE = re.compile(r"(?:https?:|wss?:|ftp:)?//", re.IGNORECASE)


class Loads(HTMLParser):
    """The addresses that a page loads."""

    def __init__(self, text: str):
        super().__init__()
        self.addresses: list[str] = []
        self.element = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        self.element = tag if tag in ("style", "script") else self.element
        values = [given[name] for name in FETCHED if name in given]
        if tag == "link" and LINKS & set(given.get("rel", "").lower().split()):
            values.append(given.get("href", ""))
        elif tag in ("image", "use", "feimage"):
            values += [given[name] for name in ("href", "xlink:href") if name in given]
        self.addresses += [address for value in values for address in re.split(r",?\s+", value.strip())]
        self.addresses += STYLE.findall(given.get("style", ""))

    def handle_endtag(self, tag):
        self.element = "" if tag == self.element else self.element

    def handle_data(self, data):
        if self.element == "style":
            self.addresses += STYLE.findall(data)
        elif self.element == "script":
            self.addresses += re.findall(r"""(?:\bimport\b|\bfetch\b|\bimportScripts\b|\bfrom)\s*\(?\s*["'`]([^"'`]+)""", data)


def loads(path: str, text: str) -> list[str]:
    """The addresses that a page or a style sheet loads."""
    return STYLE.findall(text) if path.endswith(".css") else Loads(text).addresses


def external(path: str, text: str) -> list[str]:
    """Those of them that lie elsewhere."""
    return [address for address in loads(path, text) if ELSEWHERE.match(address)]


def outside(folder: Path) -> Iterator[str]:
    """ "page: address" for all that the pages and styles of a folder load from elsewhere."""
    for file in sorted(folder.rglob("*")):
        if file.suffix in (".html", ".css", ".svg"):
            name = file.relative_to(folder).as_posix()
            yield from (f"{name}: {address}" for address in external(name, file.read_text(encoding="utf-8")))
