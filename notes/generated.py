"""``python -m notes.generated --write``: the parts of the notes that are computed, put into their pages.

A part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``.  The links behind labels are generated too.
Without ``--write``, the exit status is 1 if something is not current.
"""

import re
import sys
from collections.abc import Callable
from functools import partial

from parity_tests.terminal import flag

from . import conventions, labels, steps, worked
from .labels import NOTES

PARTS: dict[str, Callable[[], str]] = {f"worked {cell}": partial(worked.worked, cell) for cell in worked.ROOMS}
PARTS |= {"conventions": conventions.table, "conventions unchecked": conventions.unchecked, "steps": steps.ladder,
          "steps floor": steps.floor}
PART = re.compile(r"(<!-- generated: ([^\n]*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def current(note: str) -> str:
    """The page with all its computed parts made anew."""
    return PART.sub(lambda m: f"{m[1]}\n{PARTS[m[2]]()}\n\n{m[3]}", labels.linked(note))


def main() -> int:
    write, stale = flag("write", "renew them", __doc__), []
    for note in labels.pages():
        path, made = NOTES / f"{note}.md", current(note)
        if made != path.read_text(encoding="utf-8"):
            stale.append(note)
            if write:
                path.write_text(made, encoding="utf-8")
    print(*(f"{'wrote' if write else 'not current:'} notes/{note}.md" for note in stale), sep="\n")
    return int(bool(stale) and not write)


if __name__ == "__main__":
    sys.exit(main())
