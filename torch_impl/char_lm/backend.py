"""What PyTorch gives to the character model; all else is reference/char_lm."""

import torch

from reference.char_lm.backend import Backend

from ..cells import layers
from ..common import checkpoint
from ..models.placement import placed
from ..models.language_model import LanguageModel
from ..training import init, loop, optim
from ..training.processes import together


def model(config, symbols, dtype, rng, given):
    way = "hoisted" if given["compile"] else given["engine"]
    made = LanguageModel(symbols, config["embedding"], config["size"], config["layers"], cell=config["cell"],
                         dropout=config["dropout"], tied=config["tied"], dtype=dtype, rng=rng, way=way)
    return placed(made, given["device"], given["compile"])


@torch.no_grad()
def logits(model, tokens, state):
    z, state = model.logits(tokens, state)
    return z.double().cpu().numpy(), state


BACKEND = Backend("torch_impl", ("library", *layers.WAYS), model, optim.OPTIMIZERS, loop.train, loop.evaluate,
            checkpoint.restore, logits, init.initialise, together)
