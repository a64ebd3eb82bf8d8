"""``python -m reference.forecast train|evaluate|predict``: forecasting a series, in NumPy.  notes/forecast.md"""

import sys

from ..common.extras import needs

if __name__ == "__main__":  # before what may be missing is imported
    needs("apps", "rich", "safetensors", "fastjsonschema", "filelock", "pandas")

from .backend import BACKEND
from .command import main

if __name__ == "__main__":
    sys.exit(main(BACKEND))
