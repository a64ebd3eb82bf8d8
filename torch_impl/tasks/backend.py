"""What PyTorch gives to the tasks; all else is reference/tasks."""

import torch

from reference.tasks.backend import Backend

from ..cells import layers
from ..models.classifier import Classifier
from ..models.generator import Generator
from ..models.seq2seq import Seq2seq
from ..models.tagger import Tagger
from ..training import loop, optim

BACKEND = Backend(
    "torch_impl",
    ("library", *layers.WAYS),
    "way",
    {m.__name__: m for m in (Classifier, Generator, Seq2seq, Tagger)},
    optim.Adam,
    loop.train,
    {"torch": torch.__version__},
)
