"""What stands before a command: whose ``reference`` is on the path, whether all it needs is installed, which side trains.

Python's own library is all that is imported here, since anything else may be missing or somebody else's.
"""

import argparse
import runpy
import sys
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

OURS = Path(__file__).parent.parent / "reference" / "__init__.py"


def needs(extra: str, *modules: str) -> None:
    """Ends the command with one sentence and status 2 if ``reference`` is not ours, or a module is not installed."""
    interruptible()
    spec = find_spec("reference")
    origin = spec.origin if spec else None
    if origin is None or not OURS.samefile(origin):
        print(
            f"error: 'import reference' finds {origin or 'no package'}, not bptt's own, {OURS.parent}: rename yours, or "
            "run bptt-parity, bptt-bench, bptt-char-lm or bptt-forecast in its folder, which look there last",
            file=sys.stderr,
        )
        sys.exit(2)
    import_module("reference.common.extras").needs(extra, *modules)


def interruptible() -> None:
    """Ctrl-C says so in a word, also while the modules of a command are loaded, which takes seconds."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            print("interrupted", file=sys.stderr)
        else:
            before(kind, error, trace)

    sys.excepthook = hook


def folder_last() -> None:
    """Make the current folder the last on the path, so that nothing in it hides ours or anybody else's package."""
    here = Path.cwd()
    sys.path = [place for place in sys.path if place and Path(place) != here] + [""]


def application(name: str) -> None:
    """``python -m reference.char_lm`` or forecast; with --backend torch ``python -m torch_impl.char_lm`` or forecast."""
    folder_last()
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False, usage="%(prog)s [--backend numpy|torch] ...")
    parser.add_argument("--backend", choices=("numpy", "torch"), default="numpy")
    given, words = parser.parse_known_args()
    if {"-h", "--help"} & set(words):
        print(
            f"{parser.prog} [--backend numpy|torch] takes the options of the command below; it computes in NumPy unless "
            "told otherwise,\nand a run that was begun in one can go on in the other.\n"
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


char_lm, forecast = partial(application, "char_lm"), partial(application, "forecast")  # bptt-char-lm, bptt-forecast
