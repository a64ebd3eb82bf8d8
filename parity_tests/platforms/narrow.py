"""A plugin of pytest, ``-p parity_tests.platforms.narrow``: longdouble is float64, as on Windows and on Apple silicon."""

import numpy as np

np.longdouble = np.float64  # type: ignore[assignment]  # before anything asks for it
