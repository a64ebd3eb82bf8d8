"""``python -m parity_tests.kills``: kill -9 at random moments, and what is resumed.  parity_tests/kills/command.py"""

import os
import sys

from torch_impl import door


def main() -> int:
    """The command; returns its exit status."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # before NumPy: a fork takes no thread along
    door.needs("dev", "torch", "numba", "rich", "safetensors", "matplotlib", "filelock", "pandas", "pytest")
    from reference.common.command import entered

    from .command import main

    return entered(main)


if __name__ == "__main__":
    sys.exit(main())
