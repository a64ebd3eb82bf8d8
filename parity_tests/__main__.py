"""``python -m parity_tests``: judge implementations, built in or yours.  parity_tests/judge/command.py"""

import sys

from .judge.command import main

if __name__ == "__main__":
    sys.exit(main())
