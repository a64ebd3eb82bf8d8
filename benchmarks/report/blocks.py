"""What a report is made of, and the same on a terminal, in Markdown and as one HTML page.

Cells are text, with a line break where the cell has one.  A ratio (``0.75×``) and what went wrong (``✗ ...``) stand out
wherever they are.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.text import Text as RichText

from parity_tests.judge.terminal import grid

from .drawing import Plot

WIDE = 8  # sizes in one table of a page
RATIO, BAD = r"(?<![\d.])(\d[\d.]*)×", r"✗ (?:WRONG|out of memory|error)"
GOOD = ' class="good"'
VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">'
STYLE = Path(__file__).with_name("style.css")


class Heading(NamedTuple):
    """A new part."""

    text: str


class Lines(NamedTuple):
    """Text, line by line."""

    lines: Sequence[str]


class Table(NamedTuple):
    """A table, with what it must say of itself; ``fixed`` columns lead every piece of a table that is too wide."""

    title: str
    caption: str
    frame: pd.DataFrame
    fixed: int = 1
    folded: bool = False  # not on a terminal, and in a page only when it is opened

    def split(self, columns: int) -> Iterator["Table"]:
        """The same in pieces of at most so many columns beside the fixed ones."""
        width = self.frame.shape[1]
        for i in range(self.fixed, max(width, self.fixed + 1), columns):
            own = [*range(self.fixed), *range(i, min(i + columns, width))]
            yield self._replace(frame=self.frame.iloc[:, own])


Block = Heading | Lines | Table | Plot


def to_terminal(out: Console, blocks: Iterable[Block]) -> None:
    """Print what a terminal can show."""
    for block in blocks:
        if isinstance(block, Heading):
            out.print()
            out.rule(RichText(block.text, style="bold"), align="left")
        elif isinstance(block, Lines):
            for text in block.lines:
                out.print(styled(text, "dim" if BAD[0] not in text else ""))
        elif isinstance(block, Table) and not block.folded:
            for piece in block.split(max(1, (out.width - 40) // 19)):
                print_table(out, piece)


def print_table(out: Console, table: Table) -> None:
    shown = grid(escape(table.title))
    shown.caption, shown.caption_justify = RichText(table.caption), "left"
    for i, name in enumerate(table.frame.columns):
        head = name.replace(" ", "\n", 2) if name.count(" ") > 2 else name
        shown.add_column(escape(head), overflow="fold", justify="left" if i < table.fixed else "right")
    for cells in table.frame.itertuples(index=False):
        shown.add_row(*map(styled, cells))
    out.print(shown)


def styled(text: str, style: str = "") -> RichText:
    line = RichText(text, style=style)
    line.highlight_regex(RATIO, "bold")
    line.highlight_regex(r"(?<![\d.])0\.\d+×", "bold green")
    line.highlight_regex(f"{BAD}.*", "bold red")
    return line


def to_markdown(title: str, blocks: Iterable[Block], picture: Callable[[Plot], str]) -> str:
    """A page; ``picture`` says where the file of a plot is."""
    parts = [f"# {title}"]
    for block in blocks:
        if isinstance(block, Heading):
            parts.append(f"## {in_markdown(block.text)}")
        elif isinstance(block, Lines):
            parts.append("\n".join(f"- {in_markdown(text)}" for text in block.lines))
        elif isinstance(block, Table):
            text = "\n\n".join(markdown_table(piece.frame, piece.fixed) for piece in block.split(WIDE))
            if block.folded:
                parts += [f"<details><summary>{in_markdown(block.title)}</summary>", text, "</details>"]
            else:
                parts += [f"### {in_markdown(block.title)}", in_markdown(block.caption), text]
        else:
            parts += [f"![{block.title}]({picture(block)})", block.caption]
    return "\n\n".join(filter(None, parts)) + "\n"


def markdown_table(frame: pd.DataFrame, fixed: int = 1) -> str:
    """DataFrame.to_markdown needs tabulate, which is not everywhere."""
    heads, aligned = map(in_markdown, frame.columns), ["---"] * fixed + ["--:"] * (frame.shape[1] - fixed)
    lines = [heads, aligned, *(map(in_markdown, cells) for cells in frame.itertuples(index=False))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def in_markdown(text: str) -> str:
    """Text that ends neither a cell nor a line, with what stands out in bold."""
    text = html.escape(text, quote=False).replace("|", "\\|").replace("\n", "<br>")
    return re.sub(f"{RATIO}|{BAD}", r"**\g<0>**", text)


def to_html(title: str, blocks: Iterable[Block]) -> str:
    """A page that needs nothing from outside."""
    style = f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>"
    head = f'<meta charset="utf-8">\n{VIEWPORT}\n<title>{html.escape(title)}</title>\n{style}'
    body = "\n".join([f"<h1>{html.escape(title)}</h1>", *map(html_block, blocks)])
    return f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


def html_block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h2>{html.escape(block.text)}</h2>"
    if isinstance(block, Lines):
        return "<ul>" + "".join(f"<li>{in_html(text)}</li>" for text in block.lines) + "</ul>"
    if isinstance(block, Plot):
        caption = f"<figcaption>{html.escape(block.caption)}</figcaption>"
        return f'<figure aria-label="{html.escape(block.title)}">{block.inline()}{caption}</figure>'
    frame, classes = block.frame.map(in_html).rename(columns=in_html), f"fixed{block.fixed}"
    table = f'<div class="wide">{frame.to_html(index=False, escape=False, border=0, classes=classes)}</div>'
    if block.folded:
        return f"<details><summary>{html.escape(block.title)}</summary>{table}</details>"
    return f'<h3>{html.escape(block.title)}</h3>{table}<p class="dim">{html.escape(block.caption)}</p>'


def in_html(text: str) -> str:
    first, *more = html.escape(text).split("\n")
    whole = first + "".join(f"<br><small>{line}</small>" for line in more)
    whole = re.sub(RATIO, lambda m: f"<b{GOOD * (float(m[1]) < 1)}>{m[0]}</b>", whole)
    return re.sub(BAD, r'<span class="bad">\g<0></span>', whole)
