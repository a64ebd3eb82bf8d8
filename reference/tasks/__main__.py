"""``python -m reference.tasks TASK``: train a model in NumPy on a real task, and say what it can do."""

import sys

from .backend import BACKEND
from .command import main

if __name__ == "__main__":
    sys.exit(main(BACKEND))
