"""The generated parts of notes/judge/frameworks.md, from parity_tests/strangers/results and the scripts of its findings."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from parity_tests.judge.cases import KINDS
from parity_tests.judge.pages import cell
from parity_tests.judge.strangers import STRANGERS
from parity_tests.strangers import findings
from parity_tests.strangers.running import results

from ..generated import markdown

Json = dict[str, Any]
DTYPES = ("float32", "float64")
OPTIONS = (results.PLAIN, *results.OPTIONS)
SCRIPTS = "../../parity_tests/strangers/findings"


@cache
def judged() -> dict[str, Json]:
    """Every kept result, in the order of STRANGERS."""
    kept = results.kept()
    return {name: kept[name] for name in STRANGERS if name in kept}


def overview() -> str:
    """A row for each library, a column for each kind of cell."""
    head = ("library", *KINDS)
    absent = [s.library for name, s in STRANGERS.items() if name not in judged()]
    rest = f"\n\nTheir adapters are there, and have not been judged as a whole yet: {', '.join(absent)}." if absent else ""
    minutes = sum(r["seconds"] for r in judged().values()) / 60
    took = f"\n\nThe times that stand [below](#what-is-declined-and-what-fails) come to {minutes:.0f} minutes; "
    took += "as many libraries are judged at a time as there are processors."
    return "\n".join(markdown(head, (row(r) for r in judged().values()), range(len(head)))) + took + rest


def row(r: Json) -> list[str]:
    version = re.sub(r" \([^()]*\)|, \d+ threads?$|-\d+-\w+-releases[^, ]*", "", r["about"])  # how it was run stands below
    lines = [f"**{named(r)}**", cell(version), r["date"], *([f"converters: {r['converters']}"] if r["converters"] else [])]
    return ["<br>".join(lines), *(both(r["totals"][kind]) for kind in KINDS)]


def named(r: Json) -> str:
    computes = "".join(f" (computes in {precision} where {dtype} is asked for)" for dtype, precision in r["computes"].items())
    return r["library"] + (" (forward only)" if r["forward_only"] else "") + computes


def both(by_dtype: Mapping[str, Sequence[int]]) -> str:
    """What became of float32, and of float64: below it, where there are numbers"""
    words = [word(by_dtype.get(dtype, (0, 0, 0, 0))) for dtype in DTYPES]
    return (" · " if max(map(len, words)) == 1 else "<br>").join(words)


def word(counts: Sequence[int]) -> str:
    """=, – (all declined), or how many of how many are wrong ≠, or ended otherwise ✗"""
    passed, wrong, error, _ = counts
    total = passed + wrong + error
    if error:
        return f"✗\N{NO-BREAK SPACE}{error + wrong}/{total}"
    if wrong:
        return f"≠\N{NO-BREAK SPACE}{wrong}/{total}"
    return "=" if passed else "–"


def options(kind: str) -> str:
    """A row for each library that has this kind of cell, a column for each option."""
    shown = [r for r in judged().values() if any(any(c[:3]) for o in r["matrix"][kind].values() for c in o.values())]
    head = ("library", *OPTIONS)
    rows = ([r["library"], *(both(r["matrix"][kind].get(option, {})) for option in OPTIONS)] for r in shown)
    return f"**{kind}**\n\n" + "\n".join(markdown(head, rows, range(len(head)))) + "\n\n"


def every_option() -> str:
    return "".join(options(kind) for kind in KINDS).rstrip() + "\n"


def found() -> str:
    """A section for each finding."""
    return "\n".join("\n".join(section(findings.read(name), status)) for name, status in statuses()) + "\n"


def statuses() -> Iterator[tuple[str, str]]:
    """Each finding with what its script came to when it was last run, by the first library that shows it."""
    status: dict[str, str] = {}
    for r in judged().values():
        for name, f in r["findings"].items():
            status.setdefault(name, f["status"])
    yield from status.items()


def section(f: findings.Finding, status: str) -> Iterator[str]:
    yield f"### {f.title}\n"
    yield from (f"*{name}:* {text}\n" for name, text in f.paragraphs.items())
    printed = next(r["findings"][f.name]["printed"] for r in judged().values() if f.name in r["findings"])
    yield f"[{f.name}.py]({SCRIPTS}/{f.name}.py), when it was last run: {status}.\n"
    yield f"```py\n{unmarked(f.code)}\n```\n"
    yield f"```text\n{unmarked(printed).rstrip()}\n```\n"


def unmarked(text: str) -> str:
    """Without what would be a mark of cogapp's: of three brackets the last stands apart."""
    return text.replace("[[[", "[[ [").replace("]]]", "]] ]")


def why() -> str:
    """Of each library what it fails, by cause, and what its adapter declines."""
    return "\n".join(line for r in judged().values() for line in reasons(r)) + "\n"


def reasons(r: Json) -> Iterator[str]:
    yield f"**{r['library']}**, {r['about']}\n"
    cases = f" of the cases {', '.join(f'`{glob}`' for glob in r['cases'])}" if r["cases"] else ""
    yield f"- {counted(r['counts'])}{cases}, in {r['seconds']} s"
    for c in r["causes"]:
        text = c["text"].removesuffix(", why is not known")
        yield f"- fails, {cases_of(c['cases'])} ({', '.join(c['kinds'])}): {cell(text)}{shared(c)}"
    yield from (f"- what is wrong: {link(findings.read(name))}" for name in r["findings"])
    yield from (f"- declines, {cases_of(n)}: {cell(reason)}" for reason, n in r["declined"].items())
    yield ""


def cases_of(n: int) -> str:
    return "1 case" if n == 1 else f"{n} cases"


def link(f: findings.Finding) -> str:
    """To its section, by the anchor that a heading has on GitHub and on the site."""
    slug = re.sub(r"[^\w\- ]", "", f.title.lower()).replace(" ", "-")
    return f"[{f.title.partition(': ')[2].rstrip('.')}](#{slug})"


def shared(cause: Json) -> str:
    return f" ({cell(cause['shared'])})" if cause["shared"] else ""


def counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {outcome}" for outcome, n in counts.items() if n)
