"""``python -m reference.convert FILE --to LIBRARY --out FILE``: weights of other libraries to ours and back.

torch_impl/convert has the same command, which also reads and writes .pt files.  notes/cells/conventions.md
"""

import sys

from ..common.command import entered
from .command import main

if __name__ == "__main__":
    sys.exit(entered(main))
