"""What a command needs beyond NumPy and SciPy, said in one sentence where it is not installed.

Nothing but Python's own library is imported here, and a module that is asked for is looked up, not loaded.
"""

import sys
from importlib.util import find_spec


def lacking(extra: str, *modules: str) -> str | None:
    """The sentence that says which of the modules are not installed and which extra brings them; None if all are there.

    ``extra`` is one of those of pyproject.toml, or several as "apps,torch".
    """
    missing = [name for name in modules if find_spec(name) is None]
    if not missing:
        return None
    *first, last = missing
    names, verb = (f"{', '.join(first)} and {last}", "are") if first else (last, "is")
    extras = f"extras {extra!r} bring" if "," in extra else f"extra {extra!r} brings"
    return f"{names} {verb} needed and not installed; the {extras} what is missing: pip install '.[{extra}]' in a checkout of bptt"


def needs(extra: str, *modules: str) -> None:
    """For the first line of a command: ends it with the sentence and status 2 if one of the modules is not installed."""
    sentence = lacking(extra, *modules)
    if sentence:
        print(f"error: {sentence}", file=sys.stderr)
        sys.exit(2)
