"""The benchmarks and the parity suite on a machine with a GPU that is at hand for minutes: small pieces, in order of worth."""

import time

BEGUN = time.monotonic()  # what a piece imports after this, torch first of all, is part of its time
