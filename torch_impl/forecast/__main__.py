"""``python -m torch_impl.forecast``: the application of reference/forecast in PyTorch, same command line, files, results."""

import os
import sys

from .. import door

if __name__ == "__main__":  # before what may be missing is imported
    door.needs("apps,torch", "torch", "rich", "safetensors")

from reference.char_lm.data import UsageError
from reference.forecast.command import main
from reference.forecast.train import Side

from ..common import checkpoint
from ..common.devices import device, placed
from ..models.forecaster import Forecaster
from ..training import loop, optim


def place(side: Side, name: str, compile: bool) -> Side:
    """The side with its models on a device.  UsageError: there is none, or torchrun has started several processes."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError("torchrun is for char_lm; a forecaster is small, and trained by one process")
    device(name)
    way = "hoisted" if compile else "library"
    return side._replace(model=lambda *sizes, **options: placed(Forecaster(*sizes, **options, way=way), name, compile))


SIDE = Side("torch_impl", Forecaster, optim.AdamW, loop.train, checkpoint.restore, place)

if __name__ == "__main__":
    sys.exit(main(SIDE))
