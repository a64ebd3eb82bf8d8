"""``python -m parity_tests`` and ``bptt-parity``: judge implementations, built in or yours.  parity_tests/judge/command.py"""

import sys

from torch_impl import door


def main() -> int:
    """The command; returns its exit status."""
    door.needs("parity", "torch", "rich")
    from reference.common.command import entered

    from .judge.command import main

    return entered(main)


def console() -> int:
    """``bptt-parity``"""
    door.folder_last()
    return main()


if __name__ == "__main__":
    sys.exit(main())
