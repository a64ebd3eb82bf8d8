"""``python -m torch_impl.forecast``: the application of reference/forecast in PyTorch, same command line, files, results."""

import sys
from functools import partial

from .. import door

if __name__ == "__main__":  # before what may be missing is imported
    door.needs("apps,torch", "torch", "rich", "safetensors", "fastjsonschema", "filelock", "pandas")

from reference.common.command import entered
from reference.forecast.__main__ import main

from .backend import BACKEND

if __name__ == "__main__":
    sys.exit(entered(partial(main, BACKEND)))
