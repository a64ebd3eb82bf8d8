"""``python -m reference.char_lm train|generate|evaluate``: a model of a text's next character, in NumPy.

The model is language_model.py, the loop training.py, the draws sampling.py; torch_impl/char_lm/__main__.py has the same command.
What the two share: char_app.py and its neighbours.  notes/char_lm.md
"""

import sys

import numpy as np

from ..common import checkpoint
from ..models.language_model import LanguageModel
from ..training import init, loop, optim
from .command import main
from .data import UsageError
from .run import Side


def model(config: dict, symbols: int, dtype: str, rng: np.random.Generator, given: dict) -> LanguageModel:
    if given["device"] != "cpu" or given["compile"]:
        what = "--compile" if given["compile"] else f"--device {given['device']}"
        raise UsageError(f"{what} is for the other side, python -m torch_impl.char_lm; NumPy computes on the CPU as it is")
    return LanguageModel(symbols, config["embedding"], config["size"], config["layers"], cell=config["cell"],
                         dropout=config["dropout"], tied=config["tied"], dtype=np.dtype(dtype), rng=rng,
                         engine=given["engine"])


def logits(model: LanguageModel, tokens, state):
    z, state = model.logits(tokens, state)
    return z.astype(np.float64), state


SIDE = Side("reference", ("fast", "definition"), model, optim.OPTIMIZERS, loop.train, loop.evaluate,
            checkpoint.restore, logits, init.initialise)

if __name__ == "__main__":
    sys.exit(main(SIDE))
