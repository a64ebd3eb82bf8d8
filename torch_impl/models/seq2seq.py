"""The encoder and decoder of reference/models/seq2seq.py in PyTorch; autograd is the backward.

Q1 to Q9: notes/models/seq2seq.md
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from reference.common import checks, packing, sampling, teacher_forcing
from reference.common.arrays import Array
from reference.common.batches import Translated, shape_of, source_of, target_of, tokens_of
from reference.models.seq2seq import FEEDBACK

from ..cells.layers import State, as_state, fields
from ..common.initial_weights import draw
from ..parts.attention import Attention
from .model import Model, one_step, rows_of

Memory = tuple[Tensor, Tensor]  # m (S, B, H), mask (S, B)


class Seq2seq(Model):
    """As reference.models.seq2seq.Seq2seq; ``way`` as for Model."""

    def __init__(self, sources: int, targets: int, embedding_dim: int = 64, hidden_size: int = 128, num_layers: int = 1, *,
                 cell: str = "lstm", bidirectional: bool = True, attention: str | None = "general", feedback: str = "argmax",
                 dropout: float = 0.0, bos: int = 1, eos: int = 2, dtype: str | torch.dtype = "float32",
                 rng: np.random.Generator | None = None, way: str = "library"):
        super().__init__(dtype=dtype, rng=rng, way=way)
        checks.sizes(sources=sources, targets=targets, embedding_dim=embedding_dim, hidden_size=hidden_size)
        self.feedback, self.teacher_forcing = checks.choice("feedback", feedback, FEEDBACK), 1.0
        self.bos, self.eos = (checks.token(n, v, targets) for n, v in (("bos", bos), ("eos", eos)))
        H, D = hidden_size, 1 + checks.flag("bidirectional", bidirectional)
        half = checks.part("hidden_size", H, D)
        self.source = self.table(sources, embedding_dim)
        self.encoder = self.recurrent(cell, embedding_dim, half, num_layers, dropout=dropout, bidirectional=bidirectional)
        self.target = self.table(targets, embedding_dim)
        self.decoder = self.recurrent(cell, embedding_dim, H, num_layers, dropout=dropout)
        self.attention = None if attention is None else Attention(H, H, attention, dtype=self.dtype)
        self.combine = None if attention is None else self.linear(2 * H, H)
        self.head = self.linear(H, targets)
        draw(self, self.rng)

    def logits(self, batch: Translated, coins: Array | None = None) -> Tensor:
        """Translated, coins (T, B)  ->  z (M, targets), packed as the target.  RuntimeError: not one target for each source."""
        tokens, source = tokens_of(batch), source_of(batch)
        T, B = shape_of(tokens)
        if coins is None:
            coins = teacher_forcing.coins(self.rng, self.teacher_forcing, T, B)
        coins = checks.mask("coins", coins, (T, B))
        memory, s = self.encode(source)
        if coins.all():
            u = self.embed(self.target, tokens.data)                                      # Q3
            y, _ = self.run(self.decoder, self.packed(tokens, u), s)                      # Q4
            return self.read(y, memory)[0]
        read, _ = packing.pad_packed_sequence(tokens)
        z, zs = None, []
        for ids, coin in zip(read, coins, strict=True):
            y, s = self.run(self.decoder, one_step(self.input(ids, coin, z)), s)          # Q3, Q4
            z, _ = self.read(y, memory)
            zs.append(z)
        return rows_of(torch.stack(zs), self.packed(tokens, zs[0]))

    def loss(self, batch: Translated, coins: Array | None = None) -> Tensor:
        """Translated  ->  the loss, 0-d"""
        return self.cross_entropy(self.logits(batch, coins), target_of(batch))            # Q7

    def weights(self, batch: Translated) -> Tensor:
        """Translated  ->  the attention's weights under teacher forcing, (T, B, S).  ValueError: there is no attention."""
        tokens, source = tokens_of(batch), source_of(batch)
        memory, s = self.encode(source)
        y, _ = self.run(self.decoder, self.packed(tokens, self.embed(self.target, tokens.data)), s)
        _, w = self.read(y, memory)
        if w is None:
            raise ValueError("attention must not be None where its weights are asked for")
        return w

    @torch.no_grad()
    def decode(self, source: packing.PackedSequence, max_length: int = 30, *, beam: int = 1,
               length_power: float = 0.0) -> list[Array]:
        """As the namesake's."""
        checks.sizes(max_length=max_length, beam=beam), checks.at_least_zero("length_power", length_power)
        memory, s = self.encode(source)
        about = (s, memory), self.bos, self.eos, shape_of(source)[1], max_length
        if beam == 1:
            return sampling.free_run(self.next, sampling.greedy, *about)
        return sampling.beam_run(self.next, selected, *about, beam, length_power)

    def next(self, tokens: Array, state: tuple[State, Memory]) -> tuple[Array, tuple[State, Memory]]:
        """One step of decoding: tokens (B,), (decoder's state, memory)  ->  z (B, V) as an array, state"""
        s, memory = state
        y, s = self.run(self.decoder, one_step(self.embed(self.target, tokens)), s)       # Q3, Q8, Q4
        return self.read(y, memory)[0].cpu().numpy(), (s, memory)

    def encode(self, source: packing.PackedSequence) -> tuple[Memory, State]:
        """Packed tokens  ->  (m (S, B, H), mask (S, B)), the decoder's first state"""
        source = packing.checked_packed(source, "source")
        x = self.embed(self.source, source.data)
        y, s = self.run(self.encoder, self.packed(source, x))                             # Q1
        m, lengths = pad_packed_sequence(y)
        mask = torch.arange(len(m), device=m.device)[:, None] < lengths.to(m.device)
        D = 1 + self.encoder.bidirectional
        return (m, mask), as_state([v.unflatten(0, (-1, D)).transpose(1, 2).flatten(2) for v in fields(s)])  # Q2

    def read(self, y: PackedSequence, memory: Memory) -> tuple[Tensor, Tensor | None]:
        """Packed y (M, H)  ->  z (M, targets), w (T, B, S) or None"""
        if self.attention is None or self.combine is None:
            return self.head(y.data), None                                                # Q6
        q, _ = pad_packed_sequence(y)
        c, w = self.attention(q, *memory)                                                 # Q5
        a = self.combine(torch.cat([rows_of(c, y), y.data], -1))
        return self.head(torch.tanh(a)), w                                                # Q6

    def input(self, ids: Array, coin: Array, z: Tensor | None) -> Tensor:
        """What a step reads: ids (B,), coin (B,), the last z (B, V) or None  ->  u (B, E)"""
        if z is None:
            return self.embed(self.target, ids)                                           # Q3
        if self.feedback == "expected":
            fed = torch.softmax(z, -1) @ self.target.weight                               # Q9
            return torch.where(self.tensor(coin)[:, None], self.embed(self.target, ids), fed)
        last = z.detach().cpu().numpy()
        said = last.argmax(-1) if self.feedback == "argmax" else sampling.sample(last, self.rng)
        return self.embed(self.target, np.where(coin, ids, said))                         # Q3, Q8


def selected(state: tuple[State, Memory], rows: Array) -> tuple[State, Memory]:
    """The decoder's state and the memory of some sequences, which may be taken more than once"""
    s, (m, mask) = state
    return as_state([v[:, rows] for v in fields(s)]), (m[:, rows], mask[:, rows])
