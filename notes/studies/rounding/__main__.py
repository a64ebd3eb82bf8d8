"""``python -m notes.studies.rounding``"""

import sys

from reference.common.command import entered

from . import STUDY

if __name__ == "__main__":
    sys.exit(entered(STUDY.command))
