"""Imported before NumPy, this makes the threads of NumPy's OpenBLAS wait less for the next product.

After a large product they wait for it with all their might, for some 25 ms unless they are told otherwise, and meanwhile take
a processor from the threads of fast/parts.py.  OpenBLAS reads for how long when NumPy is imported: 2 to the power of
OPENBLAS_THREAD_TIMEOUT ticks of the processor's clock.  Where it was imported before, and the environment said nothing, the
fast rooms leave the batch in one part.
"""

import os
import sys

NAME, ENOUGH = "OPENBLAS_THREAD_TIMEOUT", 20  # under half a millisecond; with 4, the least, no step was quicker

if "numpy" not in sys.modules:
    os.environ.setdefault(NAME, str(ENOUGH))


def quiet() -> bool:
    """Whether OpenBLAS was told to wait for no longer than that"""
    asked = os.environ.get(NAME, "")
    return asked.isdecimal() and 0 < int(asked) <= ENOUGH
