"""``python -m parity_tests.mutants``: which small changes of the code its tests do not notice."""

import sys

from torch_impl import door

if __name__ == "__main__":
    door.needs("dev", "torch", "rich")
    from reference.common.command import entered

    from .command import main

    sys.exit(entered(main))
