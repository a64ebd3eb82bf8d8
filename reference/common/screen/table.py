"""A table of rich that can be read on any screen."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

WORD, APART = 12, 2  # letters of a longer word that stand together; between two columns


class Fitting(Table):
    """Where columns would be narrower than their words it is a list: the first cell of a row, and below it every other."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        rows = [[flat(console, cell) for cell in cells] for cells in zip(*(column.cells for column in self.columns), strict=True)]
        heads = [flat(console, column.header) for column in self.columns]
        least = sum(max(map(letters, column)) + APART for column in zip(heads, *rows, strict=True))
        yield from super().__rich_console__(console, options) if least <= options.max_width else self.listed(console, heads, rows)

    def listed(self, console: Console, heads: Sequence[Text], rows: Sequence[Sequence[Text]]) -> Iterator[Any]:
        if self.title:
            yield flat(console, self.title)
        for first, *others in rows:
            yield Text.assemble(first, style="bold")
            for head, cell in zip(heads[1:], others, strict=True):
                if cell.plain.strip():
                    yield Padding(Text("  ").join([Text(head.plain, style="dim"), cell]), (0, 0, 0, 2))
        if self.caption:
            yield self.caption


def letters(text: Text) -> int:
    """Of the longest word, as far as it must stand in one line."""
    return min(WORD, max(map(cell_len, text.plain.split()), default=0))


def flat(console: Console, cell: RenderableType) -> Text:
    """A cell in one line."""
    text = console.render_str(cell) if isinstance(cell, str) else cell
    assert isinstance(text, Text)
    return Text(" ").join(text.split("\n"))
