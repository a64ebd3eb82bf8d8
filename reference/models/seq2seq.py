"""Many to many, out of step: a sequence for a sequence of another length.  Derivation: notes/models/seq2seq.md

    x_n = E_s[source_n],  m, s = encoder(x), packed                 (Q1)
    s_0 = s of each layer, forward | reverse                        (Q2)
    u_t = E[token_t] where the coin shows heads, else f_t           (Q3)
    h_t, s_{t+1} = decoder(u_t, s_t)                                (Q4)
    c_t, α_t = attention(h_t, m)                                    (Q5)
    r_t = tanh((c_t | h_t) W_cᵀ + b_c),  z_t = r_t Wᵀ + b;  without attention r_t = h_t     (Q6)
    ℓ = mean cross-entropy of z_t against target t, over all true steps         (Q7)
    f_{t+1} = E[token],  argmax of z_t or drawn from softmax(z_t)   (Q8)
    f_{t+1} = softmax(z_t) E,  the expected embedding               (Q9)

Where all coins are heads, the steps of Q3 to Q6 do not wait for each other's outputs: each is one call for all T.
A fed-back token cuts the gradient (Q8), an expected embedding does not (Q9).  The starred labels are the adjoints.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from ..cells.inputs import State
from ..common import checks, sampling, teacher_forcing
from ..common.arrays import Array, join
from ..common.batches import Translated, shape_of, source_of, target_of, tokens_of
from ..common.module import Grads, Pullback, quiet
from ..common.packing import PackedSequence, checked_packed, one_step, pad_packed_sequence, pad_packed_sequence_backward
from ..parts import attention, losses
from ..parts.modules import Attention, Embedding, Linear
from .model import Model, added, cross_entropy
from .recurrent import halved, joined, map_state, recurrent

FEEDBACK = ("argmax", "sample", "expected")


class Memory(NamedTuple):
    """What the decoder attends to."""

    m: Array                     # (S, B, H)
    mask: Array                  # (S, B)
    keys: Array                  # (S, B, H)
    p: attention.Params


class Seq2seq(Model):
    """Encoder, decoder that starts from the encoder's last states, attention of every step over the encoder's outputs.

    Parameters
    ----------
    sources, targets : int
        Sizes of the two vocabularies.
    embedding_dim, num_layers : int
        Of encoder and decoder alike.
    hidden_size : int
        H of the decoder; the encoder has H over its directions in each.
    cell : "rnn", "lstm" or "gru"
    bidirectional : bool
        Of the encoder.
    attention : "additive", "dot", "general", "scaled" or None
    feedback : "argmax", "sample" or "expected"
        What the decoder reads where it does not read the data's token: its own most probable token, one drawn from
        its distribution, or the mean of the embeddings under its distribution.
    bos, eos : int
        The tokens that begin and end a target.
    dropout, dtype, rng, engine
        As for Classifier; ``rng`` draws the coins, too.

    Attributes
    ----------
    teacher_forcing : float from 0 to 1
        How often a step reads the data's token in training; 1 at first, changed by a schedule (``forcing``).

    Raises
    ------
    TypeError, ValueError
        An argument of the wrong type or out of range.
    """

    def __init__(self, sources: int, targets: int, embedding_dim: int = 64, hidden_size: int = 128, num_layers: int = 1, *,
                 cell: str = "lstm", bidirectional: bool = True, attention: str | None = "general", feedback: str = "argmax",
                 dropout: float = 0.0, bos: int = 1, eos: int = 2,
                 dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None, engine: str = "fast"):
        super().__init__(dtype=dtype, rng=rng)
        checks.sizes(sources=sources, targets=targets, embedding_dim=embedding_dim, hidden_size=hidden_size)
        self.feedback = checks.choice("feedback", feedback, FEEDBACK)
        self.bos, self.eos = (checks.token(n, v, targets) for n, v in (("bos", bos), ("eos", eos)))
        self.teacher_forcing = 1.0
        kind: dict[str, Any] = {"dtype": dtype, "rng": self.rng}
        rnn = {"dropout": dropout, "engine": engine, **kind}
        self.source = Embedding(sources, embedding_dim, **kind)
        half = checks.part("hidden_size", hidden_size, 1 + checks.flag("bidirectional", bidirectional))
        self.encoder = recurrent(cell, embedding_dim, half, num_layers, bidirectional=bidirectional, **rnn)
        self.target = Embedding(targets, embedding_dim, **kind)
        self.decoder = recurrent(cell, embedding_dim, hidden_size, num_layers, **rnn)
        self.attention = None if attention is None else Attention(hidden_size, hidden_size, attention, **kind)
        self.combine = None if attention is None else Linear(2 * hidden_size, hidden_size, **kind)
        self.head = Linear(hidden_size, targets, **kind)

    def vjp(self, batch: Translated, coins: Array | None = None) -> tuple[Array, Pullback]:
        """Translated  ->  loss, ``pullback(dloss=1.0) -> grads``

        ``coins`` (T, B), True where the data's token is read, are drawn at ``teacher_forcing`` if not given.

        Raises
        ------
        IndexError
            A token out of range.
        RuntimeError
            Sources and targets of different numbers, or targets of the wrong length.
        ValueError
            teacher_forcing outside 0 to 1.
        """
        z, pull_z, _ = self._logits(batch, coins)
        return cross_entropy(z, target_of(batch), pull_z)                                              # Q7, Q7*

    def logits(self, batch: Translated, coins: Array | None = None) -> Array:
        """Translated  ->  z (M, targets), packed rows as the target's; coins as for ``vjp``"""
        return self._logits(batch, coins)[0]

    def weights(self, batch: Translated) -> Array:
        """Translated  ->  the attention's weights under teacher forcing, (T, B, S)

        Raises
        ------
        ValueError
            A model without attention.
        """
        _, _, w = self._logits(batch, np.ones(shape_of(tokens_of(batch)), bool))
        if w is None:
            raise ValueError("attention must not be None where its weights are asked for")
        return w

    def decode(self, source: PackedSequence, max_length: int = 30, *, beam: int = 1, length_power: float = 0.0) -> list[Array]:
        """What the model says for each source, token arrays without bos and eos; greedy, or by a beam.

        Parameters
        ----------
        source : PackedSequence (N,) of tokens
        max_length : int
            Sequences that have not ended by then are cut off.
        beam : int
            Width of the beam; 1 takes the most probable token at every step.
        length_power : float
            See ``sampling.beam_search``.

        Raises
        ------
        TypeError, ValueError
            An argument out of range.
        """
        checks.sizes(max_length=max_length, beam=beam), checks.at_least_zero("length_power", length_power)
        memory, s, _ = self._encode(source)
        task = (s, memory), self.bos, self.eos, shape_of(source)[1], max_length
        if beam == 1:
            return sampling.free_run(self._next, sampling.greedy, *task)
        return sampling.beam_run(self._next, selected, *task, beam, length_power)

    @quiet
    def _next(self, tokens: Array, state: tuple[State, Memory]) -> tuple[Array, tuple[State, Memory]]:
        """One step of decoding: tokens (B,), (decoder's state, Memory)  ->  z (B, V), state"""
        s, memory = state
        z, _, s, _ = self._step(one_step(tokens), self._input(tokens), s, memory)                   # Q3, Q8
        return z, (s, memory)

    @quiet
    def _logits(self, batch: Translated, coins: Array | None = None) -> tuple[Array, Pullback, Array | None]:
        tokens, source = tokens_of(batch), source_of(batch)
        T, B = shape_of(tokens)
        if coins is None:
            coins = teacher_forcing.coins(self.rng, self.teacher_forcing, T, B)
        coins = checks.mask("coins", coins, (T, B))
        memory, s_0, pull_encoder = self._encode(source)
        if coins.all():
            z, weights, _, pull_z = self._step(tokens, self._input(tokens.data), s_0, memory)
        else:
            z, weights, pull_z = self._stepwise(tokens, s_0, memory, coins)

        def pullback(dz: Array) -> Grads:
            grads, ds_0, dmemory, _ = pull_z(dz)
            return self._gather(**added(grads, pull_encoder(dmemory, ds_0)))

        return z, pullback, weights

    def _encode(self, source: PackedSequence) -> tuple[Memory, State, Pullback]:
        """PackedSequence (N,)  ->  Memory, state, ``pullback((dm, dkeys), ds_0) -> {child: grads}``"""
        source = checked_packed(source, "source")
        x, pull_x = self.source.vjp(source.data)
        y, s, pull_y = self.encoder.vjp(source._replace(data=x))                                    # Q1
        m, lengths = pad_packed_sequence(y)
        D, p = 1 + self.encoder.bidirectional, attention.Params() if self.attention is None else self.attention.p
        keys = attention.keys_forward(p, m)                                                         # Q5, once

        def pullback(dmemory: Sequence[Array], ds_0: State) -> dict[str, Grads]:
            dy, grads = None, {}
            if self.attention is not None:
                dm, dkeys = dmemory
                dW_k, db, dm_keys = attention.keys_backward(dkeys, p, m)                            # Q5*, once
                dy = pad_packed_sequence_backward(dm + dm_keys, y)
                grads["attention"] = self.attention.named(attention.Params(W_k=dW_k, b=db))
            encoder, dx, _ = pull_y(dy, map_state(lambda v: halved(v, D), ds_0))                    # Q1*, Q2*
            return {**grads, "source": pull_x(dx.data), "encoder": encoder}

        memory = Memory(m, np.arange(len(m))[:, None] < lengths, keys, p)
        return memory, map_state(lambda v: joined(v, D), s), pullback                               # Q2

    def _step(self, like: PackedSequence, given: tuple[Array, Pullback], s: State | None,
              memory: Memory) -> tuple[Array, Array | None, State, Pullback]:
        """What _input gave for tokens packed ``like`` these, one step or all, and the decoder's state

        ->  z (M, V), w (T, B, S) or None, state, ``pullback(dz, ds=None) -> {child: grads}, ds, (dm, dkeys), d(last z)``
        """
        u, pull_u = given
        y, s, pull_y = self.decoder.vjp(like._replace(data=u), s)                                   # Q4
        z, weights, pull_z = self._read(y, memory)                                                  # Q5, Q6

        def pullback(dz: Array, ds: State | None = None) -> tuple[dict[str, Grads], State, Sequence[Array], Array | int]:
            grads, dy, dmemory = pull_z(dz)                                                         # Q6*, Q5*
            decoder, du, ds = pull_y(dy, ds)                                                        # Q4*
            target, dfed = pull_u(du.data)                                                          # Q3*
            return {**grads, "decoder": decoder, "target": target}, ds, dmemory, dfed

        return z, weights, s, pullback

    def _read(self, y: PackedSequence, memory: Memory) -> tuple[Array, Array | None, Pullback]:
        """Packed y (M, H)  ->  z (M, V), w (T, B, S) or None, ``pullback(dz) -> {child: grads}, dy, (dm, dkeys)``"""
        attend, combine = self.attention, self.combine
        if attend is None or combine is None:
            z, pull_z = self.head.vjp(y.data)                                                       # Q6

            def head_alone(dz: Array) -> tuple[dict[str, Grads], PackedSequence, Sequence[Array]]:
                head, dy = pull_z(dz)                                                               # Q6*
                return {"head": head}, y._replace(data=dy), ()

            return z, None, head_alone
        m, mask, keys, p = memory
        c, weights, cache = attention.attend_forward(p, pad_packed_sequence(y)[0], m, keys, mask, attend.kind)  # Q5
        a, pull_a = combine.vjp(join(pad_packed_sequence_backward(c, y).data, y.data))
        r = np.tanh(a)                                                                              # Q6
        z, pull_z = self.head.vjp(r)                                                                # Q6

        def pullback(dz: Array) -> tuple[dict[str, Grads], PackedSequence, Sequence[Array]]:
            head, dr = pull_z(dz)                                                                   # Q6*
            combined, both = pull_a(dr * (1 - r**2))                                                # Q6*
            dc, dh = np.split(both, 2, axis=-1)                                                     # Q6*
            dp, dq, *dmemory = attention.attend_backward(pad_packed_sequence(y._replace(data=dc))[0], 0, cache)  # Q5*
            dy = pad_packed_sequence_backward(dq, y)
            return ({"attention": attend.named(dp), "combine": combined, "head": head},
                    dy._replace(data=dy.data + dh), dmemory)

        return z, weights, pullback

    def _stepwise(self, tokens: PackedSequence, s: State, memory: Memory,
                  coins: Array) -> tuple[Array, Array | None, Pullback]:
        """Step by step, each reading what the coins say  ->  z (M, V), w (T, B, S) or None, pullback as _step's"""
        z, steps = None, []
        for ids, coin in zip(pad_packed_sequence(tokens)[0], coins, strict=True):
            z, w, s, pull = self._step(one_step(ids), self._input(ids, coin, z), s, memory)
            steps.append((z, w, pull))
        zs, ws, pulls = zip(*steps, strict=True)

        def pullback(dz: Array) -> tuple[dict[str, Grads], State | None, Sequence[Array], int]:
            dzs, ds, dfed = pad_packed_sequence(tokens._replace(data=dz))[0], None, 0
            total: dict[str, Grads] = {}
            dmemories = []
            for pull, dz in reversed(list(zip(pulls, dzs, strict=True))):
                grads, ds, dmemory, dfed = pull(dz + dfed, ds)
                total = added(total, grads)
                dmemories.append(dmemory)
            return total, ds, [sum(parts) for parts in zip(*dmemories, strict=True)], dfed

        weights = None if ws[0] is None else np.concatenate(ws)
        return pad_packed_sequence_backward(np.stack(zs), tokens).data, weights, pullback

    def _input(self, ids: Array, coin: Array | bool = True, z: Array | None = None) -> tuple[Array, Pullback]:
        """Reads ids (N,) where the coin (N,) is heads, else what z (N, V) says  ->  u (N, E), ``pullback(du) -> grads, dz``"""
        if z is None or self.feedback != "expected":
            if z is not None:
                fed = z.real.argmax(-1) if self.feedback == "argmax" else sampling.sample(z, self.rng)
                ids = np.where(coin, ids, fed)
            u, pull_u = self.target.vjp(ids)                                                        # Q3, Q8
            return u, lambda du: (pull_u(du), 0)                                                    # Q8*
        u, pull_u = self.target.vjp(ids)
        p, E, heads = np.exp(losses.log_softmax(z)), self.target.params["weight"], np.expand_dims(coin, -1)

        def pullback(du: Array) -> tuple[Grads, Array]:
            df = np.where(heads, 0, du)                                                             # Q3*
            dp = df @ E.T                                                                           # Q9*
            dE = pull_u(np.where(heads, du, 0))["weight"] + p.T @ df                                # Q3*, Q9*
            return {"weight": dE}, p * (dp - (p * dp).sum(-1, keepdims=True))                       # Q9*

        return np.where(heads, u, p @ E), pullback                                                  # Q3, Q9


def selected(state: tuple[State, Memory], rows: Array) -> tuple[State, Memory]:
    """The decoder's state and the memory of some sequences, which may be taken more than once"""
    s, (m, mask, keys, p) = state
    return map_state(lambda v: v[:, rows], s), Memory(m[:, rows], mask[:, rows], keys[:, rows], p)
