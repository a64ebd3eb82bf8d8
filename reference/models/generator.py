"""One to many: a condition becomes the first state, and the model reads its own output.  Derivation: notes/models/generator.md

    c_b = Σ_k E_c[condition_bk]                                     (N1)
    a = c W_0ᵀ + b_0,  s_0 = tanh(a), cut into the layers' states    (N2)
    x_n = E[token_n]                                                (N3)
    y, _ = rnn(x, s_0), packed                                      (N4)
    z_n = y_n Wᵀ + b                                                (N5)
    ℓ = mean cross-entropy of z_n against the next token, over all N rows       (N6)
    free running: the next token is drawn from softmax(z) and read in N3        (N7)

In training the tokens read are those of the data (teacher forcing).  The starred labels are the adjoints.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from ..cells.inputs import State
from ..common import checks, sampling
from ..common.arrays import Array, join
from ..common.batches import Conditioned, condition_of, shape_of, target_of, tokens_of
from ..common.module import Grads, Pullback, quiet
from ..parts.modules import Embedding, Linear
from .model import Model, cross_entropy
from .recurrent import as_state, fields, recurrent


class Generator(Model):
    """Conditions embedded and added, mapped to the first states of an rnn, whose outputs predict the next token.

    Parameters
    ----------
    num_embeddings, conditions : int
        Size of the vocabulary, and of the set of all conditions' values together.
    embedding_dim : int
        Of tokens and of conditions.
    bos, eos : int
        The tokens that begin and end a sequence.

    The others, and what is raised, as for Classifier.
    """

    def __init__(self, num_embeddings: int, conditions: int, embedding_dim: int = 32, hidden_size: int = 128,
                 num_layers: int = 1, *, cell: str = "lstm", dropout: float = 0.0, bos: int = 1, eos: int = 2,
                 dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None, engine: str = "fast"):
        super().__init__(dtype=dtype, rng=rng)
        checks.sizes(num_embeddings=num_embeddings, conditions=conditions, embedding_dim=embedding_dim, hidden_size=hidden_size,
                     num_layers=num_layers)
        self.bos, self.eos = (checks.token(n, v, num_embeddings) for n, v in (("bos", bos), ("eos", eos)))
        self.condition = Embedding(conditions, embedding_dim, dtype=dtype, rng=self.rng)
        self.embedding = Embedding(num_embeddings, embedding_dim, dtype=dtype, rng=self.rng)
        self.rnn = recurrent(cell, embedding_dim, hidden_size, num_layers, dropout=dropout, dtype=dtype, rng=self.rng,
                             engine=engine)
        self.start = Linear(embedding_dim, len(self.rnn.room.State._fields) * num_layers * hidden_size, dtype=dtype,
                            rng=self.rng)
        self.head = Linear(hidden_size, num_embeddings, dtype=dtype, rng=self.rng)

    def vjp(self, batch: Conditioned) -> tuple[Array, Pullback]:
        """Conditioned  ->  loss, ``pullback(dloss=1.0) -> grads``

        Raises
        ------
        IndexError
            A token or condition out of range.
        RuntimeError
            Not one condition for each sequence, or not one target for each row.
        """
        z, pull_z = self._logits(batch)
        return cross_entropy(z, target_of(batch), pull_z)                                           # N6, N6*

    def generate(self, condition: Sequence[Array] | Array, max_length: int = 30, *, temperature: float = 1.0,
                 top_k: int | None = None, top_p: float | None = None, rng: np.random.Generator | None = None) -> list[Array]:
        """Sequences drawn from the model, one for each row of ``condition`` (B, C).

        Each ends before its first eos, or at ``max_length``.  Temperature 0 takes the most probable token; ``rng`` is
        the model's own if not given.

        Raises
        ------
        ValueError
            As ``sampling.sample``; or max_length below 1.
        """
        checks.generator("rng", rng), checks.positive_int("max_length", max_length)

        def choose(z: Array) -> Array:
            return sampling.sample(z, self.rng if rng is None else rng, temperature, top_k, top_p)  # N7

        def step(tokens: Array, state: State) -> tuple[Array, State]:
            x, _ = self.embedding.vjp(tokens[None])                                                 # N3
            y, state, _ = self.rnn.vjp(x, state)                                                    # N4
            return self.head.vjp(y[0])[0], state                                                    # N5

        state, _ = self._first_state(condition)
        return sampling.free_run(step, choose, state, self.bos, self.eos, len(condition), max_length)

    @quiet
    def _logits(self, batch: Conditioned) -> tuple[Array, Pullback]:
        tokens = tokens_of(batch)
        condition = condition_of(batch, shape_of(tokens)[1])
        s_0, pull_s = self._first_state(condition)
        x, pull_x = self.embedding.vjp(tokens.data)                                                 # N3
        y, _, pull_y = self.rnn.vjp(tokens._replace(data=x), s_0)                                   # N4
        z, pull_z = self.head.vjp(y.data)                                                           # N5

        def pullback(dz: Array) -> Grads:
            head, dy = pull_z(dz)                                                                   # N5*
            rnn, dx, ds_0 = pull_y(y._replace(data=dy))                                             # N4*
            return self._gather(embedding=pull_x(dx.data), rnn=rnn, head=head, **pull_s(ds_0))      # N3*

        return z, pullback

    def _first_state(self, condition: Sequence[Array] | Array) -> tuple[State, Pullback]:
        """condition (B, C)  ->  the state of the rnn, ``pullback(ds_0) -> {child: grads}``"""
        L, H, S = self.rnn.num_layers, self.rnn.hidden_size, len(self.rnn.room.State._fields)
        condition = checks.matrix("condition", condition)
        k, pull_k = self.condition.vjp(condition)
        a, pull_a = self.start.vjp(k.sum(1))                                                        # N1
        s = np.tanh(a)                                                                              # N2
        B = len(s)

        def pullback(ds_0: State) -> dict[str, Grads]:
            ds = np.stack(fields(ds_0)).reshape(S * L, B, H)                                        # N2*
            start, dc = pull_a(join(*ds) * (1 - s**2))                                              # N2*
            return {"condition": pull_k(np.repeat(dc[:, None], k.shape[1], axis=1)), "start": start}  # N1*

        parts = s.reshape(B, S, L, H).transpose(1, 2, 0, 3)                                         # N2
        return as_state(list(np.ascontiguousarray(parts))), pullback
