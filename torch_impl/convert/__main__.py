"""``python -m torch_impl.convert``: the command of reference/convert, which also reads and writes .pt files.

A .pt file is a state_dict as ``torch.save`` writes it; it is loaded with weights_only, which runs nothing in it.
"""

import sys
from functools import partial

from .. import door

if __name__ == "__main__":  # before what may be missing is imported
    door.needs("torch", "torch")

from reference.common.command import entered
from reference.convert.__main__ import main

from .files import KINDS

if __name__ == "__main__":
    sys.exit(entered(partial(main, package="torch_impl", more=KINDS)))
