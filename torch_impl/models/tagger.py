"""The tagger of reference/models/tagger.py in PyTorch; autograd is the backward.  M1 to M4: notes/models/tagger.md"""

import numpy as np
import torch
from torch import Tensor

from reference.common import checks
from reference.common.batches import Tokens, tokens_of

from ..common.initial_weights import draw
from .model import Model


class Tagger(Model):
    """As reference.models.tagger.Tagger; ``way`` as for Model."""

    def __init__(self, num_embeddings: int, tags: int, embedding_dim: int = 32, hidden_size: int = 64, num_layers: int = 1, *,
                 cell: str = "lstm", bidirectional: bool = True, dropout: float = 0.0,
                 dtype: str | torch.dtype = "float32", rng: np.random.Generator | None = None, way: str = "library"):
        super().__init__(dtype=dtype, rng=rng, way=way)
        checks.sizes(num_embeddings=num_embeddings, tags=tags, embedding_dim=embedding_dim, hidden_size=hidden_size)
        checks.flag("bidirectional", bidirectional)
        self.embedding = self.table(num_embeddings, embedding_dim)
        self.rnn = self.recurrent(cell, embedding_dim, hidden_size, num_layers, dropout=dropout, bidirectional=bidirectional)
        self.head = self.linear((1 + bidirectional) * hidden_size, tags)
        draw(self, self.rng)

    def logits(self, batch: Tokens) -> Tensor:
        """Anything with ``tokens``  ->  z (N, tags), packed rows"""
        tokens = tokens_of(batch)
        x = self.embed(self.embedding, tokens.data)                                       # M1
        y, _ = self.run(self.rnn, self.packed(tokens, x))                                 # M2
        return self.head(y.data)                                                          # M3

    def predict(self, batch: Tokens) -> Tensor:
        """Anything with ``tokens``  ->  the most probable tag of each row (N,)"""
        return self.logits(batch).argmax(-1)
