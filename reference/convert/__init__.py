"""``python -m reference.convert``: weights of other libraries to ours and back, and why outputs differ.

    stack = ours(arrays, "keras")              # by the library's own names
    arrays = theirs(stack, "onnx")
    pack(stack), unpack(vector, I, H)          # the one vector of jax.experimental.rnn
    find(arrays)                               # which recurrent layers there are
    diagnose(stack, x, y), compare(y_a, y_b)   # which convention would make them agree

The table of conventions is in conventions.py, its reading in notes/cells/conventions.md.
"""

from .comparison import compare
from .conventions import TABLE
from .diagnosis import Diagnosis, diagnose
from .files import read, write
from .finding import find
from .packed import pack, unpack
from .stacks import Stack, ours, theirs

__all__ = ["TABLE", "Diagnosis", "Stack", "compare", "diagnose", "find", "ours", "pack", "read", "theirs", "unpack", "write"]
