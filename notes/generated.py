"""``python -m notes.generated --write``: the generated parts of the notes, and the links behind labels.

A part is made by the Python in its own note, between the marks of cogapp, from what is kept in notes/results or
benchmarks/results.  Without ``--write``, the exit status is 1 if something is not current.  ``--figures`` draws the
pictures of the studies again, too, from what is kept.
"""

import sys
from collections.abc import Collection, Iterable, Sequence
from importlib import import_module

from cogapp import Cog

from reference.common.command import entered, parser
from reference.common.output import put_text
from reference.common.screen.prose import say

from . import labels

STUDIES = ("adding", "gradient_flow", "measured", "rounding", "tasks", "temperature")  # that have pictures


def current(note: str) -> str:
    """The note with its generated parts and its links made anew."""
    cog = Cog()
    cog.options.verbosity = 0
    return cog.process_string(labels.linked(note), fname=f"notes/{note}.md")


def renew(write: bool = True) -> list[str]:
    """The names of the notes that are not current; they are written unless told otherwise."""
    stale = {note: text for note in labels.pages() if (text := current(note)) != labels.read(labels.NOTES / f"{note}.md")}
    for note, text in stale.items() if write else ():
        put_text(labels.NOTES / f"{note}.md", text)
    say(*(f"{'wrote' if write else 'not current:'} notes/{note}.md" for note in stale))
    return list(stale)


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]], texts: Collection[int] = (0,)) -> list[str]:
    """The lines of a Markdown table; all columns but those of ``texts`` stand at the right."""
    rule = "|".join("---" if k in texts else "--:" for k in range(len(head)))
    return [f"| {' | '.join(head)} |", f"|{rule}|", *(f"| {' | '.join(map(str, row))} |" for row in rows)]


def main() -> int:
    options = parser("python -m notes.generated", __doc__ or "")
    options.add_argument("--write", action="store_true", help="renew them")
    options.add_argument("--figures", action="store_true", help="and draw the pictures")
    arguments = options.parse_args()
    for name in STUDIES if arguments.figures else ():
        module = import_module(f"notes.studies.{name}")
        getattr(module, "STUDY", module).draw()
    return int(bool(renew(arguments.write)) and not arguments.write)


if __name__ == "__main__":
    sys.exit(entered(main))
