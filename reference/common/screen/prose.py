"""Sentences, lists and Markdown tables, laid out for whoever reads them.

A file or a pipe breaks no lines.  A terminal, or COLUMNS, says how wide it is; words that are longer stay whole.
"""

import os
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, TextIO


def say(*texts: str, file: TextIO | None = None, flush: bool = False) -> None:
    """Print, on the output or another stream; nothing where there is no text."""
    if not texts:
        return
    stream = file or sys.stdout
    wide = columns(stream)
    print(*(text if wide is None else laid(text, wide) for text in texts), sep="\n", file=stream, flush=flush)


def columns(stream: Any) -> int | None:
    """How wide whoever reads a stream is; None for a file or a pipe, unless COLUMNS is set."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    try:
        return os.get_terminal_size(stream.fileno()).columns or None if stream.isatty() else None
    except (AttributeError, OSError, ValueError):
        return None


def laid(text: str, wide: int) -> str:
    """Lines that are at most so wide: broken between words, and a table that does not fit as a list; code stays as it is."""
    parts: list[str] = []
    for k, block in enumerate(text.split("```")):
        if k % 2:
            parts.append(block)
            continue
        lines: list[str] = []
        for is_table, group in groupby(block.split("\n"), lambda line: line.startswith("| ")):
            rows = list(group)
            if is_table and max(map(len, rows)) > wide and len(rows) > 1:
                lines += listed([cells(line) for line in rows if not RULE.match(line)], wide)
            else:
                lines += [filled(line, wide) for line in rows]
        parts.append("\n".join(lines))
    return "```".join(parts)


ITEM = re.compile(r" *\S+( \S+)*(?<![.:;!?]) {2,}")  # of a list: a word, and two blanks that end no sentence
RULE = re.compile(r"\| ?[-:]")  # the line below the head of a Markdown table


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split(" | ")]


def listed(rows: Sequence[Sequence[str]], wide: int) -> Iterator[str]:
    """A table as a list: of each row its first cell, and below it every other behind the head of its column."""
    head, *others = rows
    for row in others:
        yield filled(f"{head[0]} {row[0]}".strip(), wide)
        yield from (filled(f"  {name}  {cell}", wide) for name, cell in zip(head[1:], row[1:], strict=False) if cell)


def filled(line: str, wide: int) -> str:
    """A line as several.  They begin where its text does: at its indent, in a list behind a word and two blanks."""
    indent, item = len(line) - len(line.lstrip()), ITEM.match(line)
    if len(line) <= wide:
        return line
    if item:
        indent = item.end() if item.end() <= wide // 2 else indent + 2
    lines = textwrap.TextWrapper(wide, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
    return lines.fill(line)


def refilled(text: str, wide: int) -> str:
    """A docstring: its paragraphs and lists anew.  What is indented further than the line before goes on with it."""
    lines: list[str] = []
    for line in text.strip("\n").split("\n"):
        before, indent = lines[-1] if lines else "", len(line) - len(line.lstrip())
        own = len(before) - len(before.lstrip())
        if line.strip() and before and (indent > own or indent == own == 0):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line.rstrip())
    return "\n".join(filled(line, wide) for line in lines)
