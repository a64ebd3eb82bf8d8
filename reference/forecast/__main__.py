"""``python -m reference.forecast train|evaluate|predict``: forecasting a series, in NumPy.  notes/forecast.md"""

import sys
from functools import partial

from ..common.extras import needs

if __name__ == "__main__":  # before what may be missing is imported
    needs("apps", "rich", "safetensors", "fastjsonschema", "filelock", "pandas")

from ..common.command import entered
from .backend import BACKEND
from .command import main

if __name__ == "__main__":
    sys.exit(entered(partial(main, BACKEND)))
