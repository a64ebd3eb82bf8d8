"""Many to many, out of step: a sequence for a sequence of another length.  Derivation: notes/seq2seq.md

    x_n = F[source_n],  m, s = encoder(x), packed                   (Q1)
    s_0 = s of each layer, forward | reverse                        (Q2)
    u_t = E[token_t] where the coin k_t is heads, else f_t          (Q3)
    h_t, s_{t+1} = decoder(u_t, s_t)                                (Q4)
    c_t, w_t = attention(h_t, m)                                    (Q5)
    a_t = tanh((c_t | h_t) Aᵀ + a)   without attention a_t = h_t    (Q6)
    z_t = a_t Wᵀ + b                                                (Q7)
    loss = mean cross-entropy of z_t against target t, over all true steps      (Q8)
    f_{t+1} = E[token],  argmax of z_t or drawn from softmax(z_t)   (Q9)
    f_{t+1} = softmax(z_t) E,  the expected embedding               (Q10)

Where all coins are heads, the steps of Q3 to Q7 do not wait for each other's outputs: each is one call for all T.
A fed-back token cuts the gradient (Q9), an expected embedding does not (Q10).  The starred labels are the adjoints.
"""

import numpy as np

from . import checks, forcing, losses, sampling
from .layers import quiet
from .model import Model
from .modules import Attention, Embedding, Linear
from .ops import Array, join
from .packing import PackedSequence, pad_packed_sequence, pad_packed_sequence_backward
from .recurrent import map_state, recurrent

