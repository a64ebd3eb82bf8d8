"""``python -m torch_impl.char_lm train|generate|evaluate``: the command of reference/char_lm.py in PyTorch.

Same options, text, draws, files and answers; only the model and the loop are of this side.  notes/char_lm.md

    torchrun --nproc-per-node 2 -m torch_impl.char_lm train     # several processes, the same run; notes/training.md
"""

import sys

import torch

from reference.char_app import main
from reference.char_run import Side

from . import checkpoint, init, modules, optim, training
from .devices import placed
from .language_model import LanguageModel
from .processes import together


def model(config, symbols, dtype, rng, given):
    way = "hoisted" if given["compile"] else given["engine"]
    made = LanguageModel(symbols, config["embedding"], config["size"], config["layers"], cell=config["cell"],
                         dropout=config["dropout"], tied=config["tied"], dtype=dtype, rng=rng, way=way)
    return placed(made, given["device"], given["compile"])


@torch.no_grad()
def logits(model, tokens, state):
    z, state = model.logits(tokens, state)
    return z.double().cpu().numpy(), state


SIDE = Side("torch_impl", ("library", *modules.WAYS), model, optim.OPTIMIZERS, training.train, training.evaluate,
            checkpoint.restore, logits, init.initialise, together)

if __name__ == "__main__":
    sys.exit(main(SIDE))
