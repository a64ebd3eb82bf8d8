"""Faults of reference/fast/tiles.py, which the named cases must catch: ../judge/cases.py"""

from functools import partial

from ..mutation.faults import Fault

fault = partial(Fault, "fast/tiles")
# fmt: off
FAULTS = [
    fault("a tile's second half replaces the first", "Tiles.into.call",
          "np.matmul(a[:, k], M_k, at_more)\nnp.add(out, more, out)", "np.matmul(a[:, k], M_k, at)"),
    fault("the last columns, fewer than a tile, left out", "spans",
          "((slice(start, whole), unit), (slice(whole, stop), stop - whole))", "((slice(start, whole), unit),)"),
]
