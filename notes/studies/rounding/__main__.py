"""``python -m notes.studies.rounding``"""

import sys

from . import STUDY

if __name__ == "__main__":
    sys.exit(STUDY.command())
