"""``python -m parity_tests.mutation``: which case catches which wrong implementation."""

import sys

from torch_impl import door

if __name__ == "__main__":
    door.needs("parity", "torch", "rich")
    from reference.common.command import entered

    from .command import main

    sys.exit(entered(main))
