"""``python -m reference.forecast``: forecasting in NumPy."""

import sys

from .. import Forecaster, checkpoint, optim, training
from .command import main
from .fitting import Side

SIDE = Side("reference", Forecaster, optim.AdamW, training.train, checkpoint.restore)

if __name__ == "__main__":
    sys.exit(main(SIDE))
