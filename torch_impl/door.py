"""What stands before a command: whose ``reference`` is on the path, whether all it needs is installed, which side trains.

Python's own library is all that is imported here, since anything else may be missing or somebody else's.
"""

import runpy
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from .early import OURS, begin, extras


def needs(extra: str, *modules: str) -> None:
    """Ends the command with one sentence and status 2 if ``reference`` is not ours, or a module is not installed."""
    spec = find_spec("reference")
    origin = spec.origin if spec else None
    if origin is None or not Path(OURS, "__init__.py").samefile(origin):
        extras.ended(
            f"'import reference' finds {origin or 'no package'}, not bptt's own, {OURS}: rename yours, or "
            "run bptt-parity, bptt-bench, bptt-char-lm or bptt-forecast in its folder, which look there last"
        )
    extras.needs(extra, *modules)


def folder_last() -> None:
    """For the first line of a console command: make the current folder the last on the path, where it hides no package."""
    begin()
    here = Path.cwd()
    sys.path = [place for place in sys.path if place and Path(place) != here] + [""]


def console(name: str) -> NoReturn:
    """``bptt-char-lm`` or ``bptt-forecast``."""
    folder_last()
    needs("apps")
    from reference.common.command import entered

    sys.exit(entered(partial(application, name)))


def application(name: str) -> int:
    """``python -m reference.char_lm`` or forecast; with --backend torch ``python -m torch_impl.char_lm`` or forecast."""
    from reference.common.command import Parser
    from reference.common.screen.prose import say

    parser = Parser(allow_abbrev=False, add_help=False, usage="%(prog)s [--backend numpy|torch] ...")
    parser.add_argument("--backend", choices=("numpy", "torch"), default="numpy")
    given, words = parser.parse_known_args()
    if {"-h", "--help"} & set(words):
        say(
            f"{parser.prog} [--backend numpy|torch] takes the options of the command below; it computes in NumPy unless "
            "told otherwise, and a run that was begun in one can go on in the other.\n"
        )
    torch = given.backend == "torch"
    needs(
        "apps,torch" if torch else "apps",
        *["torch"] * torch,
        "rich",
        "safetensors",
        "fastjsonschema",
        "filelock",
        *["pandas"] * (name == "forecast"),
    )
    sys.argv[1:] = words
    runpy.run_module(f"{'torch_impl' if torch else 'reference'}.{name}", run_name="__main__", alter_sys=True)
    return 0


char_lm, forecast = partial(console, "char_lm"), partial(console, "forecast")  # bptt-char-lm, bptt-forecast
