"""Whether an implementation is right."""

import reference  # noqa: F401  # before NumPy: see reference/common/blas.py
