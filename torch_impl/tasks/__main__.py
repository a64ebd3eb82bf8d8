"""``python -m torch_impl.tasks TASK``: the tasks of reference/tasks in PyTorch, with the same data, batches and draws."""

import sys

from reference.tasks.__main__ import main

from .backend import BACKEND

if __name__ == "__main__":
    sys.exit(main(BACKEND))
