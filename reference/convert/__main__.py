"""``python -m reference.convert FILE --to LIBRARY --out FILE``: weights of other libraries to ours and back.

torch_impl/convert has the same command, which also reads and writes .pt files.  notes/cells/conventions.md
"""

import sys

from .command import main

if __name__ == "__main__":
    sys.exit(main())
