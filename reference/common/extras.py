"""What stands before a command: Ctrl-C is heard, and what it needs beyond NumPy and SciPy is there, or a sentence says so.

Nothing but Python's own library is imported here, and a module that is asked for is looked up, not loaded.
"""

import os
import signal
import sys
from contextlib import suppress
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
        ended(sentence)


def ended(sentence: str) -> None:
    """A command that cannot begin."""
    with suppress(OSError):  # nobody can read it
        print(f"error: {sentence}", file=sys.stderr, flush=True)
    sys.exit(2)


def early(package: str) -> None:
    """For the first line of a package: ``begin``, if Python looks for a command of it, as ``python -m`` says."""
    words = [*sys.orig_argv, ""]
    asked = words[words.index("-m") + 1] if "-m" in words else package
    if sys.argv[:1] == ["-m"] and asked.partition(".")[0] == package:  # so it is as long as Python looks
        begin()


def begin() -> None:
    """What must be so before a command loads anything.

    Ctrl-C ends Python at once, in a word: as an exception in the midst of a module that is loaded it may be lost there.
    Streams that were closed lead nowhere, or the next file to be opened would be one of them.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupted)
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def interrupted(number: int, frame: object) -> None:
    with suppress(OSError):
        os.write(2, b"interrupted\n")
    os._exit(130)
