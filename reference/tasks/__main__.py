"""``python -m reference.tasks TASK``: train a model in NumPy on a real task, and say what it can do."""

import sys
from functools import partial

from ..common.command import entered
from .backend import BACKEND
from .command import main

if __name__ == "__main__":
    sys.exit(entered(partial(main, BACKEND)))
