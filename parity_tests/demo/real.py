"""Cases of the suite whose input is real: passages of Shakespeare, windows of sunspots."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from reference.common import datasets as corpora

from ..judge.cases import Case, Data, Spec
from ..judge.implementations import BUILTIN

CELLS, DTYPES = ("rnn", "lstm", "gru"), ("float32", "float64")


@dataclass(frozen=True)
class RealCase(Case):
    """A case whose input is real, and whose upstream gradients are those of a real loss: predict what comes next."""

    source: str = ""

    def data(self) -> Data:
        """Random weights and states; x, and dy from the cross-entropy or squared error of a random linear readout."""
        drawn = super().data()
        x, target = SOURCES[self.source](self.T, self.B)
        readout = np.random.default_rng(1).normal(0, 0.3, (self.spec.hidden_size, target.shape[-1]))
        layer = BUILTIN["numpy"].load(self.spec, drawn.weights)
        y, _ = layer.forward(x.astype(self.spec.dtype), drawn.state)
        output = y @ readout
        if self.source == "text":
            e = np.exp(output - output.max(-1, keepdims=True))
            output = e / e.sum(-1, keepdims=True)
        dy = (output - target) @ readout.T / (self.T * self.B)
        return drawn._replace(x=x.astype(self.spec.dtype), dy=dy.astype(self.spec.dtype))


@cache
def text(T: int, B: int) -> tuple[np.ndarray, np.ndarray]:
    """B passages of Shakespeare of T characters, one-hot, and the same one character later: two (T, B, V)."""
    plays = corpora.shakespeare()
    letters = {c: k for k, c in enumerate(sorted(set(plays)))}
    starts = np.linspace(0, len(plays) - T - 2, B).astype(int)
    index = np.array([[letters[c] for c in plays[s : s + T + 1]] for s in starts]).T
    one_hot = np.eye(len(letters))[index]
    return one_hot[:-1], one_hot[1:]


@cache
def series(T: int, B: int) -> tuple[np.ndarray, np.ndarray]:
    """B windows of T months of sunspots, standardised, and the same one month later: two (T, B, 1)."""
    values = corpora.sunspots()
    values = (values - values.mean()) / values.std()
    starts = np.linspace(0, len(values) - T - 1, B).astype(int)
    windows = np.stack([values[s : s + T + 1] for s in starts], axis=1)[..., None]
    return windows[:-1], windows[1:]


SOURCES = {"text": text, "sunspots": series}
SIZES = {"text": (48, 64, 16), "sunspots": (32, 132, 12)}  # H, T, B
TITLES = {"text": "Shakespeare: 16 passages of 64 characters, H = 48", "sunspots": "Sunspots: 12 windows of 132 months, H = 32"}


def cases(source: str) -> list[RealCase]:
    """RNN, LSTM and GRU on one source, in both dtypes."""
    H, T, B = SIZES[source]
    I = SOURCES[source](T, B)[0].shape[-1]
    return [
        RealCase(Spec(cell, I, H, dtype=dtype), T=T, B=B, gain=0.15, label=source, source=source)
        for cell in CELLS
        for dtype in DTYPES
    ]
