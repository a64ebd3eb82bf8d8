"""``python -m torch_impl.tasks TASK``: the tasks of reference/tasks in PyTorch, with the same data, batches and draws."""

import sys
from functools import partial

from .. import door

if __name__ == "__main__":  # before what may be missing is imported
    door.needs("torch", "torch")

from reference.common.command import entered
from reference.tasks.__main__ import main

from .backend import BACKEND

if __name__ == "__main__":
    sys.exit(entered(partial(main, BACKEND)))
