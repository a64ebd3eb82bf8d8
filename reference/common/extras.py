"""What a command needs beyond NumPy and SciPy, said in one sentence where it is not installed.

Nothing but Python's own library is imported here, and a module that is asked for is looked up, not loaded.
"""

import sys
from importlib.util import find_spec
from types import TracebackType


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


def ours() -> bool:
    """Whether Python was started for a command of this package, or of the notes, of which some need no more than this."""
    words = [*sys.orig_argv, ""]
    return "-m" in words and words[words.index("-m") + 1].partition(".")[0] in (__name__.partition(".")[0], "notes")


def interruptible() -> None:
    """Ctrl-C says so in a word, also while the modules of a command are loaded, which takes seconds."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            print("interrupted", file=sys.stderr)
        else:
            before(kind, error, trace)

    sys.excepthook = hook
