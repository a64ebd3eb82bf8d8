"""``python -m reference.char_lm train|generate|evaluate``: a model of a text's next character, in NumPy.

torch_impl/char_lm has the same command in PyTorch; backend.py is all that differs.  notes/char_lm.md
"""

import sys
from functools import partial

from ..common.extras import needs

if __name__ == "__main__":  # before what may be missing is imported
    needs("apps", "rich", "safetensors", "fastjsonschema", "filelock")

from ..common.command import entered
from .backend import BACKEND
from .command import main

if __name__ == "__main__":
    sys.exit(entered(partial(main, BACKEND)))
