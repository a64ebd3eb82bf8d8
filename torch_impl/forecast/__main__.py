"""``python -m torch_impl.forecast``: the application of reference/forecast in PyTorch, same command line, files, results."""

import sys

from reference.forecast.__main__ import main

from .backend import BACKEND

if __name__ == "__main__":
    sys.exit(main(BACKEND))
