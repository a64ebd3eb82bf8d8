"""The generator of reference/models/generator.py in PyTorch; autograd is the backward.  N1 to N7: notes/models/generator.md"""

import numpy as np
import torch
from torch import Tensor

from reference.common import checks, sampling
from reference.common.arrays import Array
from reference.common.batches import Conditioned, condition_of, shape_of, tokens_of

from ..cells.layers import State, as_state
from ..common.initial_weights import draw
from .model import CELLS, Model, one_step


class Generator(Model):
    """As reference.models.generator.Generator; ``way`` as for Model."""

    def __init__(self, num_embeddings: int, conditions: int, embedding_dim: int = 32, hidden_size: int = 128,
                 num_layers: int = 1, *, cell: str = "lstm", dropout: float = 0.0, bos: int = 1, eos: int = 2,
                 dtype: str | torch.dtype = "float32", rng: np.random.Generator | None = None, way: str = "library"):
        super().__init__(dtype=dtype, rng=rng, way=way)
        checks.sizes(num_embeddings=num_embeddings, conditions=conditions, embedding_dim=embedding_dim, hidden_size=hidden_size,
                     num_layers=num_layers)
        self.bos, self.eos = (checks.token(n, v, num_embeddings) for n, v in (("bos", bos), ("eos", eos)))
        self.states = 2 if checks.choice("cell", cell, tuple(CELLS)) == "lstm" else 1
        self.condition = self.table(conditions, embedding_dim)
        self.embedding = self.table(num_embeddings, embedding_dim)
        self.rnn = self.recurrent(cell, embedding_dim, hidden_size, num_layers, dropout=dropout)
        self.start = self.linear(embedding_dim, self.states * num_layers * hidden_size)
        self.head = self.linear(hidden_size, num_embeddings)
        draw(self, self.rng)

    def first_state(self, condition: Array) -> State:
        """condition (B, C)  ->  the state of the rnn"""
        c = self.embed(self.condition, checks.matrix("condition", condition)).sum(1)      # N1
        s = torch.tanh(self.start(c)).unflatten(-1, (self.states, self.rnn.num_layers, -1))
        return as_state(s.permute(1, 2, 0, 3).contiguous().unbind())                      # N2

    def logits(self, batch: Conditioned) -> Tensor:
        """Conditioned  ->  z (N, num_embeddings), packed rows.  RuntimeError: not one condition for each sequence."""
        tokens = tokens_of(batch)
        state = self.first_state(condition_of(batch, shape_of(tokens)[1]))                # N1, N2
        x = self.embed(self.embedding, tokens.data)                                       # N3
        y, _ = self.run(self.rnn, self.packed(tokens, x), state)                          # N4
        return self.head(y.data)                                                          # N5

    @torch.no_grad()
    def generate(self, condition: Array, max_length: int = 30, *, temperature: float = 1.0, top_k: int | None = None,
                 top_p: float | None = None, rng: np.random.Generator | None = None) -> list[Array]:
        """As the namesake's, with the same draws from the same generator."""
        checks.generator("rng", rng), checks.positive_int("max_length", max_length)

        def choose(z: Array) -> Array:
            return sampling.sample(z, self.rng if rng is None else rng, temperature, top_k, top_p)  # N7

        def step(tokens: Array, state: State) -> tuple[Array, State]:
            x = self.embed(self.embedding, tokens)                                        # N3
            y, state = self.run(self.rnn, one_step(x), state)                             # N4
            return self.head(y.data).cpu().numpy(), state                                 # N5

        state = self.first_state(condition)
        return sampling.free_run(step, choose, state, self.bos, self.eos, len(condition), max_length)
