"""Chainer's NStepRNN, NStepLSTM and NStepGRU, and those of two directions, on the CPU; chainer.grad is the backward.

Run with chainer 7.8.1, which is of the time of NumPy 1: ``np.sctypes`` is given back to it.  It takes a list of sequences, each
as long as it is, so there is no padding; its gates of an LSTM are i f g o, not i f o g as its docstring has them.
"""

import numpy as np

vars(np)["sctypes"] = {"int": [np.int32, np.int64], "float": [np.float16, np.float32, np.float64]}
import chainer  # noqa: E402
import chainer.links as links  # noqa: E402

KINDS = {
    ("rnn", "tanh"): (links.NStepRNNTanh, links.NStepBiRNNTanh),
    ("rnn", "relu"): (links.NStepRNNReLU, links.NStepBiRNNReLU),
    ("lstm", "tanh"): (links.NStepLSTM, links.NStepBiLSTM),
    ("gru", "tanh"): (links.NStepGRU, links.NStepBiGRU),
}
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def own(v):
    """A copy that Chainer takes."""
    return chainer.Variable(np.array(v, order="C"))


class Layer:
    """One of Chainer's stacks; ``backward`` is that of the last ``forward``."""

    def __init__(self, spec, weights):
        self.spec, G, H = spec, GATES[spec.cell], spec.hidden_size
        kind = KINDS[spec.cell, spec.nonlinearity][spec.bidirectional]
        self.link = kind(spec.num_layers, spec.input_size, H, spec.dropout)
        ends = [f"_l{k}{d}" for k in range(spec.num_layers) for d in ("", "_reverse")[: 1 + spec.bidirectional]]
        self.parameters = {}  # torch's name -> those of its gates
        for part, end in zip(self.link, ends, strict=True):
            for name, letter, first in (("weight_ih", "w", 0), ("weight_hh", "w", G), ("bias_ih", "b", 0), ("bias_hh", "b", G)):
                gates = [getattr(part, f"{letter}{first + g}") for g in range(G)]
                blocks = np.split(weights[name + end], G) if name + end in weights else [np.zeros(H, spec.dtype)] * G
                for p, block in zip(gates, blocks, strict=True):
                    p.array = np.array(block, order="C")
                if name + end in weights:
                    self.parameters[name + end] = gates

    def sequences(self, v):
        """(T, B, ·) or (B, T, ·)  ->  each sequence, as long as it is"""
        return [own(v[b, :n] if self.spec.batch_first else v[:n, b]) for b, n in enumerate(self.ends)]

    def padded(self, vs):
        """The other way, with zeros past the ends"""
        y = np.zeros((self.T, len(vs), vs[0].shape[1]), vs[0].dtype)
        for b, v in enumerate(vs):
            y[: len(v), b] = v
        return np.array(y.swapaxes(0, 1)) if self.spec.batch_first else y

    def run(self, x, state, lengths):
        B, self.T = x.shape[:2] if self.spec.batch_first else x.shape[1::-1]
        self.ends = [self.T] * B if lengths is None else [int(n) for n in lengths]
        self.x, self.state = self.sequences(x), [own(s) for s in state or ()]
        *self.state_n, self.y = self.link(*(self.state or [None] * len(self.spec.state_sizes)), self.x)
        return self.padded([y.array for y in self.y]), tuple(np.array(s.array) for s in self.state_n)

    def forward(self, x, state, lengths=None):
        with chainer.using_config("train", True):
            return self.run(x, state, lengths)

    def infer(self, x, state, lengths=None):
        kept = dict(vars(self))  # of the last forward
        with chainer.using_config("train", False), chainer.no_backprop_mode():
            returned = self.run(x, state, lengths)
        vars(self).update(kept)
        return returned

    def backward(self, dy, dstate):
        wanted = [*self.x, *self.state, *(p for gates in self.parameters.values() for p in gates)]
        found = chainer.grad([*self.y, *self.state_n], wanted, [*self.sequences(dy), *map(own, dstate)])
        found = [np.zeros_like(v.array) if g is None else np.array(g.array) for g, v in zip(found, wanted, strict=True)]
        B, n = len(self.x), len(self.state)
        rest = iter(found[B + n :])
        dweights = {name: np.concatenate([next(rest) for _ in gates]) for name, gates in self.parameters.items()}
        return self.padded(found[:B]), tuple(found[B : B + n]) or None, dweights


load = Layer


def declines(spec):
    """A reason, or None."""
    if spec.device != "cpu":
        return "this adapter runs Chainer's CPU code"
    if spec.proj_size:
        return "Chainer has no projection"
    if not spec.reset_after:
        return "Chainer's NStepGRU resets after the product only"
    return "Chainer's dropout is below 1" if spec.dropout == 1 else None


def about():
    """Version."""
    return f"Chainer {chainer.__version__} on the CPU, NumPy {np.__version__}"
