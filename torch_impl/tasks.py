"""``python -m torch_impl.tasks TASK``: the tasks of reference/tasks in PyTorch, with the same data, batches and draws."""

import sys

import torch

from reference.tasks.run import Side, main

from . import optim, training
from .classifier import Classifier
from .generator import Generator
from .seq2seq import Seq2seq
from .tagger import Tagger

SIDE = Side("torch_impl", {m.__name__: m for m in (Classifier, Generator, Seq2seq, Tagger)}, optim.Adam, training.train,
            {"torch": torch.__version__})

if __name__ == "__main__":
    sys.exit(main(SIDE))
