"""The classifier of reference/models/classifier.py in PyTorch; autograd is the backward.  C1 to C6: notes/models/classifier.md"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_packed_sequence

from reference.common import checks
from reference.common.batches import Tokens, tokens_of

from ..cells.layers import fields
from ..common.initial_weights import draw
from .model import Model


class Classifier(Model):
    """As reference.models.classifier.Classifier; ``way`` as for Model."""

    def __init__(self, num_embeddings: int, classes: int, embedding_dim: int = 32, hidden_size: int = 64, num_layers: int = 1, *,
                 cell: str = "lstm", bidirectional: bool = True, pooling: str = "last", dropout: float = 0.0,
                 dtype: str | torch.dtype = "float32", rng: np.random.Generator | None = None, way: str = "library"):
        super().__init__(dtype=dtype, rng=rng, way=way)
        checks.sizes(num_embeddings=num_embeddings, classes=classes, embedding_dim=embedding_dim, hidden_size=hidden_size)
        checks.flag("bidirectional", bidirectional)
        self.pooling = checks.choice("pooling", pooling, ("last", "mean", "max"))
        self.embedding = self.table(num_embeddings, embedding_dim)
        self.rnn = self.recurrent(cell, embedding_dim, hidden_size, num_layers, dropout=dropout, bidirectional=bidirectional)
        self.head = self.linear((1 + bidirectional) * hidden_size, classes)
        draw(self, self.rng)

    def logits(self, batch: Tokens) -> Tensor:
        """Anything with ``tokens``  ->  z (B, classes)"""
        tokens = tokens_of(batch)
        x = self.embed(self.embedding, tokens.data)                                       # C1
        y, s = self.run(self.rnn, self.packed(tokens, x))                                 # C2
        if self.pooling == "last":
            u = torch.cat(tuple(fields(s)[0][-(1 + self.rnn.bidirectional) :]), -1)          # C3
        elif self.pooling == "mean":
            padded, lengths = pad_packed_sequence(y)
            u = padded.sum(0) / lengths[:, None].to(padded)                               # C4
        else:
            u = pad_packed_sequence(y, padding_value=-torch.inf)[0].max(0).values         # C5
        return self.head(u)                                                               # C6

    def predict(self, batch: Tokens) -> Tensor:
        """Anything with ``tokens``  ->  the most probable class (B,)"""
        return self.logits(batch).argmax(-1)
