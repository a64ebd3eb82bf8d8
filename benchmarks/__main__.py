"""``python -m benchmarks run | report | compare | claims | strangers | gpu | list``: time implementations.

    run      measure a preset and write a result file
    report   from result files of one or many machines: tables, a page, plots
    compare  what changed between two result files, beyond noise
    claims   whether the result files support what README.md and the notes say
    strangers  libraries by others against torch.nn's layer, each in an environment of its own
    gpu      parity and benchmarks on a machine with a GPU, piece by piece
    list     the presets, and the cases of one

Without one of these words, one implementation against another, with an interval: --impl my_lib.adapter --against
torch.library.

bptt-bench is the same command.  Each has its own --help; that of the last is ``against --help``.  Exit status 2: something
was asked for that is not there.
"""

import importlib
import sys
from collections.abc import Sequence

from torch_impl import door

# The module of each command, and what it needs beyond torch and rich.
COMMANDS = {
    "run": ("benchmarks.run.command", "psutil", "threadpoolctl"),
    "report": ("benchmarks.report.command", "pandas"),
    "compare": ("benchmarks.report.compare", "pandas"),
    "claims": ("benchmarks.claims.command", "pandas"),
    "strangers": ("benchmarks.strangers.command",),
    "against": ("benchmarks.against.command", "psutil", "threadpoolctl", "pandas", "matplotlib"),
    "gpu": ("benchmarks.gpu.command", "psutil", "threadpoolctl"),
    "list": ("benchmarks.what.command",),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Hand the arguments after the command's name to the module that is the command; returns its exit status."""
    command, *rest = [*(sys.argv[1:] if argv is None else argv), ""]
    if command in ("-h", "--help"):
        from reference.common.screen.prose import columns, refilled

        print(refilled(__doc__ or "", columns(sys.stdout) or 120))
        return 0
    if command.startswith("--"):
        command, rest = "against", [command, *rest]
    if command not in COMMANDS:
        problem = f"there is no command {command!r}" if command else "a command is needed"
        from reference.common.command import failed

        return failed(f"{problem}; python -m benchmarks {' | '.join(COMMANDS)}")
    module, *needed = COMMANDS[command]
    door.needs("bench", "torch", "rich", *needed)
    return int(importlib.import_module(module).main(rest[:-1]))


def whole() -> int:
    """The command that Python was started for."""
    door.needs("bench")
    from reference.common.command import entered

    return entered(main)


def console() -> int:
    """``bptt-bench``"""
    door.folder_last()
    return whole()


if __name__ == "__main__":
    sys.exit(whole())
