"""``python -m torch_impl.tasks TASK``: the tasks of reference/tasks in PyTorch, with the same data, batches and draws."""

import sys

from .. import door

if __name__ == "__main__":  # before what may be missing is imported
    door.needs("torch", "torch")

import torch

from reference.tasks.command import Side, main

from ..models.classifier import Classifier
from ..models.generator import Generator
from ..models.seq2seq import Seq2seq
from ..models.tagger import Tagger
from ..training import loop, optim

SIDE = Side("torch_impl", {m.__name__: m for m in (Classifier, Generator, Seq2seq, Tagger)}, optim.Adam, loop.train,
            {"torch": torch.__version__})

if __name__ == "__main__":
    sys.exit(main(SIDE))