FEEDBACK = ("argmax", "sample", "expected")


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
    attention : "additive", "dot", "general", "scaled_dot" or None
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

    def __init__(self, sources, targets, embedding_dim=64, hidden_size=128, num_layers=1, *, cell="lstm",
                 bidirectional=True, attention="general", feedback="argmax", dropout=0.0, bos=1, eos=2,
                 dtype=np.float32, rng=None, engine="fast"):
        super().__init__(dtype=dtype, rng=rng)
        self.feedback = checks.choice("feedback", feedback, FEEDBACK)
        self.bos, self.eos = (checks.token(n, v, targets) for n, v in (("bos", bos), ("eos", eos)))
        self.teacher_forcing = 1.0
        more = {"dtype": dtype, "rng": self.rng}
        rnn = {"dropout": dropout, "engine": engine, **more}
        self.source = Embedding(sources, embedding_dim, **more)
        self.encoder = recurrent(cell, embedding_dim, checks.share("hidden_size", hidden_size, 1 + bidirectional),
                                 num_layers, bidirectional=bidirectional, **rnn)
        self.target = Embedding(targets, embedding_dim, **more)
        self.decoder = recurrent(cell, embedding_dim, hidden_size, num_layers, **rnn)
        self.attention = None if attention is None else Attention(hidden_size, hidden_size, attention, **more)
        self.combine = None if attention is None else Linear(2 * hidden_size, hidden_size, **more)
        self.head = Linear(hidden_size, targets, **more)

    def vjp(self, batch, coins=None):
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
        loss, cache = losses.cross_entropy_forward(z, batch.target)                                         # Q8

        def pullback(dloss=1.0):
            return pull_z(losses.cross_entropy_backward(dloss, cache))                              # Q8*

        return loss, pullback

    def logits(self, batch, coins=None) -> Array:
        """Translated  ->  z (M, targets), packed rows as the target's"""
        return self._logits(batch, coins)[0]

    def weights(self, batch) -> Array:
        """Translated  ->  the attention's weights under teacher forcing, (T, B, S)

        Raises
        ------
        ValueError
            A model without attention.
        """
        if self.attention is None:
            raise ValueError("attention must not be None where its weights are asked for")
        return self._logits(batch, np.ones(shape_of(batch.tokens), bool))[2]

    @quiet
    def _logits(self, batch, coins):
        T, B = shape_of(batch.tokens)
        if shape_of(batch.source)[1] != B:
            raise RuntimeError(f"batch must have one target for each of the {shape_of(batch.source)[1]} sources, got {B}")
        if coins is None:
            coins = forcing.coins(self.rng, self.teacher_forcing, T, B)
        memory, s_0, pull_encoder = self._encode(batch.source)
        z, weights, pull_z = (self._forced(batch.tokens, s_0, memory) if coins.all() else
                              self._stepwise(batch.tokens, s_0, memory, coins))

        def pullback(dz):
            grads, ds_0, dmemory = pull_z(dz)
            return self._gather(**grads, **pull_encoder(dmemory, ds_0))

        return z, pullback, weights

    def _encode(self, source):
        """PackedSequence (N,)  ->  (m (S, B, H), mask (S, B)), state, ``pullback(dm, ds_0) -> {child: grads}``"""
        x, pull_x = self.source.vjp(source.data)
        y, s, pull_y = self.encoder.vjp(source._replace(data=x))                                    # Q1
        m, lengths = pad_packed_sequence(y)
        D = 1 + self.encoder.bidirectional

        def pullback(dm, ds_0):
            dy = None if dm is None else pad_packed_sequence_backward(dm, y)
            encoder, dx, _ = pull_y(dy, map_state(lambda v: halved(v, D), ds_0))                    # Q1*, Q2*
            return {"source": pull_x(dx.data), "encoder": encoder}

        return (m, np.arange(len(m))[:, None] < lengths), map_state(lambda v: joined(v, D), s), pullback  # Q2

    def _forced(self, tokens, s_0, memory):
        """All steps at once  ->  z (M, V), w (T, B, S), ``pullback(dz) -> {child: grads}, ds_0, dm``"""
        u, pull_u = self.target.vjp(tokens.data)                                                    # Q3
        y, _, pull_y = self.decoder.vjp(tokens._replace(data=u), s_0)                               # Q4
        z, weights, pull_z = self._read(y, memory)

        def pullback(dz):
            grads, dy, dm = pull_z(dz)
            decoder, du, ds_0 = pull_y(dy)                                                          # Q4*
            return {**grads, "decoder": decoder, "target": pull_u(du.data)}, ds_0, dm               # Q3*

        return z, weights, pullback

    def _read(self, y, memory):
        """Packed y (M, H)  ->  z (M, V), w (T, B, S) or None, ``pullback(dz) -> {child: grads}, dy, dm``"""
        if self.attention is None:
            z, pull_z = self.head.vjp(y.data)                                                       # Q7

            def back(dz):
                head, dy = pull_z(dz)                                                               # Q7*
                return {"head": head}, y._replace(data=dy), None

            return z, None, back
        c, weights, pull_c = self.attention.vjp(pad_packed_sequence(y)[0], *memory)                 # Q5
        a, pull_a = self.combine.vjp(join(pad_packed_sequence_backward(c, y).data, y.data))
        a = np.tanh(a)                                                                              # Q6
        z, pull_z = self.head.vjp(a)                                                                # Q7

        def pullback(dz):
            head, da = pull_z(dz)                                                                   # Q7*
            combine, both = pull_a(da * (1 - a**2))                                                 # Q6*
            dc, dh = np.split(both, 2, axis=-1)                                                     # Q6*
            attention, dq, dm = pull_c(pad_packed_sequence(y._replace(data=dc))[0])                 # Q5*
            dy = pad_packed_sequence_backward(dq, y)
            return ({"attention": attention, "combine": combine, "head": head},
                    dy._replace(data=dy.data + dh), dm)

        return z, weights, pullback

    def _stepwise(self, tokens, s_0, memory, coins):
        """Step by step, each reading what the coins say  ->  as _forced"""
        read, s, z = pad_packed_sequence(tokens)[0], s_0, None
        one = PackedSequence(read, np.array([read.shape[1]]))
        steps: list[tuple] = []
        for t, coin in enumerate(coins):
            u, pull_u = self._input(read[t], coin, z)                                               # Q3
            y, s, pull_y = self.decoder.vjp(one._replace(data=u), s)                                # Q4
            z, w, pull_z = self._read(y, memory)                                                    # Q5, Q6, Q7
            steps.append((z, w, pull_u, pull_y, pull_z))
        zs, ws, *pulls = zip(*steps, strict=True)

        def pullback(dz):
            dz, ds, dfed, dm = pad_packed_sequence(tokens._replace(data=dz))[0], None, 0, []
            total: dict = {}
            for t, (pull_u, pull_y, pull_z) in reversed(list(enumerate(zip(*pulls, strict=True)))):
                grads, dy, dm_t = pull_z(dz[t] + dfed)                                              # Q7*, Q6*, Q5*
                decoder, du, ds = pull_y(dy, ds)                                                    # Q4*
                target, dfed = pull_u(du.data)                                                      # Q3*
                total = added(total, {**grads, "decoder": decoder, "target": target})
                dm.append(dm_t)
            return total, ds, None if dm[0] is None else sum(dm)

        weights = None if ws[0] is None else np.concatenate(ws)
        return pad_packed_sequence_backward(np.stack(zs), tokens).data, weights, pullback

    def _input(self, ids, coin, z):
        """What a step reads: ids (B,), coin (B,), the last z (B, V) or None  ->  u (B, E), ``pullback(du) -> grads, dz``"""
        if z is None or self.feedback != "expected":
            if z is not None:
                fed = z.real.argmax(-1) if self.feedback == "argmax" else sampling.sample(z, self.rng)
                ids = np.where(coin, ids, fed)
            u, pull_u = self.target.vjp(ids)                                                        # Q3, Q9
            return u, lambda du: (pull_u(du), 0)                                                    # Q9*
        u, pull_u = self.target.vjp(ids)
        p, E, heads = np.exp(losses.log_softmax(z)), self.target.params["weight"], coin[:, None]

        def pullback(du):
            df = np.where(heads, 0, du)                                                             # Q3*
            dp = df @ E.T                                                                           # Q10*
            dE = pull_u(np.where(heads, du, 0))["weight"] + p.T @ df                                # Q3*, Q10*
            return {"weight": dE}, p * (dp - (p * dp).sum(-1, keepdims=True))                       # Q10*

        return np.where(heads, u, p @ E), pullback                                                  # Q3, Q10


def shape_of(packed: PackedSequence) -> tuple[int, int]:
    """Steps and sequences of a packed batch"""
    return len(packed.batch_sizes), int(packed.batch_sizes[0])


def joined(v: Array, D: int) -> Array:
    """(L·D, B, F)  ->  (L, B, D·F)"""
    LD, B, F = v.shape
    return v.reshape(LD // D, D, B, F).swapaxes(1, 2).reshape(LD // D, B, D * F)


def halved(v: Array, D: int) -> Array:
    """The inverse of joined"""
    L, B, DF = v.shape
    return v.reshape(L, B, D, DF // D).swapaxes(1, 2).reshape(L * D, B, DF // D)


def added(total: dict, grads: dict) -> dict:
    """Gradients by child and name, summed"""
    return {child: {k: total[child][k] + v if total else v for k, v in named.items()} for child, named in grads.items()}
