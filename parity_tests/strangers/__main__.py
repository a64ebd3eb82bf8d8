"""``python -m parity_tests.strangers``: judge libraries by others, each where it is installed.  running/command.py"""

import sys

from reference.common.command import entered

from .running.command import main

if __name__ == "__main__":
    sys.exit(entered(main))
