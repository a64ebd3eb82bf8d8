"""Which numbers of a page are measured, and whether a claim stands behind each.

The rule is plain: outside of what is generated, of code and of formulas, a number is measured if it has a decimal point or
one of the units below.  It must lie in the sentence of a claim, in a text that is exempt, or below a heading that is.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .claim import Claims

PAGES = ("README.md", "notes/benchmarks.md", "notes/from_equations_to_gemms.md")
UNITS = r"×|%|[GT]FLOP/s|[GTM]B/s|[mµn]s\b"
NUMBER = re.compile(rf"(?<![\w.])\d[\d.,]*(?: (?:to|and|–) \d[\d.,]*)?\s?(?:{UNITS})|(?<![\w.])\d+\.\d+(?![\w.]*\w)")
# Code first: what looks like a formula in it is none.
NOT_SAID = re.compile(r"<!-- ?\[\[\[cog.*?\[\[\[end\]\]\] ?-->|```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]+\$", re.S)


class Unsupported(NamedTuple):
    """A number that stands there for no reason."""

    line: int
    number: str
    around: str


def unsupported(page: str, text: str, claims: Claims) -> Iterator[Unsupported]:
    """The measured numbers of a page without a claim."""
    covered = list(spans(page, text, claims))
    prose = NOT_SAID.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    for m in NUMBER.finditer(prose):
        if not any(start <= m.start() and m.end() <= end for start, end in covered):
            line = text.count("\n", 0, m.start()) + 1
            yield Unsupported(line, m[0], " ".join(text[max(0, m.start() - 40) : m.end() + 20].split()))


def spans(page: str, text: str, claims: Claims) -> Iterator[tuple[int, int]]:
    """From where to where a page is covered."""
    texts = [claim.sentence for claim in claims.claims if page in claim.where]
    for one in (*texts, *(e.text for e in claims.exempt if e.file == page and e.text)):
        yield from (m.span() for m in re.finditer(re.escape(one), text))
    for heading in (e.heading for e in claims.exempt if e.file == page and e.heading):
        pattern = rf"^(#+) {re.escape(heading)}\n.*?(?=^#|\Z)"
        yield from (m.span() for m in re.finditer(pattern, text, re.M | re.S))


def absent(page: str, text: str, claims: Claims) -> Iterator[str]:
    """What the file of claims says is in a page, and is not."""
    texts: Iterable[str] = (claim.sentence for claim in claims.claims if page in claim.where)
    yield from (one for one in texts if one not in text)
    for e in claims.exempt:
        if e.file == page and (e.text not in text or (e.heading and f"# {e.heading}\n" not in text)):
            yield e.text or e.heading
