"""``python -m parity_tests.vectors``: the cases of the judge as files.  parity_tests/vectors/command.py"""

import sys

from torch_impl import door


def main() -> int:
    """The command; returns its exit status."""
    door.needs("parity", "torch", "rich", "safetensors")
    from reference.common.command import entered

    from .command import main

    return entered(main)


if __name__ == "__main__":
    sys.exit(main())
