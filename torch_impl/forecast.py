"""``python -m torch_impl.forecast``: the application of reference/forecast in PyTorch, same command line, files, results."""

import sys

from reference.forecast.command import main
from reference.forecast.fitting import Side

from . import checkpoint, optim, training
from .forecaster import Forecaster

SIDE = Side("torch_impl", Forecaster, optim.AdamW, training.train, checkpoint.restore)

if __name__ == "__main__":
    sys.exit(main(SIDE))
