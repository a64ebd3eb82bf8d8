"""``python -m reference.convert``: weights of other libraries to ours and back, and why outputs differ.

    stack = ours(arrays, "keras")              # by the library's own names
    arrays = theirs(stack, "onnx")
    find(arrays)                               # which recurrent layers there are
    diagnose(stack, x, y), compare(y_a, y_b)   # which convention would make them agree

The table of conventions is in conventions.py, its reading in notes/cells/conventions.md.
"""

from .comparison import compare
from .conventions import TABLE
from .diagnosis import Diagnosis, diagnose
from .files import read, write
from .finding import find
from .stacks import Stack, ours, theirs

__all__ = ["TABLE", "Diagnosis", "Stack", "compare", "diagnose", "find", "ours", "read", "theirs", "write"]
