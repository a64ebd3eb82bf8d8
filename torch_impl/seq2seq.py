"""The encoder and decoder of reference/seq2seq.py in PyTorch; autograd is the backward.  Q1 to Q9: notes/seq2seq.md"""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_packed_sequence

from reference import decoding, forcing, packing, sampling
from reference.batches import shape_of
from reference.seq2seq import FEEDBACK

from .attention import Attention
from .draws import draw
from .model import Model, one_step, rows_of


class Seq2seq(Model):
    """As reference.seq2seq.Seq2seq; ``way`` as for Model."""

    def __init__(self, sources, targets, embedding_dim=64, hidden_size=128, num_layers=1, *, cell="lstm",
                 bidirectional=True, attention="general", feedback="argmax", dropout=0.0, bos=1, eos=2,
                 dtype="float32", rng=None, way="library"):
        super().__init__(dtype=dtype, rng=rng, way=way)
        if feedback not in FEEDBACK:
            raise ValueError(f"feedback must be one of {', '.join(map(repr, FEEDBACK))}, got {feedback!r}")
        self.feedback, self.bos, self.eos, self.teacher_forcing = feedback, bos, eos, 1.0
        H, D = hidden_size, 1 + bidirectional
        self.source = nn.Embedding(sources, embedding_dim, dtype=self.dtype)
        self.encoder = self.recurrent(cell, embedding_dim, H // D, num_layers, dropout=dropout, bidirectional=bidirectional)
        self.target = nn.Embedding(targets, embedding_dim, dtype=self.dtype)
        self.decoder = self.recurrent(cell, embedding_dim, H, num_layers, dropout=dropout)
        self.attention: Any = None if attention is None else Attention(H, H, attention, dtype=self.dtype)
        self.combine: Any = None if attention is None else nn.Linear(2 * H, H, dtype=self.dtype)
        self.head = nn.Linear(H, targets, dtype=self.dtype)
        draw(self, self.rng)

    def logits(self, batch, coins=None):
        """Translated  ->  z (M, targets), packed rows as the target's"""
        T, B = shape_of(batch.tokens)
        if coins is None:
            coins = forcing.coins(self.rng, self.teacher_forcing, T, B)
        memory, s = self.encode(batch.source)
        if coins.all():
            u = self.target(self.tensor(batch.tokens.data))                               # Q3
            y, _ = self.run(self.decoder, self.packed(batch.tokens, u), s)                # Q4
            return self.read(y, memory)[0]
        read, _ = packing.pad_packed_sequence(batch.tokens)
        z, zs = None, []
        for ids, coin in zip(read, coins, strict=True):
            y, s = self.run(self.decoder, one_step(self.input(ids, coin, z)), s)          # Q3, Q4
            z, _ = self.read(y, memory)
            zs.append(z)
        return rows_of(torch.stack(zs), self.packed(batch.tokens, None))

    def loss(self, batch, coins=None):
        """Translated  ->  the loss, 0-d"""
        return cross_entropy(self.logits(batch, coins), self.tensor(batch.target))        # Q7

    def weights(self, batch):
        """Translated  ->  the attention's weights under teacher forcing, (T, B, S)"""
        if self.attention is None:
            raise ValueError("attention must not be None where its weights are asked for")
        memory, s = self.encode(batch.source)
        y, _ = self.run(self.decoder, self.packed(batch.tokens, self.target(self.tensor(batch.tokens.data))), s)
        return self.read(y, memory)[1]

    @torch.no_grad()
    def decode(self, source, max_length=30, *, beam=1, length_power=0.0):
        """As the namesake's."""
        memory, s = self.encode(source)
        about = (s, memory), self.bos, self.eos, shape_of(source)[1], max_length
        if beam == 1:
            return decoding.free_run(self.next, sampling.greedy, *about)
        return decoding.beam_run(self.next, selected, *about, beam, length_power)

    def next(self, tokens, state):
        """One step of decoding: tokens (B,), (decoder's state, memory)  ->  z (B, V) as an array, state"""
        s, memory = state
        y, s = self.run(self.decoder, one_step(self.target(self.tensor(tokens))), s)      # Q3, Q8, Q4
        return self.read(y, memory)[0].cpu().numpy(), (s, memory)

    def encode(self, source):
        """Packed tokens  ->  (m (S, B, H), mask (S, B)), the decoder's first state"""
        x = self.source(self.tensor(source.data))
        y, s = self.run(self.encoder, self.packed(source, x))                             # Q1
        m, lengths = pad_packed_sequence(y)
        mask = torch.arange(len(m), device=m.device)[:, None] < lengths.to(m.device)
        D = 1 + self.encoder.bidirectional
        h, *rest = (v.unflatten(0, (-1, D)).transpose(1, 2).flatten(2) for v in (s if isinstance(s, tuple) else (s,)))
        return (m, mask), (h, *rest) if rest else h                                       # Q2

    def read(self, y, memory):
        """Packed y (M, H)  ->  z (M, targets), w (T, B, S) or None"""
        if self.attention is None:
            return self.head(y.data), None                                                # Q6
        q, _ = pad_packed_sequence(y)
        c, w = self.attention(q, *memory)                                                 # Q5
        a = self.combine(torch.cat([rows_of(c, y), y.data], -1))
        return self.head(torch.tanh(a)), w                                                # Q6

    def input(self, ids, coin, z):
        """What a step reads: ids (B,), coin (B,), the last z (B, V) or None  ->  u (B, E)"""
        if z is None:
            return self.target(self.tensor(ids))                                          # Q3
        if self.feedback == "expected":
            fed = torch.softmax(z, -1) @ self.target.weight                               # Q9
            return torch.where(self.tensor(coin)[:, None], self.target(self.tensor(ids)), fed)
        last = z.detach().cpu().numpy()
        said = last.argmax(-1) if self.feedback == "argmax" else sampling.sample(last, self.rng)
        return self.target(self.tensor(np.where(coin, ids, said)))                         # Q3, Q8


def selected(state, rows):
    """The decoder's state and the memory of some sequences, which may be taken more than once"""
    s, memory = state
    s = tuple(v[:, rows] for v in s) if isinstance(s, tuple) else s[:, rows]
    return s, tuple(v[:, rows] for v in memory)
