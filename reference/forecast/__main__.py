"""``python -m reference.forecast train|evaluate|predict``: forecasting a series, in NumPy.  notes/forecast.md"""

import sys

from .backend import BACKEND
from .command import main

if __name__ == "__main__":
    sys.exit(main(BACKEND))
