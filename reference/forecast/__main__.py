"""``python -m reference.forecast``: forecasting in NumPy."""

import sys

from .. import Forecaster
from ..common import checkpoint
from ..training import loop, optim
from .command import main
from .train import Side

SIDE = Side("reference", Forecaster, optim.AdamW, loop.train, checkpoint.restore)

if __name__ == "__main__":
    sys.exit(main(SIDE))
