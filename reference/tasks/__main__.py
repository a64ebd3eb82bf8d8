"""``python -m reference.tasks TASK``: train a model in NumPy on a real task, and say what it can do."""

import sys

from .. import Classifier, Generator, Seq2seq, Tagger
from ..training import loop, optim
from .command import Side, main

SIDE = Side("reference", {m.__name__: m for m in (Classifier, Generator, Seq2seq, Tagger)}, optim.Adam, loop.train, {})

if __name__ == "__main__":
    sys.exit(main(SIDE))
