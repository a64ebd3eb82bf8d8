"""Many to one: one class for a whole sequence.  Derivation: notes/models/classifier.md

    x_n = E[token_n]                                                (C1)
    y, s = rnn(x), packed                                           (C2)
    last:  u_b = h of the last layer after each direction's own last step, forward | reverse     (C3)
    mean:  u_b = 1/T_b Σ_t y_tb                                     (C4)
    max:   u_b = max_t y_tb                                         (C5)
    z = u Wᵀ + b,  ℓ = mean cross-entropy of z against the class (C6)

T_b is the true length of sequence b.  The starred labels are the adjoints.
"""

import numpy as np
from numpy.typing import DTypeLike

from ..common import checks
from ..common.arrays import Array, join
from ..common.batches import Labelled, Tokens, target_of, tokens_of
from ..common.module import Grads, Pullback, quiet
from ..common.packing import PackedSequence, pad_packed_sequence, pad_packed_sequence_backward
from ..parts.modules import Embedding, Linear
from .model import Model, cross_entropy
from .recurrent import hidden, of_hidden, recurrent

POOLING = ("last", "mean", "max")


class Classifier(Model):
    """Embedding, rnn over packed sequences, one vector for each sequence, linear layer, cross-entropy.

    Parameters
    ----------
    num_embeddings, classes : int
        Sizes of the vocabulary and of the set of classes.
    embedding_dim, hidden_size, num_layers : int
    cell : "rnn", "lstm" or "gru"
    bidirectional : bool
    pooling : "last", "mean" or "max"
        The state after the true end of each sequence, or the mean or the maximum over its true steps.
    dropout : float from 0 to 1
        Between the layers of the rnn, in training mode.
    dtype, rng, engine
        As for the layers; ``rng`` draws the initial parameters, in the order of the attributes, then dropout masks.

    Raises
    ------
    TypeError, ValueError
        An argument of the wrong type or out of range.
    """

    def __init__(self, num_embeddings: int, classes: int, embedding_dim: int = 32, hidden_size: int = 64, num_layers: int = 1, *,
                 cell: str = "lstm", bidirectional: bool = True, pooling: str = "last", dropout: float = 0.0,
                 dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None, engine: str = "fast"):
        super().__init__(dtype=dtype, rng=rng)
        checks.sizes(num_embeddings=num_embeddings, embedding_dim=embedding_dim, hidden_size=hidden_size)
        self.classes = checks.positive_int("classes", classes)
        self.pooling = checks.choice("pooling", pooling, POOLING)
        self.embedding = Embedding(num_embeddings, embedding_dim, dtype=dtype, rng=self.rng)
        self.rnn = recurrent(cell, embedding_dim, hidden_size, num_layers, dropout=dropout, bidirectional=bidirectional,
                             dtype=dtype, rng=self.rng, engine=engine)
        self.head = Linear((1 + self.rnn.bidirectional) * hidden_size, classes, dtype=dtype, rng=self.rng)

    def vjp(self, batch: Labelled) -> tuple[Array, Pullback]:
        """Labelled  ->  loss, ``pullback(dloss=1.0) -> grads``

        Raises
        ------
        IndexError
            A token or a class out of range.
        RuntimeError
            Not one class for each sequence.
        """
        z, pull_z = self._logits(batch)
        return cross_entropy(z, target_of(batch), pull_z)                                           # C6, C6*

    def predict(self, batch: Tokens) -> Array:
        """Anything with ``tokens``  ->  the most probable class (B,)"""
        return self.logits(batch).argmax(-1)

    @quiet
    def _logits(self, batch: Tokens) -> tuple[Array, Pullback]:
        tokens = tokens_of(batch)
        x, pull_x = self.embedding.vjp(tokens.data)                                                 # C1
        y, s, pull_y = self.rnn.vjp(tokens._replace(data=x))                                        # C2
        if self.pooling == "last":
            D = 1 + self.rnn.bidirectional
            u = join(*hidden(s)[-D:])                                                               # C3
        else:
            u, pull_u = pooled(y, self.pooling)
        z, pull_z = self.head.vjp(u)                                                                # C6

        def pullback(dz: Array) -> Grads:
            head, du = pull_z(dz)                                                                   # C6*
            if self.pooling == "last":
                dh = np.zeros_like(hidden(s))
                dh[-D:] = np.split(du, D, axis=-1)                                                  # C3*
                rnn, dx, _ = pull_y(None, of_hidden(dh, s))                                         # C2*
            else:
                rnn, dx, _ = pull_y(pull_u(du))                                                     # C2*
            return self._gather(embedding=pull_x(dx.data), rnn=rnn, head=head)                      # C1*

        return z, pullback


def pooled(y: PackedSequence, pooling: str) -> tuple[Array, Pullback]:
    """PackedSequence y (N, F)  ->  u (B, F) in the caller's order, ``pullback(du) -> dy`` packed like y"""
    padded, lengths = pad_packed_sequence(y, padding_value=0.0 if pooling == "mean" else -np.inf)
    if pooling == "mean":
        scale = (1 / lengths[:, None].astype(y.data.dtype))
        u = padded.sum(0) * scale                                                                   # C4
    else:
        first = padded.real.argmax(0)[None]  # where several steps are largest, the first takes the gradient
        u = np.take_along_axis(padded, first, 0)[0]                                                 # C5

    def pullback(du: Array) -> PackedSequence:
        if pooling == "mean":
            dpadded = np.broadcast_to(du * scale, padded.shape)                                     # C4*
        else:
            dpadded = np.zeros_like(padded)
            np.put_along_axis(dpadded, first, du[None], 0)                                          # C5*
        return pad_packed_sequence_backward(dpadded, y)

    return u, pullback
