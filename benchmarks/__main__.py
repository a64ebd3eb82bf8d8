"""``python -m benchmarks run | report | compare | gpu | list``: time implementations.

    run      measure a preset and write a result file
    report   from result files of one or many machines: tables, a page, plots
    compare  what changed between two result files, beyond noise
    gpu      parity and benchmarks on a machine with a GPU, piece by piece
    list     the presets, and the cases of one

bptt-bench is the same command.  Each has its own --help.  Exit status 2: something was asked for that is not there.
"""

import importlib
import sys
from collections.abc import Sequence

from torch_impl import door

USAGE_ERROR = 2
COMMANDS = {
    "run": "benchmarks.run.command",
    "report": "benchmarks.report.command",
    "compare": "benchmarks.report.compare",
    "gpu": "benchmarks.run.gpu",
    "list": "benchmarks.what.command",
}
MODULES = {
    "run": ("psutil", "threadpoolctl"),
    "gpu": ("psutil", "threadpoolctl"),
    "report": ("pandas",),
    "compare": ("pandas",),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Hand the arguments after the command's name to the module that is the command; returns its exit status."""
    command, *rest = [*(sys.argv[1:] if argv is None else argv), ""]
    if command in ("-h", "--help"):
        print(__doc__)
        return 0
    if command not in COMMANDS:
        problem = f"there is no command {command!r}" if command else "a command is needed"
        print(f"error: {problem}; python -m benchmarks {' | '.join(COMMANDS)}", file=sys.stderr)
        return USAGE_ERROR
    door.needs("bench", "torch", "rich", *MODULES.get(command, ()))
    return int(importlib.import_module(COMMANDS[command]).main(rest[:-1]))


def console() -> int:
    """``bptt-bench``"""
    door.folder_last()
    return main()


if __name__ == "__main__":
    sys.exit(main())
