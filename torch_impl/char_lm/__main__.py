"""``python -m torch_impl.char_lm train|generate|evaluate``: the command of reference/char_lm in PyTorch.

Same options, text, draws, files and answers; only the model and the loop are of this side.  notes/char_lm.md

    torchrun --nproc-per-node 2 -m torch_impl.char_lm train     # several processes, the same run; notes/training/loop.md
"""

import sys
from functools import partial

from .. import door

if __name__ == "__main__":  # before what may be missing is imported
    door.needs("apps,torch", "torch", "rich", "safetensors", "fastjsonschema", "filelock")

from reference.char_lm.__main__ import main
from reference.common.command import entered

from .backend import BACKEND

if __name__ == "__main__":
    sys.exit(entered(partial(main, BACKEND)))
