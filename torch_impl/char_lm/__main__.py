"""``python -m torch_impl.char_lm train|generate|evaluate``: the command of reference/char_lm/__main__.py in PyTorch.

Same options, text, draws, files and answers; only the model and the loop are of this side.  notes/char_lm.md

    torchrun --nproc-per-node 2 -m torch_impl.char_lm train     # several processes, the same run; notes/training/loop.md
"""

import sys

from .. import door

if __name__ == "__main__":  # before what may be missing is imported
    door.needs("apps,torch", "torch", "rich", "safetensors")

import torch

from reference.char_lm.command import main
from reference.char_lm.run import Side

from ..cells import layers
from ..common import checkpoint
from ..common.devices import placed
from ..common.processes import together
from ..models.language_model import LanguageModel
from ..training import init, loop, optim


def model(config, symbols, dtype, rng, given):
    way = "hoisted" if given["compile"] else given["engine"]
    made = LanguageModel(symbols, config["embedding"], config["size"], config["layers"], cell=config["cell"],
                         dropout=config["dropout"], tied=config["tied"], dtype=dtype, rng=rng, way=way)
    return placed(made, given["device"], given["compile"])


@torch.no_grad()
def logits(model, tokens, state):
    z, state = model.logits(tokens, state)
    return z.double().cpu().numpy(), state


SIDE = Side("torch_impl", ("library", *layers.WAYS), model, optim.OPTIMIZERS, loop.train, loop.evaluate,
            checkpoint.restore, logits, init.initialise, together)

if __name__ == "__main__":
    sys.exit(main(SIDE))
