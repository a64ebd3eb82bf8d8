"""Many to many, in step: one tag for each element of a sequence.  Derivation: notes/models/tagger.md

    x_n = E[token_n]                                                (M1)
    y, _ = rnn(x), packed                                           (M2)
    z_n = y_n Wᵀ + b                                                (M3)
    ℓ = mean cross-entropy of z_n against tag n, over all N rows of the batch                    (M4)

A row n is one true step of one sequence: there is no padding anywhere.  The starred labels are the adjoints.
"""

import numpy as np
from numpy.typing import DTypeLike

from ..common import checks
from ..common.arrays import Array
from ..common.batches import Tagged, Tokens, target_of, tokens_of
from ..common.module import Grads, Pullback, quiet
from ..parts.modules import Embedding, Linear
from .model import Model, cross_entropy
from .recurrent import recurrent


class Tagger(Model):
    """Embedding, rnn over packed sequences, linear layer at every step, cross-entropy.

    Parameters
    ----------
    num_embeddings, tags : int
        Sizes of the vocabulary and of the set of tags.
    bidirectional : bool
        True lets a tag depend on what comes after it, too.

    The others, and what is raised, as for Classifier.
    """

    def __init__(self, num_embeddings: int, tags: int, embedding_dim: int = 32, hidden_size: int = 64, num_layers: int = 1, *,
                 cell: str = "lstm", bidirectional: bool = True, dropout: float = 0.0,
                 dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None, engine: str = "fast"):
        super().__init__(dtype=dtype, rng=rng)
        checks.sizes(num_embeddings=num_embeddings, tags=tags, embedding_dim=embedding_dim, hidden_size=hidden_size)
        self.embedding = Embedding(num_embeddings, embedding_dim, dtype=dtype, rng=self.rng)
        self.rnn = recurrent(cell, embedding_dim, hidden_size, num_layers, dropout=dropout, bidirectional=bidirectional,
                             dtype=dtype, rng=self.rng, engine=engine)
        self.head = Linear((1 + self.rnn.bidirectional) * hidden_size, tags, dtype=dtype, rng=self.rng)

    def vjp(self, batch: Tagged) -> tuple[Array, Pullback]:
        """Tagged  ->  loss, ``pullback(dloss=1.0) -> grads``

        Raises
        ------
        IndexError
            A token or a tag out of range.
        RuntimeError
            Not one tag for each row.
        """
        z, pull_z = self._logits(batch)
        return cross_entropy(z, target_of(batch), pull_z)                                           # M4, M4*

    def predict(self, batch: Tokens) -> Array:
        """Anything with ``tokens``  ->  the most probable tag of each row (N,)"""
        return self.logits(batch).argmax(-1)

    @quiet
    def _logits(self, batch: Tokens) -> tuple[Array, Pullback]:
        tokens = tokens_of(batch)
        x, pull_x = self.embedding.vjp(tokens.data)                                                 # M1
        y, _, pull_y = self.rnn.vjp(tokens._replace(data=x))                                        # M2
        z, pull_z = self.head.vjp(y.data)                                                           # M3

        def pullback(dz: Array) -> Grads:
            head, dy = pull_z(dz)                                                                   # M3*
            rnn, dx, _ = pull_y(y._replace(data=dy))                                                # M2*
            return self._gather(embedding=pull_x(dx.data), rnn=rnn, head=head)                      # M1*

        return z, pullback
