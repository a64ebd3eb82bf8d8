"""``python -m parity_tests.mutation``: which case catches which wrong implementation."""

import sys

from .command import main

if __name__ == "__main__":
    sys.exit(main())
